import Configuration
import Exchange
import UpdateDirector
import Wire

/// What an operator decides about devices: who is locked out and readmitted, and which group each is in.
extension API {
    /// Whoever its operator has locked out hears nothing but that.
    struct LockedOut: Error {}

    /// How long somebody who is locked out is asked to wait. A device believes an hour, so that it is back an hour after it may be.
    private static let lockedOutSeconds = 3600

    /// - Throws: ``LockedOut``.
    func admit(_ device: Store.Device) throws { if device.lockedOutSince != nil { throw LockedOut() } }

    func lockedOut() -> Response {
        Response(refusing: 403, .lockedOut, "locked out by its operator", retryAfterSeconds: API.lockedOutSeconds)
    }

    /// Carries out `lock-out`, `readmit` or `move`. It is kept before it is told.
    func decide(_ name: String, _ order: InventoryOrder, now: Int64, _ out: inout Outbox) throws {
        if name != CommandName.move, !protections.usesCertificates {
            return refuse(name, order, order.devices, "without certificates nobody knows who asks", &out)
        }
        if name == CommandName.move, configuration.groups[order.group ?? ""] == nil {
            return refuse(name, order, order.devices, "there is no group '\(order.group ?? "")'", &out)
        }
        let changes = try store.change(order.devices) { device in
            switch name {
            case CommandName.lockOut: device.lockedOutSince = device.lockedOutSince ?? now
            case CommandName.readmit where device.lockedOutSince != nil: (device.lockedOutSince, device.readmittedAt) = (nil, now)
            case CommandName.move: device.deviceGroup = order.group ?? device.deviceGroup
            default: break
            }
        }
        for (before, after) in changes { observe(name, order, before, after, &out) }
        let changed = Set(changes.map(\.after.name))
        refuse(name, order, order.devices.filter { !changed.contains($0) }, "nothing to change", &out)
        // Rollouts go on without those who have left, and with those who have come.
        for group in Set(changes.flatMap { [$0.before.deviceGroup, $0.after.deviceGroup] }).sorted() {
            try updates.advance(group: group, now: now, &out)
        }
    }

    private func observe(
        _ name: String, _ order: InventoryOrder, _ before: Store.Device, _ after: Store.Device, _ out: inout Outbox
    ) {
        var details: [Fact.Detail: Fact.Value] = [.device: .text(after.name), .instance: .text(order.step)]
        switch name {
        case CommandName.lockOut: out.observe(.deviceLockedOut, details)
        case CommandName.readmit: out.observe(.deviceReadmitted, details)
        default:
            details[.former] = .text(before.deviceGroup)
            details[.target] = .text(after.deviceGroup)
            out.observe(.deviceMoved, details)
        }
    }

    private func refuse(_ name: String, _ order: InventoryOrder, _ devices: [String], _ reason: String, _ out: inout Outbox) {
        for device in devices {
            out.observe(
                .refusal,
                [.operation: .text(name), .device: .text(device), .instance: .text(order.step), .reason: .text(reason)])
        }
    }
}

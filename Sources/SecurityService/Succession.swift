import Configuration
import Exchange
import UpdateDirector
import Wire

/// A fleet that changes its owner: what one service tells the other, out of band.
extension API {
    /// What a device says to its new owner's service, for the one that waits to hear how its last rollout goes.
    struct Arrival: Codable {
        var deviceID: String
        var status: ServiceAPI.UpdateStatus
    }

    /// This is the former owner's: all that the new one has to know.
    func handOver(to node: String, _ out: inout Outbox) throws {
        let devices = try store.devices()
        let inventory = Inventory(
            from: configuration.setting.name, claims: devices.map(\.claim),
            lockedOut: Dictionary(uniqueKeysWithValues: devices.compactMap { device in device.lockedOutSince.map { (device.name, $0) } }),
            references: configuration.referenceMeasurements + inherited + (try updates.referenceMeasurements()))
        out.observe(.fleetHandedOver, [.target: .text(node), .count: .number(Int64(inventory.claims.count))])
        out.act(.tell(node: node, CommandName.takeOver, JSON.encode(inventory)))
    }

    /// This is the new owner's.
    mutating func takeOver(_ inventory: Inventory, _ out: inout Outbox) throws {
        for claim in inventory.claims { try take(claim, &out) }
        try store.inherit(inventory)
        (inherited, former) = (inventory.references, inventory.from)
        out.observe(.fleetTakenOver, [.name: .text(inventory.from), .count: .number(Int64(inventory.claims.count))])
    }

    /// A device that has come to this service says what runs on it.
    func tellFormerOwner(_ status: ServiceAPI.UpdateStatus, of deviceID: String, _ out: inout Outbox) {
        guard let former else { return }
        out.act(.tell(node: former, CommandName.arrived, JSON.encode(Arrival(deviceID: deviceID, status: status))))
    }

    /// This is the former owner's again: who has left is not missed.
    func arrived(_ arrival: Arrival, now: Int64, _ out: inout Outbox) throws {
        guard let device = try store.device(arrival.deviceID) else { return }
        try store.forgetHeartbeat(arrival.deviceID)
        _ = try updates.report(arrival.status, of: device.inventoried, now: now, &out)
    }
}

import Exchange
import Wire

/// Draws conclusions from what the service sees anyway: rules over its own records, each alert with its evidence.
/// (`threat-detection` off: it sees nothing.)
struct Detector {
    /// The same thing about the same device is said again after so long.
    private static let quietSeconds: Int64 = 6 * 3600
    /// Failed handshakes from one address within six hours that mean something.
    private static let failureLimit = 3
    private static let failureSeconds: Int64 = 6 * 3600
    /// Devices of one group whose apps crash within an hour.
    private static let crashLimit = 3
    private static let crashSeconds: Int64 = 3600
    /// Telemetry comes hourly; a device is silent after so long.
    private static let silenceSeconds: Int64 = 4 * 3600
    /// An identity that was used from an address is that address's for so long.
    private static let residenceSeconds: Int64 = 2 * 3600

    private let store: Store
    let isOn: Bool
    private var failures: [Address: [Int64]] = [:]

    init(store: Store, isOn: Bool) {
        self.store = store
        self.isOn = isOn
    }

    /// - Parameters:
    ///   - device: A device's name, or whatever the finding is about.
    ///   - finding: What was found, in words that are the same when it is found again.
    private func alert(
        _ rule: DetectionRule, _ device: String, _ finding: String, detail: String = "", _ now: Int64, _ out: inout Outbox
    ) {
        let subject = "\(device): \(finding)"
        guard isOn, (try? store.isNews(rule: rule.rawValue, subject: subject, now: now, quietSeconds: Detector.quietSeconds)) == true
        else { return }
        out.observe(
            .alert,
            [
                .rule: .text(rule.rawValue), .device: .text(device), .technique: .text(rule.technique),
                .evidence: .text(String((finding + detail).prefix(200))),
            ])
    }

    func evidenceRejected(_ device: String, _ reason: String, from address: Address, _ now: Int64, _ out: inout Outbox) {
        alert(.evidenceRefused, device, reason, detail: ", from \(address)", now, &out)
    }

    /// What devices say about their neighbourhood.
    func reported(_ report: ServiceAPI.ErrorReport, by device: Store.Device, _ now: Int64, _ out: inout Outbox) {
        for event in report.events {
            let rule: DetectionRule? =
                switch event.category {
                case "peer-refused": .authenticationFailures
                case "time-refused": .timeRefused
                case "image-refused": .imageRefused
                case "connection-denied": .deniedConnections
                case "memory-corruption": .memoryCorruption
                case let category where category.hasPrefix("update-"): .updateRefused
                default: nil
                }
            if let rule { alert(rule, device.name, event.description, detail: ", \(event.count)×", now, &out) }
            if event.category == "app-crash" { crashed(at: event.unixSeconds, device.deviceGroup, now, &out) }
        }
    }

    /// Reports come a day late: what counts is when it happened, not when it was heard of.
    private func crashed(at unixSeconds: Int64, _ group: String, _ now: Int64, _ out: inout Outbox) {
        let hour = unixSeconds - Detector.crashSeconds...unixSeconds + Detector.crashSeconds
        let crashed = (try? store.devicesReporting("app-crash", group: group, during: hour)) ?? 0
        if crashed >= Detector.crashLimit { alert(.crashCluster, group, "apps crash", detail: " on \(crashed) devices", now, &out) }
    }

    /// Connections that came to nothing.
    mutating func noticed(_ incidents: [ServerPool.Incident], _ now: Int64, _ out: inout Outbox) {
        guard isOn else { return }
        for incident in incidents {
            if incident.reason.hasPrefix("too many") || incident.reason == "no connection left" {
                alert(.flood, "\(incident.address)", "port \(incident.port): \(incident.reason)", now, &out)
            } else if incident.reason != "closed by peer" && incident.reason != "timed out" && incident.reason != "connection reset" {
                var times = (failures[incident.address] ?? []).filter { $0 > now - Detector.failureSeconds }
                times.append(now)
                failures[incident.address] = times
                guard times.count >= Detector.failureLimit else { continue }
                alert(
                    .authenticationFailures, "\(incident.address)", "failed handshakes: \(incident.reason)",
                    detail: ", \(times.count) so far", now, &out)
            }
        }
    }

    func flooded(_ address: Address, _ what: String, _ now: Int64, _ out: inout Outbox) { alert(.flood, "\(address)", what, now, &out) }

    /// False if an identity is already at home somewhere else: the newcomer is kept out.
    func admits(_ device: Store.Device, from address: Address, _ now: Int64, _ out: inout Outbox) -> Bool {
        guard isOn else { return true }
        let home = try? store.residence(
            deviceID: device.deviceID, address: "\(address)", now: now, residenceSeconds: Detector.residenceSeconds)
        guard let home else { return true }
        alert(.identityInTwoPlaces, device.name, "at \(home), and now at \(address)", now, &out)
        return false
    }

    func sweep(_ now: Int64, _ out: inout Outbox) {
        guard isOn else { return }
        for (device, last) in (try? store.silent(since: now - Detector.silenceSeconds)) ?? [] {
            alert(.silence, device, "silent", detail: " for \((now - last) / 3600) h", now, &out)
        }
    }
}

import Exchange
import SecureChannel
import Wire

/// Draws conclusions from what the service sees anyway: rules over its own records, each alert with what it was that it saw.
/// (`threat-detection` off: it sees nothing.)
struct Detector {
    /// The same thing about the same subject is news again after it has not been seen for so long.
    private static let quietSeconds: Int64 = 2 * 3600
    /// Failed handshakes from one address within six hours that mean something.
    private static let failureLimit = 3
    private static let failureSeconds: Int64 = 6 * 3600
    /// Addresses whose failures are remembered; more of them than that are a flood of their own.
    private static let addressLimit = 4096
    /// Alerts about one subject within six hours: nobody writes any number of them.
    private static let alertLimit = 12
    /// Devices of one group whose apps crash within an hour.
    private static let crashLimit = 3
    private static let crashSeconds: Int64 = 3600
    /// A device is silent after four times the time after which it wanted to be heard.
    private static let patience: Int64 = 4
    /// An identity that was used from an address is that address's for so long.
    private static let residenceSeconds: Int64 = 2 * 3600

    /// Whom an alert is about, as far as somebody has proven who he is.
    private enum Subject {
        case device(String)
        case address(Address)
        case group(String)

        var text: String {
            switch self {
            case .device(let name), .group(let name): name
            case .address(let address): "\(address)"
            }
        }
        var detail: (Fact.Detail, Fact.Value) {
            switch self {
            case .device(let name): (.device, .text(name))
            case .address(let address): (.address, .text("\(address)"))
            case .group(let name): (.subject, .text(name))
            }
        }
    }

    private let store: Store
    let isOn: Bool
    /// Of devices that do not tell hourly that they are there, by name.
    private let telemetryNanoseconds: [String: Int64]
    private var failures: [Address: [(at: Int64, connection: Connection)]] = [:]
    private var raised: [String: [Int64]] = [:]

    init(store: Store, isOn: Bool, telemetryNanoseconds: [String: Int64]) {
        self.telemetryNanoseconds = telemetryNanoseconds
        self.store = store
        self.isOn = isOn
    }

    /// - Parameters:
    ///   - finding: What was found, in words that are the same when it is found again.
    private mutating func alert(
        _ rule: DetectionRule, _ subject: Subject, _ finding: String, detail: String = "", _ seen: ServiceAPI.Sighting,
        more: [Fact.Detail: Fact.Value] = [:], _ now: Int64, _ out: inout Outbox
    ) {
        guard isOn else { return }
        let key = "\(subject.text): \(finding)"
        guard (try? store.isNews(rule: rule.rawValue, subject: key, now: now, quietSeconds: Detector.quietSeconds)) == true else { return }
        let recent = (raised[subject.text] ?? []).filter { $0 > now - Detector.failureSeconds }
        guard recent.count < Detector.alertLimit else { return }
        raised[subject.text] = recent + [now]
        let (name, value) = subject.detail
        var details = seen.details.merging(more) { $1 }
        details[name] = value
        details[.rule] = .text(rule.rawValue)
        details[.technique] = .text(rule.technique)
        details[.evidence] = .text(String((finding + detail).prefix(200)))
        out.observe(.alert, details)
    }

    /// Whoever shows evidence may name any device: the alert is about where it came from.
    mutating func evidenceRejected(_ reason: String, from address: Address, _ seen: ServiceAPI.Sighting, _ now: Int64, _ out: inout Outbox)
    {
        alert(.evidenceRefused, .address(address), reason, seen, now, &out)
    }

    /// What devices say about their neighbourhood.
    mutating func reported(_ report: ServiceAPI.ErrorReport, by device: Store.Device, _ now: Int64, _ out: inout Outbox) {
        for event in report.events {
            let rule: DetectionRule? =
                switch event.category {
                case .peerRefused: .authenticationFailures
                case .timeRefused: .timeRefused
                case .imageRefused: .imageRefused
                case .connectionDenied: .deniedConnections
                case .portProbed: .networkScan
                case .memoryCorruption: .memoryCorruption
                case .updateRefused: .updateRefused
                case .boot, .app, .appExit, .appCrash, .update, .kernelPanic: nil
                }
            if let rule { alert(rule, .device(device.name), event.description, detail: ", \(event.count)×", event.seen, now, &out) }
            if event.category == .appCrash { crashed(event, device.deviceGroup, now, &out) }
        }
    }

    /// Reports come a day late: what counts is when it happened, not when it was heard of.
    private mutating func crashed(_ event: ServiceAPI.ErrorReport.Event, _ group: String, _ now: Int64, _ out: inout Outbox) {
        let hour = event.unixSeconds.addingReportingOverflow(-Detector.crashSeconds).partialValue
        let end = event.unixSeconds.addingReportingOverflow(Detector.crashSeconds).partialValue
        guard hour <= end else { return }
        let crashed = (try? store.devicesReporting(ReportCategory.appCrash.rawValue, group: group, during: hour...end)) ?? 0
        guard crashed >= Detector.crashLimit else { return }
        alert(.crashCluster, .group(group), "apps crash", detail: " on \(crashed) devices", event.seen, now, &out)
    }

    /// Connections that came to nothing, and requests that were turned away.
    mutating func noticed(_ incidents: [ServerPool.Incident], _ now: Int64, _ out: inout Outbox) {
        guard isOn else { return }
        for incident in incidents {
            let (address, port) = (incident.connection.client.address, incident.connection.port)
            let seen = ServiceAPI.Sighting(connections: [incident.connection])
            switch incident.failure.code {
            case .noConnectionLeft:
                // Whoever is turned away is not whose doing it is.
                let holder = incident.holder ?? incident.connection
                alert(
                    .flood, .address(holder.client.address), "port \(holder.port): \(incident.failure.words)",
                    .init(connections: [holder]), now, &out)
            case .tooManyConnections, .tooManyRequests:
                alert(.flood, .address(address), "port \(port): \(incident.failure.words)", seen, now, &out)
            case .malformed, .notHTTP, .requestTooLong, .notFound:
                alert(.requestRefused, .address(address), "port \(port): \(incident.failure.code.words)", seen, now, &out)
            // Who is locked out and knocks does what devices do.
            case .storage, .lockedOut: break
            case let code where code.isOfNetworks: break
            default: failed(incident, now, &out)
            }
        }
    }

    private mutating func failed(_ incident: ServerPool.Incident, _ now: Int64, _ out: inout Outbox) {
        let address = incident.connection.client.address
        if failures[address] == nil && failures.count >= Detector.addressLimit { failures = [:] }
        let recent = (failures[address] ?? []).filter { $0.at > now - Detector.failureSeconds } + [(now, incident.connection)]
        failures[address] = Array(recent.suffix(ServiceAPI.Sighting.limit))
        guard recent.count >= Detector.failureLimit else { return }
        alert(
            .authenticationFailures, .address(address), "failed handshakes: \(incident.failure.words)",
            detail: ", \(recent.count) so far", .init(connections: recent.reversed().map(\.connection)), now, &out)
    }

    /// False if an identity is already at home somewhere else: the newcomer is kept out.
    mutating func admits(_ device: Store.Device, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox) -> Bool {
        guard isOn else { return true }
        let home = try? store.residence(
            deviceID: device.deviceID, address: "\(caller.address)", now: now, residenceSeconds: Detector.residenceSeconds)
        guard let home else { return true }
        alert(
            .identityInTwoPlaces, .device(device.name), "at \(home), and now at \(caller.address)",
            .init(connections: [caller.connection]), more: caller.certificate.map { [.certificate: .text($0.serial.hex)] } ?? [:], now, &out
        )
        return false
    }

    mutating func sweep(_ now: Int64, _ out: inout Outbox) {
        guard isOn else { return }
        raised = raised.filter { $0.value.contains { $0 > now - Detector.failureSeconds } }
        failures = failures.filter { $0.value.contains { $0.at > now - Detector.failureSeconds } }
        for (device, last) in (try? store.silent(since: now - Detector.patience * 3600)) ?? [] {
            if let period = telemetryNanoseconds[device], now - last <= Detector.patience * (period / 1_000_000_000) { continue }
            alert(
                .silence, .device(device), "silent", detail: " for \((now - last) / 3600) h", .init(), more: [.sinceSeconds: .number(last)],
                now,
                &out)
        }
    }
}

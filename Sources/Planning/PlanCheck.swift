public import Catalogue
import Fabric
import Wire

/// What holds of every plan that was read from a topology, and need not of one that was read back from a run's folder.
extension Plan {
    /// A year that certificates and clocks can count: 1970 to 2100.
    private static let epochs: ClosedRange<Int64> = 0...4_133_980_799

    /// The first name or number that no topology could have said; nil if there is none.
    public var outOfRange: String? {
        let times = 0...Int64(Quantity.longestNanoseconds)
        // Folders and files are called by them.
        let names = [name] + devices.map(\.name) + steps.map(\.id) + apps.keys.sorted()
        if let mistake = names.lazy.compactMap(NameGrammar.mistake).first { return mistake }
        let hosts = devices.flatMap { $0.names ?? [] } + gateways.flatMap { $0.names ?? [] }
        if let mistake = hosts.lazy.compactMap(HostNameGrammar.mistake).first { return mistake }
        let services = devices.flatMap { $0.services ?? [] } + gateways.flatMap { $0.services ?? [] }
        for service in services where service.instance.utf8.count > 63 || HostNameGrammar.mistake(in: service.type) != nil {
            return "service \(service.instance.prefix(63)) is none that DNS could tell of"
        }
        if networks.contains(where: { ($0.wifi?.ssid.utf8.count ?? 1) > 32 }) { return "a network's SSID has more than 32 bytes" }
        if !Plan.epochs.contains(epochSeconds) { return "epochSeconds is no time from 1970 to 2100" }
        if !times.contains(stop.nanoseconds) { return "stop is further away than times go" }
        for network in networks {
            guard (0...1).contains(network.lossRatio), times.contains(network.latencyNanoseconds),
                times.contains(network.jitterNanoseconds), (network.bitsPerSecond ?? 1) > 0
            else { return "network \(network.name) has a delay, rate or loss that none can have" }
        }
        for device in devices {
            let periods =
                [device.callEveryNanoseconds, device.updateEveryNanoseconds, device.deferUpdatesNanoseconds]
                + (device.telemetryEveryNanoseconds.map { [$0] } ?? [])
            guard periods.allSatisfy(times.contains) else { return "device \(device.name) has a period that none can have" }
        }
        for step in steps {
            let window = step.window ?? Step.Window(from: .start, nanoseconds: 0)
            guard times.contains(step.at.nanoseconds), times.contains((step.duration ?? .zero).nanoseconds),
                times.contains(window.from.nanoseconds), times.contains(window.nanoseconds)
            else {
                return "step \(step.id) has a time that none can have"
            }
        }
        return nil
    }

    /// A device that has the name of an attacker's node, such as `rogue-s1`: the two could not be told apart.
    var nameOfAttacker: String? {
        for step in steps where step.act.isAttack {
            for device in devices where device.name.hasSuffix("-\(step.id)") || device.name.contains("-\(step.id)-") {
                return "'\(device.name)' may be what a node of the attack '\(step.id)' is called"
            }
        }
        return nil
    }
}

extension Plan {
    /// Why steps cannot be done here; nil if all can.
    public func unknownAct(in catalogue: ActCatalogue) -> String? {
        for step in steps {
            switch step.act {
            case .attack(let name) where catalogue.attacks[name] == nil: return "there is no attack '\(name)'"
            case .fault(let name) where catalogue.faults[name] == nil: return "there is no fault '\(name)'"
            default: break
            }
        }
        return nil
    }
}

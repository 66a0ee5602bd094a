public import Catalogue
import Wire

extension Plan {
    /// What one can tell beforehand will show nothing: an attack on whoever lacks what it attacks, or cannot be reached for as long
    /// as it lasts; a network from which no way leads to the service.
    public func warnings(_ catalogue: ActCatalogue) -> [String] {
        let islands = Set(devices.map(\.network)).sorted().filter { !hasWay(from: $0, to: serviceNetwork) }.map { network in
            let names = devices.filter { $0.network == network }.map(\.name).joined(separator: ", ")
            return "\(file): warning: no link leads from \(network) to the service's network: \(names) cannot be attested"
        }
        let empty = groups.keys.sorted().filter { name in
            !devices.contains { $0.group == name } && !steps.contains { $0.group == name }
        }.map { "\(file): warning: no device is in the group '\($0)', and no step moves any there" }
        return islands + expiries + empty
            + steps.flatMap { step -> [String] in
                guard case .attack(let name) = step.act, let attack = catalogue.attacks[name] else { return [] }
                let head = "\(file): warning: \(name) (\(step.id))"
                var warnings: [String] = []
                if step.nodes.isEmpty { warnings.append("\(head): it has no target") }
                if step.duration == .zero { warnings.append("\(head): it ends when it begins") }
                if step.end != .never, step.end > stop { warnings.append("\(head): it outlasts the run, which can't tell how it ends") }
                let reasons = step.nodes.flatMap { node in obstacles(node, for: step, attack, catalogue.faults).map { (node, $0) } }
                for reason in Obstacle.allCases {
                    let nodes = reasons.filter { $0.1 == reason }.map(\.0)
                    if !nodes.isEmpty { warnings.append("\(head): \(nodes.joined(separator: ", ")) \(reason.words(attack))") }
                }
                return warnings
            }
    }

    /// Why nothing that an attack does can reach one of its targets; empty if something can.
    public func obstacles(_ node: String, for step: Step, _ attack: AttackDescription, _ faults: ActList<FaultDescription>) -> [Obstacle] {
        guard let device = devices.first(where: { $0.name == node }) else { return [] }
        var obstacles: [Obstacle] = []
        if let app = attack.app, !device.apps.contains(app) { obstacles.append(.noApp) }
        let isOff = steps.contains {
            faults[$0]?.absence == .poweredOff && $0.count("operation") == nil && $0.nodes.contains(node) && $0.lasts(during: step)
        }
        if attack.reach != .nothing, isOff { obstacles.append(.noPower) }
        if attack.reach == .network {
            let hangs = steps.contains { faults[$0]?.absence == .hung && $0.nodes.contains(node) && $0.lasts(during: step) }
            if hangs { obstacles.append(.noLife) }
            let cuts = steps.filter { faults[$0]?.absence == .cutOff && !$0.hasSides && $0.lasts(during: step) }
            if cuts.contains(where: { $0.nodes.contains(node) }) {
                obstacles.append(.noPath)
            } else if cuts.contains(where: { $0.networks.contains(device.network) }) {
                obstacles.append(.noWayOut)
            }
        }
        return obstacles
    }

    private func hasWay(from network: String, to other: String) -> Bool {
        var reached: Set<String> = [network]
        while let next = links.first(where: { link in link.contains(where: reached.contains) && !reached.isSuperset(of: link) }) {
            reached.formUnion(next)
        }
        return reached.contains(other)
    }
}

/// What keeps an attack from a target for as long as it lasts.
public enum Obstacle: CaseIterable, Sendable {
    case noApp, noPower, noLife, noPath
    /// Its network is cut off from the others. Who is inside reaches it.
    case noWayOut

    public func words(_ attack: AttackDescription) -> String {
        switch self {
        case .noApp: "without the app '\(attack.app ?? "")': nothing can be tried there"
        case .noPower: "without power all the while"
        case .noLife: "stuck all the while"
        case .noPath: "cut off from the network all the while"
        case .noWayOut: "in a network that is cut off from the others all the while"
        }
    }
}

extension Step {
    /// Whether a fault is there for as long as an attack lasts.
    fileprivate func lasts(during attack: Step) -> Bool { at <= attack.at && end >= attack.end }
}

public import Wire

extension Plan {
    /// Steps of which one can tell beforehand that they will show nothing: an attack on whoever lacks what it attacks, or has no
    /// power all the time.
    public func warnings(_ attacks: AttackCatalogue) -> [String] {
        steps.flatMap { step -> [String] in
            guard case .attack(let name) = step.act else { return [] }
            let head = "\(file): warning: \(name) (\(step.id))"
            let without = attacks[name]?.app.map { app in
                (app, devices.filter { step.nodes.contains($0.name) && !$0.apps.contains(app) }.map(\.name))
            }
            let cutOff = devices.filter { device in
                step.nodes.contains(device.name) && steps.contains { $0.cutsOff(device.name, device.network, during: step) }
            }.map(\.name)
            let off = step.nodes.filter { node in steps.contains { $0.keepsOff(node, during: step) } }
            var warnings: [String] = []
            if step.nodes.isEmpty { warnings.append("\(head): it has no target") }
            if step.duration == .zero { warnings.append("\(head): it ends when it begins") }
            if let (app, names) = without, !names.isEmpty {
                warnings.append("\(head): \(names.joined(separator: ", ")) without the app '\(app)': nothing can be tried there")
            }
            if !off.isEmpty { warnings.append("\(head): \(off.joined(separator: ", ")) without power all the while") }
            if !cutOff.isEmpty { warnings.append("\(head): \(cutOff.joined(separator: ", ")) cut off from the network all the while") }
            return warnings
        }
    }
}

extension Step {
    /// Whether a partition keeps a node from the network for as long as an attack lasts.
    fileprivate func cutsOff(_ node: String, _ network: String, during attack: Step) -> Bool {
        act == .fault(.partition) && (nodes.contains(node) || networks.contains(network)) && at <= attack.at && end >= attack.end
    }

    /// Whether a fault takes a node's power for as long as an attack lasts.
    fileprivate func keepsOff(_ node: String, during attack: Step) -> Bool {
        act == .fault(.powerCut) && count("operation") == nil && nodes.contains(node) && at <= attack.at && end >= attack.end
    }
}

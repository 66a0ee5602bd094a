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
            let off = step.nodes.filter { node in steps.contains { $0.keepsOff(node, during: step) } }
            var warnings: [String] = []
            if let (app, names) = without, !names.isEmpty {
                warnings.append("\(head): \(names.joined(separator: ", ")) without the app '\(app)': nothing can be tried there")
            }
            if !off.isEmpty { warnings.append("\(head): \(off.joined(separator: ", ")) without power all the while") }
            return warnings
        }
    }
}

extension Step {
    /// Whether a fault takes a node's power for as long as an attack lasts.
    fileprivate func keepsOff(_ node: String, during attack: Step) -> Bool {
        act == .fault(.powerCut) && count("operation") == nil && nodes.contains(node) && at <= attack.at && end >= attack.end
    }
}

public import Wire

/// What the service's alerts were worth. The injector knows what happened, so each alert is one of an attack or a
/// false alarm.
public struct Detection: Sendable, Equatable, Codable {
    public struct Alert: Sendable, Equatable, Codable {
        public var at: Instant
        public var rule: DetectionRule
        public var device: String
        public var technique: String
        public var evidence: String
        /// The steps that it may be about; none for a false alarm.
        public var steps: [String]
    }

    public var alerts: [Alert]
    public var falseAlarms: Int { alerts.count { $0.steps.isEmpty } }
    public var trueAlarms: Int { alerts.count - falseAlarms }

    /// An alert may come this long after an attack: devices report once they reach the service again.
    static let grace = Duration.hours(3)

    init(_ plan: Plan, _ journal: [Observation]) {
        alerts = journal.compactMap { observation in
            let fact = observation.fact
            guard fact.kind == .alert, let rule = fact.text(.rule).flatMap(DetectionRule.init(rawValue:)) else { return nil }
            let device = fact.text(.device) ?? ""
            let steps = plan.steps.filter { Detection.isAbout($0, rule, device, observation.at, plan) }.map(\.id)
            return Alert(
                at: observation.at, rule: rule, device: device, technique: fact.text(.technique) ?? "",
                evidence: fact.text(.evidence) ?? "", steps: steps)
        }
    }

    /// True if a step may be what an alert speaks of: its time, one of its rules, and its place where a
    /// device is named.
    private static func isAbout(_ step: Step, _ rule: DetectionRule, _ device: String, _ at: Instant, _ plan: Plan) -> Bool {
        guard case .attack(let attack) = step.act, at >= step.at else { return false }
        let end = step.duration.map { step.at + $0 + grace } ?? .never
        guard at <= end, attack.entry.rules.contains(rule) else { return false }
        // Neighbours of a target notice too: an attacker in a home is in all of it.
        guard let network = plan.devices.first(where: { $0.name == device })?.network else { return true }
        return plan.devices.contains { step.nodes.contains($0.name) && $0.network == network }
    }

    /// The first alert about an attack.
    public func first(of step: String) -> Alert? { alerts.first { $0.steps.contains(step) } }
}

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
            let possible = plan.steps.filter { Detection.isPossible($0, rule, device, observation.at) }
            // Who is named is whom it is about; neighbours of a target notice too, since an attacker in a home is in all of it.
            let named = possible.filter { $0.nodes.contains(device) }
            let steps = (named.isEmpty ? possible.filter { Detection.isNear($0, device, plan) } : named).map(\.id)
            return Alert(
                at: observation.at, rule: rule, device: device, technique: fact.text(.technique) ?? "",
                evidence: fact.text(.evidence) ?? "", steps: steps)
        }
    }

    /// True if a step may be what an alert speaks of, by its time, its rules, and what it is about.
    private static func isPossible(_ step: Step, _ rule: DetectionRule, _ device: String, _ at: Instant) -> Bool {
        guard case .attack(let attack) = step.act, at >= step.at else { return false }
        let end = step.end == .never ? .never : step.end + grace
        // An identity that the service does not know belongs to silicon that an attacker brought.
        let isStranger = rule == .evidenceRefused && device.utf8.count == 16 && device.allSatisfy(\.isHexDigit)
        return at <= end && attack.entry.rules.contains(rule) && (!isStranger || attack == .clonedDevice || attack == .rogueDevice)
    }

    private static func isNear(_ step: Step, _ device: String, _ plan: Plan) -> Bool {
        guard let network = plan.devices.first(where: { $0.name == device })?.network else { return true }
        return plan.devices.contains { step.nodes.contains($0.name) && $0.network == network }
    }

    /// The first alert about an attack.
    public func first(of step: String) -> Alert? { alerts.first { $0.steps.contains(step) } }
}

import Wire

/// Runs a double of a device: its flash, and its fuses, which were read out in a laboratory.
final class StolenDeviceKey: Attack {
    /// How long the service must go on accepting the double.
    private static let persistence = Duration.minutes(30)
    private let victims: [String]
    private var firstAccepted: [String: Instant] = [:]
    private var hasSucceeded: Set<String> = []

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            let double = victim + "-double"
            guard arena.attach(double, near: victim, isProcess: true) != nil else { continue }
            arena.order(ProcessOrder(.duplicate, node: double, generation: 0, template: victim))
        }
    }

    func recover(_ arena: inout Arena) {
        for victim in victims {
            arena.order(ProcessOrder(.kill, node: victim + "-double", generation: 0))
            arena.detach(victim + "-double")
        }
    }

    /// Only what the service accepts counts: to peers a certificate of 24 hours is good for 24 hours.
    func observed(_ fact: Fact, by node: String, at time: Instant) -> Fact? {
        guard fact.kind == .exchange, fact.text(.result) == "accepted", fact.text(.operation) != "peer" else { return nil }
        let first = firstAccepted[node] ?? time
        firstAccepted[node] = first
        guard time >= first + StolenDeviceKey.persistence, hasSucceeded.insert(node).inserted else { return nil }
        return Fact(.attackSucceeded, [.device: .text(node), .evidence: "the service has accepted the double for half an hour"])
    }
}

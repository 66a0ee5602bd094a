public import Catalogue
import Wire

extension AttackName { public static let stolenDeviceKey = AttackName("stolen-device-key") }

/// Runs a double of a device: its flash, and its fuses, which were read out in a laboratory.
final class StolenDeviceKey: Attack {
    static let description = AttackDescription(
        name: .stolenDeviceKey,
        summary: "runs a double of the targets, keys and all",
        mechanism:
            "Fuses are read out by means that cost more than the device. New silicon with the same fuses and flash boots, attests and talks in the targets' names.",
        needs: "the targets in a laboratory; chips that can be fused",
        oracle: "the service still accepts the double half an hour after it first did",
        techniques: ["T0849 Masquerading"], threats: ["TID-214"],
        controls: [.threatDetection, .certificateAuth, .transportEncryption], rules: [.identityInTwoPlaces], reach: .nothing)

    /// How long the service must go on accepting the double.
    private static let persistence = Duration.minutes(30)
    private let victims: [String]
    /// The victim of each double.
    private var names: [String: String] = [:]
    private var firstAccepted: [String: Instant] = [:]
    private var hasSucceeded: Set<String> = []

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            let double = victim + "-double"
            names[double] = victim
            guard arena.attach(double, near: victim, isProcess: true, double: victim) != nil else { continue }
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
        return Fact(
            .attackSucceeded,
            [.target: .text(names[node] ?? node), .device: .text(node), .evidence: "the service has accepted the double for half an hour"])
    }
}

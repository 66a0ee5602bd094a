public import Catalogue
import Wire

extension AttackName { public static let clonedDevice = AttackName("cloned-device") }

/// Desolders a device's flash chip, copies it, and runs the copy in other silicon of the same kind.
final class ClonedDevice: Attack {
    static let description = AttackDescription(
        name: .clonedDevice,
        summary: "runs a copy of the targets' flash in other silicon",
        mechanism:
            "The flash chip is desoldered, copied and put beside other silicon of the same kind, which then boots and does what the device would do.",
        needs: "the targets' flash chips for the time of a copy; chips of the same kind",
        oracle: "the service or a peer accepts an exchange from the copy",
        techniques: ["T0849 Masquerading"], threats: ["TID-108", "TID-214"],
        controls: [.hardwareRootOfTrust, .certificateAuth, .transportEncryption],
        rules: [.evidenceRefused, .identityInTwoPlaces, .authenticationFailures], reach: .nothing,
        judge: AttackJudge(
            isWitness: { trial, observation in
                // Silicon that has other keys will not be the device, whatever its flash says.
                observation.node == trial.target + "-clone" && observation.fact.text(.code) == Code.keyLost.rawValue
            }))

    private let victims: [String]
    /// The victim of each clone.
    private var names: [String: String] = [:]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            let clone = victim + "-clone"
            names[clone] = victim
            guard arena.attach(clone, near: victim, isProcess: true, double: victim) != nil else { continue }
            arena.order(ProcessOrder(.clone, node: clone, generation: 0, template: victim))
        }
    }

    func recover(_ arena: inout Arena) {
        for victim in victims {
            arena.order(ProcessOrder(.kill, node: victim + "-clone", generation: 0))
            arena.detach(victim + "-clone")
        }
    }

    /// Somebody dealt with the clone as if it were the device.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? {
        guard fact.kind == .exchange, fact.text(.result) == "accepted" else { return nil }
        return Fact(
            .attackSucceeded,
            [
                .target: .text(names[node] ?? node), .device: .text(node), .peer: .text(fact.text(.peer) ?? ""),
                .evidence: .text("\(fact.text(.operation) ?? "exchange") accepted from the copy"),
            ])
    }
}

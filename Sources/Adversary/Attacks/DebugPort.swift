public import Catalogue
import Exchange
import Fabric
import Wire

extension AttackName { public static let debugPort = AttackName("debug-port") }

/// Puts a debug probe on the SWD pins of running devices and holds their real-time cores.
final class DebugPort: Attack {
    static let description = AttackDescription(
        name: .debugPort,
        summary: "attaches a debugger to the targets' real-time cores and stops them",
        mechanism:
            "A probe on the SWD pins of a running device reads the vector table of each real-time core and halts it, while the rest of the device goes on talking. It is let go at the end.",
        needs: "the targets in hand, running, and a debug probe",
        oracle: "the probe holds a core, and the service or a peer still accepts the device",
        techniques: ["T0835 Manipulate I/O Image"], threats: ["TID-115", "TID-119"],
        controls: [.debugLock], rules: [], requires: [.realTimeCores], reach: .power,
        judge: AttackJudge(
            isWitness: { trial, observation in
                observation.node == trial.target && observation.fact.kind == .debugPort && observation.fact.text(.result) == "locked"
                    && observation.at < trial.step.end
            }))

    private let victims: [String]
    /// What the probe has read from cores that it holds.
    private var held: [String: String] = [:]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            arena.watch(victim)
            arena.tried("probe attached", on: victim)
        }
        ask(.halt, &arena)
    }

    func recover(_ arena: inout Arena) { ask(.resume, &arena) }

    private func ask(_ request: DebugRequest, _ arena: inout Arena) {
        for victim in victims { arena.fabric.command(CommandName.debugPort, JSON.encode(request), to: victim) }
    }

    /// What the probe says, and whether anybody minds.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? {
        switch fact.kind {
        case .debugPort where fact.text(.result) == "halted": held[node] = fact.text(.text) ?? ""
        case .exchange:
            guard let read = held[node], fact.text(.result) == "accepted" else { return nil }
            return Fact(
                .attackSucceeded,
                [
                    .target: .text(node),
                    .evidence: .text("the probe holds the app's core (\(read)), and \(fact.text(.operation) ?? "") was accepted"),
                ])
        default: break
        }
        return nil
    }
}

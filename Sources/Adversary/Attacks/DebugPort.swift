import Exchange
import Fabric
import Wire

/// Puts a debug probe on the SWD pins of running devices and holds their real-time cores.
final class DebugPort: Attack {
    private let victims: [String]
    /// What the probe has read from cores that it holds.
    private var held: [String: String] = [:]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        victims.forEach { arena.watch($0) }
        ask(.halt, &arena)
    }

    func recover(_ arena: inout Arena) { ask(.resume, &arena) }

    private func ask(_ request: DebugRequest, _ arena: inout Arena) {
        for victim in victims { arena.fabric.command(DebugRequest.command, JSON.encode(request), to: victim) }
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

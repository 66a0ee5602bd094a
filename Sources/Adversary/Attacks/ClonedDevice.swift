import Wire

/// Desolders a device's flash chip, copies it, and runs the copy in other silicon of the same kind.
final class ClonedDevice: Attack {
    private let victims: [String]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            let clone = victim + "-clone"
            guard arena.attach(clone, near: victim, isProcess: true) != nil else { continue }
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
                .device: .text(node), .peer: .text(fact.text(.peer) ?? ""),
                .evidence: .text("\(fact.text(.operation) ?? "exchange") accepted from the copy"),
            ])
    }
}

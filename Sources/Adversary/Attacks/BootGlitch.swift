import Wire

/// Puts an implant into a device's flash on the bench, and looks for a fault that makes the boot code start it.
final class BootGlitch: Attack {
    private let victims: [String]
    /// On which the implant has said that it runs.
    private var implanted: Set<String> = []

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            arena.watch(victim)
            arena.order(ProcessOrder(.glitch, node: victim, generation: 0))
        }
    }

    func recover(_ arena: inout Arena) {
        for victim in victims { arena.order(ProcessOrder(.glitch, node: victim, generation: 0, template: ProcessOrder.undo)) }
    }

    /// What the device in hand prints, and whether the service takes it for what it was.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? {
        switch fact.kind {
        case .bootConsole where fact.text(.text) == "implant": implanted.insert(node)
        case .attestation, .exchange:
            guard implanted.contains(node), fact.text(.result) == "accepted" else { return nil }
            let what = fact.text(.operation) ?? "attestation"
            return Fact(
                .attackSucceeded, [.target: .text(node), .evidence: .text("unsigned code runs below the OS, and \(what) was accepted")])
        default: break
        }
        return nil
    }
}

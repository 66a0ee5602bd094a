public import Catalogue
import Wire

extension AttackName { public static let bootGlitch = AttackName("boot-glitch") }

/// Puts an implant into a device's flash on the bench, and looks for a fault that makes the boot code start it.
final class BootGlitch: Attack {
    static let description = AttackDescription(
        name: .bootGlitch,
        summary: "puts an implant into the targets' flash and has boot code start it by a fault",
        mechanism:
            "On the bench, the primary copy of the first boot loader is replaced. Then the power is switched on again and again with one instruction skipped, at another place each time, until the implant says that it runs and that nobody has measured it; it measures in its own place what should have been there. With that fault the target goes back to its network.",
        needs: "the targets in hand, opened, and a glitcher",
        oracle: "a target on which the implant runs is attested, or has an exchange accepted",
        techniques: ["T0857 System Firmware"], threats: ["TID-105", "TID-108", "TID-201"],
        controls: [.glitchHardening], rules: [.imageRefused, .evidenceRefused], holds: .power, requires: [.bootROM], reach: .nothing)

    private let victims: [String]
    /// On which the implant has said that it runs.
    private var implanted: Set<String> = []

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) {
        for victim in victims {
            arena.watch(victim)
            arena.tried("implant put into flash", on: victim)
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

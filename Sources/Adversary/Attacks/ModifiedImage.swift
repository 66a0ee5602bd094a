public import Catalogue
import Wire

extension AttackName { public static let modifiedImage = AttackName("modified-image") }

/// Takes the power from a device, changes an OS image in its flash chip on the bench, and gives the power back.
final class ModifiedImage: Attack {
    static let description = AttackDescription(
        name: .modifiedImage,
        summary: "rewrites an OS image in the targets' flash on the bench",
        mechanism:
            "Power off, a clip on the flash chip, the primary copy of the services image changed, power on. It is put back at the end.",
        needs: "the targets in hand, opened",
        oracle: "a target runs the changed image",
        techniques: ["T0857 System Firmware"], threats: ["TID-108", "TID-201"],
        controls: [.secureBoot], rules: [.evidenceRefused, .imageRefused], holds: .power, reach: .nothing)

    private static let change = FlashEdit(image: "services", find: "\"stage\":\"services\"", replacement: "\"stage\":\"owned!!!\"")
    private let victims: [String]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) { rewrite(ModifiedImage.change, &arena) }
    func recover(_ arena: inout Arena) { rewrite(ModifiedImage.change.undone, &arena) }

    private func rewrite(_ edit: FlashEdit, _ arena: inout Arena) {
        for victim in victims {
            arena.watch(victim)
            if edit == ModifiedImage.change { arena.tried("image rewritten on the bench", on: victim) }
            arena.order(ProcessOrder(.rewrite, node: victim, generation: 0, template: edit.encoded))
        }
    }

    /// What a device prints when it starts, for whoever has it on the bench.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? {
        guard victims.contains(node), fact.kind == .osReady, fact.text(.text)?.contains("owned!!!") == true else { return nil }
        return Fact(.attackSucceeded, [.target: .text(node), .evidence: "the changed image runs: its banner says so"])
    }
}

import Wire

/// Takes the power from a device, changes an OS image in its flash chip on the bench, and gives the power back.
final class ModifiedImage: Attack {
    private static let change = FlashEdit(image: "services", find: "\"stage\":\"services\"", replacement: "\"stage\":\"owned!!!\"")
    private let victims: [String]

    init(_ step: Step) { victims = step.nodes }

    func apply(_ arena: inout Arena) { rewrite(ModifiedImage.change, &arena) }
    func recover(_ arena: inout Arena) { rewrite(ModifiedImage.change.undone, &arena) }

    private func rewrite(_ edit: FlashEdit, _ arena: inout Arena) {
        for victim in victims {
            arena.watch(victim)
            arena.order(ProcessOrder(.rewrite, node: victim, generation: 0, template: edit.encoded))
        }
    }

    /// What a device prints when it starts, for whoever has it on the bench.
    func observed(_ fact: Fact, by node: String, at: Instant) -> Fact? {
        guard victims.contains(node), fact.kind == .osReady, fact.text(.text)?.contains("owned!!!") == true else { return nil }
        return Fact(.attackSucceeded, [.target: .text(node), .evidence: "the changed image runs: its banner says so"])
    }
}

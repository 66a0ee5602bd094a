public import Catalogue
public import Planning

/// What an ablation runs: a campaign, again and again, each time with another control, or pair of them, off.
public struct AblationStudy {
    /// A word that names no attack of the campaign, or no control.
    public struct UnknownWord: Error {
        public var words: String
    }

    private let plan: Plan
    private let off: [Control]
    private let pairs: Bool
    /// What has been measured so far.
    public var ablation: Ablation

    /// - Parameters:
    ///   - attacks: Those to judge, by name; all of the campaign's without them. The others are not run.
    ///   - controls: Those to switch off, by name; all that are on without them.
    /// - Returns: Nil if the campaign has no attack.
    public init?(
        _ campaign: Plan, attacks: [String]?, controls: [String]?, pairs: Bool, seeds: [UInt64], catalogue: ActCatalogue
    ) throws(UnknownWord) {
        var plan = campaign
        let present = plan.steps.compactMap { step in if case .attack(let attack) = step.act { attack } else { nil } }
        guard !present.isEmpty else { return nil }
        let judged = try AblationStudy.pick(attacks, among: Array(Set(present)).map(\.rawValue), "attack")
        plan.steps.removeAll { step in if case .attack(let attack) = step.act { !judged.contains(attack.rawValue) } else { false } }
        plan.expectations = []
        off = try AblationStudy.pick(controls, among: Control.allCases.map(\.rawValue), "control").compactMap { Control(rawValue: $0) }
            .filter { !campaign.controlsOff.contains($0) }
        let order = present.map(\.rawValue).filter(judged.contains)
        let unique = order.enumerated().filter { order.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        ablation = Ablation(campaign: plan.name, seeds: seeds, attacks: unique)
        for attack in unique {
            guard let description = catalogue.attacks[attack] else { continue }
            ablation.expected[attack] = description.controls.map(\.rawValue)
            ablation.threats[attack] = description.threats
        }
        ablation.always = plan.controlsOff.map(\.rawValue)
        (self.plan, self.pairs) = (plan, pairs)
    }

    /// Everything that is to be run, with what is off in it beside what the campaign itself has off.
    public var runs: [(plan: Plan, off: [Control])] {
        Ablation.configurations(off, pairs: pairs).flatMap { controls in
            ablation.seeds.map { seed in
                var one = plan
                one.draw(seed: seed)
                one.controlsOff = plan.controlsOff + controls
                return (one, controls)
            }
        }
    }

    /// The words of an option, each of them known; all known ones without the option.
    private static func pick(_ words: [String]?, among known: [String], _ what: String) throws(UnknownWord) -> [String] {
        for word in words ?? [] where !known.contains(word) {
            throw UnknownWord(words: "unknown \(what) '\(word)'; there are \(known.sorted().joined(separator: ", "))")
        }
        return words ?? known
    }
}

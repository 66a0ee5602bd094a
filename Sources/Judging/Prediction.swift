import Catalogue
import Wire

/// What was measured beside what the catalogue expects and what MITRE EMB3D predicts.
extension Ablation {
    /// One control and one attack.
    public struct Comparison: Sendable, Equatable, Encodable {
        public enum Measured: String, Sendable, Encodable {
            /// It succeeds without the control, and fails with all on.
            case matters
            /// It fails without the control too.
            case doesNotMatter = "does-not-matter"
            /// It succeeds with all on already, so that nothing is learnt about the control.
            case succeedsAnyway = "succeeds-anyway"
            /// The runs could not tell.
            case unknown
        }

        public var control: String
        public var attack: String
        public var measured: Measured
        /// Threats that the attack acts out and the control's mitigations are good against.
        public var threats: [String]
        /// Why the two differ, where they do; nil if nobody has said it.
        public var why: String?

        /// A control that EMB3D holds to be good against one of the attack's threats.
        public var isPredicted: Bool { !threats.isEmpty }
        public var differs: Bool {
            switch measured {
            case .matters: !isPredicted
            case .doesNotMatter: isPredicted
            case .succeedsAnyway, .unknown: false
            }
        }
    }

    /// Each single control that was off, with each attack.
    public var comparisons: [Comparison] {
        rows.compactMap(Control.init(rawValue:)).flatMap { control in
            attacks.map { attack in
                var cell = Comparison(
                    control: control.rawValue, attack: attack, measured: measured(attack, control.rawValue),
                    threats: EMB3D.threats(threats[attack] ?? [], mitigatedBy: control), why: nil)
                if cell.differs { cell.why = Reason.of(cell) }
                return cell
            }
        }
    }

    public var differences: [Comparison] { comparisons.filter(\.differs) }

    private func canTell(_ attack: String, _ row: String) -> Bool { cells[row]?[attack]?.successRatio != nil }

    private func measured(_ attack: String, _ row: String) -> Comparison.Measured {
        guard canTell(attack, row), canTell(attack, Ablation.nothingOff) else { return .unknown }
        if succeeds(attack, Ablation.nothingOff) { return .succeedsAnyway }
        return succeeds(attack, row) ? .matters : .doesNotMatter
    }

    /// Where what was measured is not what the catalogue expects of a single control. Runs that could not tell contradict nothing.
    public var surprises: [String] { attacks.flatMap(surprises) }

    private func surprises(_ attack: String) -> [String] {
        guard canTell(attack, Ablation.nothingOff) else { return [] }
        let expected = expected[attack] ?? []
        let without = always.filter(expected.contains)
        if succeeds(attack, Ablation.nothingOff) {
            // An attack that no single control decides may succeed or not: that depends on the campaign.
            guard without.isEmpty, !expected.isEmpty else { return [] }
            return ["\(attack): succeeded with nothing off, which was not expected"]
        }
        if !without.isEmpty { return without.map { "\(attack): expected to succeed without \($0), and did not" } }
        let single = rows.filter { $0 != Ablation.nothingOff && !$0.contains(Ablation.and) && canTell(attack, $0) }
        return single.filter { expected.contains($0) && !succeeds(attack, $0) }.sorted()
            .map { "\(attack): expected to succeed without \($0), and did not" }
            + single.filter { !expected.contains($0) && succeeds(attack, $0) }.sorted()
            .map { "\(attack): succeeded without \($0), which was not expected" }
    }

    /// The matrix with what follows from it, for programs.
    public struct Document: Encodable {
        private enum Key: String, CodingKey { case emb3dVersion, comparisons, surprises }
        private let ablation: Ablation
        public init(_ ablation: Ablation) { self.ablation = ablation }

        public func encode(to encoder: any Encoder) throws {
            try ablation.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(EMB3D.version, forKey: .emb3dVersion)
            try container.encode(ablation.comparisons, forKey: .comparisons)
            try container.encode(ablation.surprises, forKey: .surprises)
        }
    }
}

extension Ablation.Comparison {
    /// One letter for the table: B(oth), M(easured only), E(MB3D only), `.` neither, `!` succeeds anyway, `?`.
    public var mark: String {
        switch measured {
        case .matters: isPredicted ? "B" : "M"
        case .doesNotMatter: isPredicted ? "E" : "."
        case .succeedsAnyway: "!"
        case .unknown: "?"
        }
    }

    public var title: String {
        measured == .matters
            ? "\(attack) succeeds without \(control), which EMB3D does not predict"
            : "\(attack) fails without \(control), which EMB3D predicts to matter (\(threats.joined(separator: ", ")))"
    }

    public var sentence: String { why ?? "not explained" }
}

public import Wire

/// Which control stops which attack, and which are noticed, as measured: a campaign run with each control off in
/// turn, over several seeds.
public struct Ablation: Sendable, Equatable, Codable {
    /// How often an attack reached its goal in one configuration, and how often it was noticed.
    public struct Cell: Sendable, Equatable, Codable {
        public var runs = 0
        /// Compromised, or frozen.
        public var succeeded = 0
        /// Runs that could not tell.
        public var unknown = 0
        /// From the begin of the attack to the first alert, in the runs in which there was one.
        public var detectedAfterNanoseconds: [Int64] = []

        /// 0…1 of the runs that could tell; nil if none could.
        public var successRatio: Double? { runs == unknown ? nil : Double(succeeded) / Double(runs - unknown) }
        /// 0…1 of the runs.
        public var detectionRatio: Double { Double(detectedAfterNanoseconds.count) / Double(max(1, runs)) }
        public var medianDetectionNanoseconds: Int64? {
            detectedAfterNanoseconds.isEmpty ? nil : detectedAfterNanoseconds.sorted()[detectedAfterNanoseconds.count / 2]
        }
    }

    public var campaign: String
    public var seeds: [UInt64]
    /// Attacks in the order of the campaign.
    public var attacks: [String]
    /// What was off: nothing in the first row.
    public var rows: [String]
    /// By row, then attack.
    public var cells: [String: [String: Cell]]

    public static let nothingOff = "(all on)"

    public init(campaign: String, seeds: [UInt64], attacks: [String]) {
        self.campaign = campaign
        self.seeds = seeds
        self.attacks = attacks
        rows = []
        cells = [:]
    }

    public mutating func add(_ report: Report, off control: Control?) {
        let row = control?.rawValue ?? Ablation.nothingOff
        if !rows.contains(row) { rows.append(row) }
        for verdict in report.verdicts where attacks.contains(verdict.attack) {
            var cell = cells[row]?[verdict.attack] ?? Cell()
            cell.runs += 1
            if [.compromised, .frozen].contains(verdict.outcome) { cell.succeeded += 1 }
            if verdict.outcome == .unknown { cell.unknown += 1 }
            if let after = verdict.detectedAfterNanoseconds { cell.detectedAfterNanoseconds.append(after) }
            cells[row, default: [:]][verdict.attack] = cell
        }
    }

    /// Controls whose absence let an attack succeed that fails with all on.
    public func controlsThatMatter(for attack: String) -> [String] {
        guard (cells[Ablation.nothingOff]?[attack]?.successRatio ?? 0) == 0 else { return [] }
        return rows.filter { ($0 != Ablation.nothingOff) && (cells[$0]?[attack]?.successRatio ?? 0) > 0 }
    }

    /// Where what was measured is not what the catalogue expects of a single control.
    public var surprises: [String] {
        attacks.flatMap { attack -> [String] in
            guard let entry = AttackName(rawValue: attack)?.entry else { return [] }
            let expected = Set(entry.controls.map(\.rawValue)).intersection(rows)
            let measured = Set(controlsThatMatter(for: attack))
            return expected.subtracting(measured).sorted().map { "\(attack): expected to succeed without \($0), and did not" }
                + measured.subtracting(expected).sorted().map { "\(attack): succeeded without \($0), which was not expected" }
        }
    }
}

public import Wire

/// Which control stops which attack, as measured: a campaign run with each control off in turn, over several
/// seeds.
public struct Ablation: Sendable, Equatable, Codable {
    /// How often an attack reached its goal in one configuration.
    public struct Cell: Sendable, Equatable, Codable {
        public var runs = 0
        public var compromised = 0
        /// Runs that could not tell.
        public var unknown = 0

        /// 0…1 of the runs that could tell; nil if none could.
        public var successRatio: Double? {
            runs == unknown ? nil : Double(compromised) / Double(runs - unknown)
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
            cells[row, default: [:]][verdict.attack, default: Cell()].runs += 1
            if verdict.outcome == .compromised { cells[row]?[verdict.attack]?.compromised += 1 }
            if verdict.outcome == .unknown { cells[row]?[verdict.attack]?.unknown += 1 }
        }
    }

    /// Controls whose absence let an attack succeed that fails with all on.
    public func controlsThatMatter(for attack: String) -> [String] {
        guard (cells[Ablation.nothingOff]?[attack]?.successRatio ?? 0) == 0 else { return [] }
        return rows.filter { ($0 != Ablation.nothingOff) && (cells[$0]?[attack]?.successRatio ?? 0) > 0 }
    }

    private func word(_ cell: Cell?) -> String { cell?.successRatio.map { "\(Int(($0 * 100).rounded())) %" } ?? "?" }

    public var text: String {
        let first = (rows.map(\.count).max() ?? 0) + 2
        let widths = attacks.map { $0.count + 2 }
        var lines = ["\(campaign): share of runs in which the attack reached its goal, \(seeds.count) seeds"]
        lines.append("control off".padded(first) + zip(attacks, widths).map { $0.left($1) }.joined())
        for row in rows {
            lines.append(row.padded(first) + zip(attacks, widths).map { word(cells[row]?[$0]).left($1) }.joined())
        }
        lines.append("")
        for attack in attacks {
            let matter = controlsThatMatter(for: attack)
            lines.append(
                "\(attack): \(matter.isEmpty ? "no single control decides" : "succeeds without any one of " + matter.joined(separator: ", "))"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    public var csv: String {
        var lines = ["control_off,attack,runs,compromised,unknown"]
        for row in rows {
            for attack in attacks {
                let cell = cells[row]?[attack] ?? Cell()
                lines.append("\(row),\(attack),\(cell.runs),\(cell.compromised),\(cell.unknown)")
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }
}

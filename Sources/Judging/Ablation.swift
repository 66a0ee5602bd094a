public import Catalogue
import Planning
import Wire

/// Which control stops which attack, and which are noticed, as measured: a campaign run with each control off in
/// turn, or each pair of them, over several seeds.
public struct Ablation: Sendable, Equatable, Codable {
    /// How often an attack reached its goal in one configuration, and how often it was noticed.
    public struct Cell: Sendable, Equatable, Codable {
        public var runs = 0
        /// Compromised, frozen or degraded.
        public var succeeded = 0
        /// Runs that could not tell: nothing was tried, or nobody was there to try it on.
        public var unknown = 0
        /// How the runs ended, by the name of the outcome.
        public var outcomes: [String: Int] = [:]
        /// From the begin of the attack to the first alert, in the runs in which there was one.
        public var detectedAfterNanoseconds: [Int64] = []
        /// Layers that code of the attacker's has reached in one run or another.
        public var reached: [String] = []

        public init(runs: Int = 0, succeeded: Int = 0, unknown: Int = 0) {
            (self.runs, self.succeeded, self.unknown) = (runs, succeeded, unknown)
        }

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
    /// What the campaign itself has off, in every row.
    public var always: [String] = []
    /// Controls without any one of which the catalogue expects an attack to succeed.
    public var expected: [String: [String]] = [:]
    /// The threats of MITRE EMB3D that an attack acts out.
    public var threats: [String: [String]] = [:]
    /// Attacks in the order of the campaign.
    public var attacks: [String]
    /// What was off: nothing in the first row, then single controls, then pairs.
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

    public static func row(_ off: [Control]) -> String {
        off.isEmpty ? nothingOff : off.map(\.rawValue).joined(separator: Ablation.and)
    }
    static let and = " + "

    /// Nothing off, each control alone, and each pair of them if that is asked for.
    public static func configurations(_ controls: [Control], pairs: Bool) -> [[Control]] {
        let two = controls.indices.flatMap { first in controls[(first + 1)...].map { [controls[first], $0] } }
        return [[]] + controls.map { [$0] } + (pairs ? two : [])
    }

    public mutating func add(_ report: Report, off controls: [Control]) {
        let row = Ablation.row(controls)
        if !rows.contains(row) { rows.append(row) }
        for verdict in report.verdicts where attacks.contains(verdict.attack) {
            var cell = cells[row]?[verdict.attack] ?? Cell()
            cell.runs += 1
            cell.outcomes[verdict.outcome.rawValue, default: 0] += 1
            if verdict.outcome.isHarm { cell.succeeded += 1 }
            if !verdict.outcome.isKnown { cell.unknown += 1 }
            if let after = verdict.detectedAfterNanoseconds { cell.detectedAfterNanoseconds.append(after) }
            cell.reached += verdict.reached.filter { !cell.reached.contains($0) }
            cells[row, default: [:]][verdict.attack] = cell
        }
    }

    func succeeds(_ attack: String, _ row: String) -> Bool { (cells[row]?[attack]?.successRatio ?? 0) > 0 }

    /// Controls whose absence let an attack succeed that fails with all on, and pairs of which neither alone does.
    public func controlsThatMatter(for attack: String) -> [String] {
        guard !succeeds(attack, Ablation.nothingOff) else { return [] }
        let enough = rows.filter { $0 != Ablation.nothingOff && succeeds(attack, $0) }
        return enough.filter { row in
            let parts = row.split(separator: Ablation.and).map(String.init)
            return parts.count == 1 || !parts.contains { enough.contains($0) }
        }
    }
}

public import Catalogue
public import Planning
public import Wire

/// The same campaign once for each kind of device, side by side. Everything here follows from the plans and the journals.
public struct KindComparison: Sendable, Equatable, Codable {
    /// A run whose devices were all of one kind.
    public struct Run {
        public var kind: DeviceKind
        public var plan: Plan
        public var journal: ObservationLog
        public var report: Report
        /// Of the run.
        public var folder: String

        /// Of a plan whose devices are of one kind.
        public init(plan: Plan, journal: ObservationLog, report: Report, folder: String) {
            self.init(plan.devices.first?.kind ?? .mt3620, plan: plan, journal: journal, report: report, folder: folder)
        }

        public init(_ kind: DeviceKind, plan: Plan, journal: ObservationLog, report: Report, folder: String) {
            (self.kind, self.plan, self.journal, self.report, self.folder) = (kind, plan, journal, report, folder)
        }
    }

    /// What can be compared, by name.
    public static let kinds = DeviceKind.allCases.map(\.rawValue)

    /// On how many of its targets an attack got how far.
    public struct Reach: Sendable, Equatable, Codable {
        public var targets = 0
        /// Something was tried on them.
        public var tried = 0
        /// Somebody was there to stop it, and did or did not.
        public var reached = 0
        /// The attacker had what he came for, or a part of it.
        public var harmed = 0

        init(_ verdict: Verdict) {
            targets = verdict.targets.count
            tried = verdict.targets.count { $0.attempts > 0 || $0.outcome.isHarm }
            reached = verdict.targets.count { $0.outcome.isKnown }
            harmed = verdict.targets.count { $0.outcome.isHarm }
        }
    }

    /// What shows how the attack ended, on the first of the targets on which it ended worst.
    public struct Proof: Sendable, Equatable, Codable {
        public var target: String
        /// The defence's observation, or the proof of success; nil where nothing shows anything.
        public var witness: Verdict.Witness?
        public var reason: String
    }

    /// One attack on one kind of device.
    public struct Cell: Sendable, Equatable, Codable {
        public var kind: DeviceKind
        public var outcome: AttackOutcome
        public var reach: Reach
        /// From the begin of the step to the first alert that it caused; nil if nobody noticed.
        public var detectedAfterNanoseconds: Int64?
        public var detectedBy: DetectionRule?
        /// Nil if the step lasted as long as the run.
        public var recovery: Recovery?
        public var proof: Proof?
        /// Controls that stop this attack, by the catalogue, and that this kind is made without.
        public var madeWithout: [String]
    }

    /// One attack on all of them.
    public struct Row: Sendable, Equatable, Codable {
        public var step: String
        public var attack: String
        public var at: Instant
        /// Whether it ended otherwise on one kind than on another, as far as the runs can tell: that one of them could not is no difference.
        public var differs: Bool
        /// In the order of the kinds.
        public var cells: [Cell]

        /// Whether each run can tell how it ended.
        public var isKnown: Bool { cells.allSatisfy(\.outcome.isKnown) }
    }

    /// What a run took, and what became of it.
    public struct Cost: Sendable, Equatable, Codable {
        public var kind: DeviceKind
        public var devices: Int
        public var elapsedNanoseconds: Int64
        /// Of all devices together; nil if the run did not measure it.
        public var use: ResourceUse?
        public var expectations: Int
        public var held: Int
        public var isComplete: Bool
        public var folder: String
        /// SHA-256 of the journal.
        public var digest: String
    }

    public var campaign: String
    public var file: String
    public var seed: UInt64
    public var controlsOff: [String]
    public var kinds: [DeviceKind]
    /// In the order of the campaign.
    public var rows: [Row]
    /// In the order of the kinds.
    public var costs: [Cost]

    /// - Parameter runs: Of the same campaign and seed, in the order in which they are shown.
    public init(_ runs: [Run], catalogue: ActCatalogue) {
        let first = runs.first?.report
        (campaign, file, seed) = (first?.name ?? "", first?.file ?? "", first?.seed ?? 0)
        controlsOff = first?.controlsOff ?? []
        kinds = runs.map(\.kind)
        rows = (runs.first?.plan.steps ?? []).compactMap { step in
            let cells = runs.compactMap { KindComparison.cell($0, step.id, catalogue) }
            guard !cells.isEmpty else { return nil }
            return Row(
                step: step.id, attack: step.act.name, at: step.at, differs: Set(cells.map(\.outcome).filter(\.isKnown)).count > 1,
                cells: cells)
        }
        costs = runs.map { run in
            let report = run.report
            return Cost(
                kind: run.kind, devices: report.devices, elapsedNanoseconds: report.elapsedNanoseconds,
                use: report.metrics.use.map { $0.values.reduce(ResourceUse(), +) }, expectations: report.judgements.count,
                held: report.judgements.count { $0.result == .held }, isComplete: report.isComplete && report.metrics.processesLost == 0,
                folder: run.folder, digest: report.digest)
        }
    }

    private static func cell(_ run: Run, _ id: String, _ catalogue: ActCatalogue) -> Cell? {
        guard let verdict = run.report.verdicts.first(where: { $0.step == id }), let step = run.plan.steps.first(where: { $0.id == id })
        else { return nil }
        let stops = catalogue.attacks[verdict.attack]?.controls ?? []
        let worst = verdict.targets.first { $0.outcome == verdict.outcome }
        return Cell(
            kind: run.kind, outcome: verdict.outcome, reach: Reach(verdict), detectedAfterNanoseconds: verdict.detectedAfterNanoseconds,
            detectedBy: verdict.detectedBy, recovery: Recovery.measure(step, verdict, run.journal),
            proof: worst.map { Proof(target: $0.name, witness: $0.witness, reason: $0.reason) },
            madeWithout: stops.filter(run.kind.description.lacks.contains).map(\.rawValue))
    }

    /// Attacks that ended otherwise on one kind than on another.
    public var differences: [Row] { rows.filter(\.differs) }

    /// Whether each run can tell how each attack ended.
    public var isCertain: Bool {
        rows.allSatisfy { $0.cells.count == kinds.count && $0.isKnown } && costs.allSatisfy(\.isComplete)
    }
}

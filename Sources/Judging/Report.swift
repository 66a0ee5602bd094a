public import Catalogue
public import Planning
public import Wire

/// What a run came to. Everything here follows from the plan and the journal.
public struct Report: Sendable, Equatable, Codable {
    public var name: String
    public var file: String
    public var seed: UInt64
    public var clock: ClockKind
    public var devices: Int
    public var elapsedNanoseconds: Int64
    public var isComplete: Bool
    public var controlsOff: [String]
    public var judgements: [Judgement]
    public var verdicts: [Verdict]
    public var faults: [String]
    public var metrics: Metrics
    public var releases: [ReleaseMetrics]
    public var bricked: [String]
    /// Devices that their operator has locked out when the run ends; nil for none.
    public var lockedOut: [LockedOut]?
    /// Which devices have followed when an operator replaced what they trust.
    public var rotations: [RotationCourse]?
    /// What ran out of the service's own.
    public var lapses: [Lapse]?
    /// Who is there when the run ends; nil in results of earlier versions.
    public var fleetEnd: FleetEnd?
    public var detection: Detection
    /// SHA-256 of the journal.
    public var digest: String

    public struct LockedOut: Sendable, Equatable, Codable {
        public var device: String
        public var since: Instant
    }

    public init(plan: Plan, journal: ObservationLog, digest: String, catalogue: ActCatalogue) {
        // Only the fleet's own doings: what an attacker's nodes try is told by the verdicts.
        let fleet = Set(plan.devices.map { $0.name } + plan.serviceNodes + ["network"])
        let inventory = InventoryHistory(plan, journal)
        let metrics = Metrics(journal.lazy.filter { fleet.contains($0.node) }, without: inventory.isKeptOut)
        let truth = GroundTruth(plan, journal, catalogue.faults)
        let detection = Detection(plan, truth)
        let verdicts = Verdict.judge(plan, truth, detection, catalogue)
        let releases = ReleaseMetrics.measure(plan, journal, inventory)
        let end = journal.last?.at ?? .start
        name = plan.name
        file = plan.file
        seed = plan.seed
        clock = plan.clock
        devices = plan.devices.count
        elapsedNanoseconds = end.nanoseconds
        isComplete = end >= plan.stop
        controlsOff = plan.controlsOff.map(\.rawValue)
        judgements = Judgement.judge(
            Evidence(
                plan: plan, journal: journal, verdicts: verdicts, metrics: metrics, releases: releases, detection: detection,
                inventory: inventory))
        let kept = inventory.lockedOut.map { LockedOut(device: $0.device, since: $0.since) }
        lockedOut = kept.isEmpty ? nil : kept
        rotations = RotationCourse.measure(plan, journal)
        lapses = Lapse.measure(plan, journal)
        let bricked = ReleaseMetrics.bricked(plan, journal)
        fleetEnd = FleetEnd(
            plan, truth, bricked: bricked, lockedOut: kept.map(\.device),
            rollout: releases.first { $0.step == plan.handOver?.id }?.rolloutWords ?? "")
        self.verdicts = verdicts
        self.releases = releases
        self.detection = detection
        self.bricked = bricked
        faults = FaultLines(plan, journal).lines
        self.metrics = metrics
        self.digest = digest
    }

    /// 0 all expectations held · 1 some did not · 2 could not tell (DESIGN §10).
    public var exitCode: Int32 {
        if judgements.contains(where: { $0.result == .broken }) { return 1 }
        let isUncertain = !isComplete || metrics.processesLost > 0 || judgements.contains { $0.result == .unknown }
        return isUncertain ? 2 : 0
    }

    /// The share of the attacks that were tried which the service noticed, 0…1; nil if none was.
    public var recall: Double? {
        let tried = verdicts.filter(\.wasTried)
        return tried.isEmpty ? nil : Double(tried.count { $0.alerts > 0 }) / Double(tried.count)
    }
}

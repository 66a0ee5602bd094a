public import Coordinator
import Injector
public import Judging
public import Planning
public import ReportFormats
public import RunFiles

/// A run that is over, and what it came to.
public struct RunOutcome {
    public var report: Report
    public var provenance: Provenance?
    public var folder: RunFolder
    /// From the beginning of its preparation to its reports.
    public var wallSeconds: Double
    /// Without preparing and launching: what the clock itself took.
    public var runSeconds: Double
}

extension RunSession.Record {
    /// Judges what was recorded, and writes all reports into the run's folder.
    public func conclude() throws -> RunOutcome {
        let source = ReportSource(
            plan: plan, report: Report(plan: plan, journal: journal, digest: digest, catalogue: Injector.catalogue), journal: journal,
            catalogue: Injector.catalogue, planDigest: folder.planDigest)
        for format in ReportFormats.all {
            guard let name = format.fileName else { continue }
            try RunFolder.write(Array(try format.write(source).utf8), "\(folder.path)/\(name)")
        }
        return RunOutcome(
            report: source.report, provenance: plan.provenance, folder: folder,
            wallSeconds: Double((ContinuousClock.now - begun) / .nanoseconds(1)) / 1e9, runSeconds: runSeconds)
    }
}

extension RunFolder {
    /// The plan of a run, each step of which can be done here.
    public func readKnownPlan() throws -> Plan {
        let plan = try readPlan()
        if let unknown = plan.unknownAct(in: Injector.catalogue) { throw FileRefused(description: "\(planPath): \(unknown)") }
        return plan
    }

    /// Judges a run again from its plan and journal.
    public func judge() throws -> ReportSource {
        let plan = try readKnownPlan()
        let (journal, digest) = try JournalFile.read(journalPath)
        return ReportSource(
            plan: plan, report: Report(plan: plan, journal: journal, digest: digest, catalogue: Injector.catalogue), journal: journal,
            catalogue: Injector.catalogue, planDigest: planDigest)
    }
}

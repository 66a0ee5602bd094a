public import Coordinator
import Injector
public import Judging
public import Planning
import ReportFormats
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

extension RunOutcome {
    /// Runs a plan, judges it, and writes all reports.
    /// - Parameters:
    ///   - base: Folder for run folders.
    ///   - whenInterruptible: Is given what ends the run early; what has happened by then is judged.
    public static func of(
        _ plan: Plan, base: String, watcher: any RunWatcher, whenInterruptible: (@escaping @Sendable () -> Void) -> Void
    ) async throws -> RunOutcome {
        let session = try RunSession(plan, base: base, watcher: watcher)
        whenInterruptible { session.interrupt() }
        return try await session.run().conclude()
    }

    public var digest: String { report.digest }
    public var exitCode: Int32 { report.exitCode }
    public var journalPath: String { folder.journalPath }
    public var path: String { folder.path }

    /// As `metrics.json` has it.
    public var json: String {
        MetricsFile(report: report, provenance: provenance, planDigest: folder.planDigest).json
    }

    /// The report, and how to come back to it.
    public func text(of plan: Plan) -> String {
        let speed = Double(report.elapsedNanoseconds) / 1e9 / max(0.001, runSeconds)
        var lines = ["Took    \((wallSeconds * 10).rounded() / 10) s; \(Int(speed)) virtual seconds per second"]
        lines.append("Report  \(folder.path)/report.html and report.txt")
        if exitCode != 0 { lines.append("Again   orrery run \(plan.file) --seed \(plan.seed)") }
        return report.text + lines.map { $0 + "\n" }.joined()
    }

    /// What has become of a device, from the run's journal.
    public func standing(of device: String, in plan: Plan) throws -> DeviceStanding {
        DeviceStanding(of: device, journal: try JournalFile.read(folder.journalPath).journal, names: plan.names)
    }
}

import Coordinator
import Injector
import Judging
public import Planning
public import ReportFormats
import RunFiles

/// A run that was done some time ago, as its folder has it.
public struct PastRun {
    private let folder: RunFolder
    public let plan: Plan

    /// - Throws: `FileRefused` for a plan with a step that cannot be done here, or of another form.
    public init(_ path: String) throws {
        folder = RunFolder(existing: path)
        plan = try folder.readPlan()
        if let unknown = plan.unknownAct(in: Injector.catalogue) { throw FileRefused(description: "\(folder.planPath): \(unknown)") }
    }

    public var journalPath: String { folder.journalPath }

    /// Judges it again from its plan and journal.
    public func judge() throws -> ReportSource {
        let (journal, digest) = try JournalFile.read(folder.journalPath)
        return ReportSource(
            plan: plan, report: Report(plan: plan, journal: journal, digest: digest, catalogue: Injector.catalogue), journal: journal,
            catalogue: Injector.catalogue, planDigest: folder.planDigest)
    }

    /// Judges it again, writes that in a format, and says what in its folder is not as the run wrote it.
    public func write(_ format: any ReportFormat.Type) throws -> (text: String, notes: [String]) {
        let source = try judge()
        var notes: [String] = []
        if let then = try? folder.readReport().digest, then != source.report.digest {
            notes.append("\(folder.journalPath) is not as its run wrote it: its digest was \(then)")
        }
        if folder.hasOtherPlan { notes.append("\(folder.planPath) is not as its run wrote it") }
        return (try format.write(source), notes)
    }

    /// What the run's journal was hashed to.
    /// - Returns: Nil if the run was not reproducible by nature.
    public func reproducibleDigest() throws -> String? {
        let before = try folder.readReport()
        let written = try JournalFile.read(folder.journalPath).digest
        guard written == before.digest else {
            throw FileRefused(
                description: "\(folder.journalPath) is not as its run wrote it: its digest was \(before.digest), and is \(written)")
        }
        return plan.isReproducible && before.isComplete ? before.digest : nil
    }

    /// What has changed since, a line for each thing. What would be run again is the plan in the folder: a topology file that has
    /// changed is told, not read.
    public var changes: String {
        guard let then = plan.provenance else { return "the plan does not say what its run was made of\n" }
        let now = RunSession.provenance(of: plan)
        let changes = (folder.hasOtherPlan ? ["\(folder.planPath): not as its run wrote it"] : []) + then.changes(until: now)
        return changes.isEmpty ? "nothing has changed since\n" : "changed since:\n\(changes.map { "  \($0)\n" }.joined())"
    }
}

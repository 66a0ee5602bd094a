import ArgumentParser
import Coordinator
import Judging
import Planning
import Provisioning
import RunFiles
import RunResults
import Runtime
import Version
import Wire

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a run's plan again and compare the digests.",
        discussion: """
            Says first what has changed since: orrery itself, the files that the run was made of. Ends with 0 if the digests are the \
            same, 1 if they differ, 2 if the run was not reproducible by nature.
            """)

    @Argument(help: "The folder of a run.") var folder: String
    @Option(help: "Folder for run folders.") var out = "runs"

    func run() async throws {
        let old = RunFolder(existing: folder)
        let plan = try old.readKnownPlan()
        let before = try old.readReport()
        let written = try JournalFile.read(old.journalPath).digest
        guard written == before.digest else {
            throw FileRefused(
                description: "\(old.journalPath) is not as its run wrote it: its digest was \(before.digest), and is \(written)")
        }
        guard plan.clock == .virtual, before.isComplete else {
            print("\(folder) ran on the wall clock or ended early: it cannot be replayed")
            throw ExitCode(2)
        }
        print(since(plan, old), terminator: "")
        let watcher = TerminalWatcher(isQuiet: false)
        let after = try await Orrery.perform(plan, base: out, watcher: watcher)
        watcher.done()
        let isSame = before.digest == after.report.digest
        print(
            "before  \(before.digest)\nafter   \(after.report.digest)\n\(isSame ? "the same" : "DIFFERENT: compare \(old.journalPath) with \(after.folder.journalPath)")"
        )
        if !isSame { throw ExitCode(1) }
    }

    /// What is run again is the plan in the folder: a topology file that has changed is told, not read.
    private func since(_ plan: Plan, _ old: RunFolder) -> String {
        guard let then = plan.provenance else { return "the plan does not say what its run was made of\n" }
        let now = Provenance.gather(
            plan, version: Version.described, guestFolder: Preflight(binFolder: Machine.executableFolder).guestFolder)
        let changes = (old.hasOtherPlan ? ["\(old.planPath): not as its run wrote it"] : []) + then.changes(until: now)
        return changes.isEmpty ? "nothing has changed since\n" : "changed since:\n\(changes.map { "  \($0)\n" }.joined())"
    }
}

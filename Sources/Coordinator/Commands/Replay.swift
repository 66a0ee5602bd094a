import ArgumentParser
import Campaign
import Wire

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a run's plan again and compare the digests.",
        discussion: "Ends with 0 if they are the same, 1 if they differ, 2 if the run was not reproducible by nature.")

    @Argument(help: "The folder of a run.") var folder: String
    @Option(help: "Folder for run folders.") var out = "runs"

    func run() async throws {
        let old = RunFolder(existing: folder)
        let plan = try old.readPlan()
        let before = try old.readReport()
        guard plan.clock == .virtual, before.isComplete else {
            print("\(folder) ran on the wall clock or ended early: it cannot be replayed")
            throw ExitCode(2)
        }
        let watcher = TerminalWatcher(isQuiet: false)
        let after = try await Orrery.perform(plan, base: out, watcher: watcher)
        watcher.done()
        let isSame = before.digest == after.report.digest
        print(
            "before  \(before.digest)\nafter   \(after.report.digest)\n\(isSame ? "the same" : "DIFFERENT: compare \(old.journalPath) with \(after.folder.journalPath)")"
        )
        if !isSame { throw ExitCode(1) }
    }
}

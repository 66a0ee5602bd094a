import ArgumentParser
import CommandSupport
import RunResults

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
        let old = try PastRun(folder)
        guard let before = try old.reproducibleDigest() else {
            print("\(folder) ran on the wall clock or ended early: it cannot be replayed")
            throw ExitCode(2)
        }
        print(old.changes, terminator: "")
        let watcher = TerminalWatcher(isQuiet: false)
        let after = try await old.plan.perform(base: out, watcher: watcher)
        watcher.done()
        let isSame = before == after.digest
        print(
            "before  \(before)\nafter   \(after.digest)\n\(isSame ? "the same" : "DIFFERENT: compare \(old.journalPath) with \(after.journalPath)")"
        )
        if !isSame { throw ExitCode(1) }
    }
}

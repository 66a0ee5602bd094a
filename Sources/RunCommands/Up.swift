import ArgumentParser
import CommandSupport
import Planning
import RunResults
import Wire

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring a topology up in real time and keep it up, with a live table, until Ctrl-C.")

    @Argument(help: "The file.") var file: String
    @Option(help: "Folder for run folders.") var out = "runs"

    func run() async throws {
        var plan = try Plan.load(file)
        plan.clock = .wall
        plan.beginNow()
        plan.stop = .never
        let outcome = try await plan.perform(base: out, watcher: LiveTable())
        print(outcome.text(of: plan), terminator: "")
    }
}

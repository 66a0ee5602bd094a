import ArgumentParser
import CommandSupport
import Planning
import RunResults
import Wire

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run a topology or campaign and judge it.")

    enum Clock: String, ExpressibleByArgument, CaseIterable { case virtual, wall }

    @Argument(help: "The file.") var file: String
    @Option(help: "Seed of all random draws, in place of the file's.") var seed: UInt64?
    @Option(help: "virtual: as fast as it goes, reproducible. wall: real time.") var clock: Clock = .virtual
    @Option(help: "Folder for run folders.") var out = "runs"
    @Option(name: .customLong("repeat"), help: "How many times; the seed grows by one each time.") var times = 1
    @Option(help: "Stop after this time, such as 10m, in place of the file's.") var stopAfter: String?
    @Flag(help: "Print the report as JSON.") var json = false
    @Flag(help: "Print what would be done when, and do nothing.") var dryRun = false
    @Flag(help: "With --repeat: stop after the first run in which something did not hold.") var failFast = false
    @Flag(help: "Write TLS secrets to keys.log, so that Wireshark can decrypt.") var keylog = false
    @Flag(help: "Record all streams to capture.pcapng.") var capture = false

    func validate() throws {
        if times < 1 { throw ValidationError("--repeat \(times): at least 1") }
    }

    func run() async throws {
        var plan = try Plan.load(file)
        plan.warn()
        plan.clock = clock == .virtual ? .virtual : .wall
        if plan.clock == .wall { plan.beginNow() }
        plan.keepsKeyLog = keylog
        plan.capture = capture
        if let seed { plan.draw(seed: seed) }
        if let stopAfter { plan.stop = .start + (try duration(stopAfter)) }
        if dryRun {
            print(plan.schedule, terminator: "")
            return
        }
        var worst: Int32 = 0
        for index in 0..<times {
            var one = plan
            one.draw(seed: plan.seed &+ UInt64(index))
            let watcher = TerminalWatcher(isQuiet: json)
            let outcome = try await one.perform(base: out, watcher: watcher)
            watcher.done()
            print(json ? outcome.json : outcome.text(of: one), terminator: "")
            // What is broken outweighs what could not be told.
            let code = outcome.exitCode
            if worst == 0 || code == 1 { worst = code }
            if failFast && worst != 0 { break }
        }
        if worst != 0 { throw ExitCode(worst) }
    }

    private func duration(_ text: String) throws -> Duration {
        guard let value = Plan.duration(text) else { throw ValidationError("'\(text)' is not a time such as 10m") }
        return value
    }
}

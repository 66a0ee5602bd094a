import ArgumentParser
import Coordinator
import Foundation
import Judging
import Planning
import ReportFormats
import RunFiles
import RunResults
import Runtime
import Synchronization
import Version
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
        Orrery.warn(plan)
        plan.clock = clock == .virtual ? .virtual : .wall
        if plan.clock == .wall { plan.beginNow() }
        plan.keepsKeyLog = keylog
        plan.capture = capture
        if let seed { plan.seed = seed }
        if let stopAfter { plan.stop = .start + (try duration(stopAfter)) }
        if dryRun {
            print(plan.schedule, terminator: "")
            return
        }
        var worst: Int32 = 0
        for index in 0..<times {
            var one = plan
            one.seed = plan.seed &+ UInt64(index)
            let watcher = TerminalWatcher(isQuiet: json)
            let outcome = try await Orrery.perform(one, base: out, watcher: watcher)
            watcher.done()
            Orrery.show(outcome, one, asJSON: json)
            // What is broken outweighs what could not be told.
            let code = outcome.report.exitCode
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

extension Plan {
    /// On the wall clock it is what time it is, unless the file says otherwise: real programs look at their own clocks.
    mutating func beginNow() {
        if epochSeconds == Plan.defaultEpochSeconds { epochSeconds = Int64(Date().timeIntervalSince1970) }
    }
}

extension Orrery {
    /// Runs a plan; Ctrl-C ends it early and still gives its report, a second one ends at once.
    static func perform(_ plan: Plan, base: String, watcher: any RunWatcher) async throws -> RunOutcome {
        let session = try RunSession(plan, version: Version.described, base: base, watcher: watcher)
        InterruptTarget.shared.withLock { $0 = { session.interrupt() } }
        return try await session.run().conclude()
    }

    static func show(_ outcome: RunOutcome, _ plan: Plan, asJSON: Bool) {
        if asJSON {
            let metrics = MetricsFile(
                report: outcome.report, provenance: outcome.provenance, planDigest: outcome.folder.planDigest)
            print((try? JSON.pretty(metrics)) ?? "", terminator: "")
            return
        }
        print(outcome.report.text, terminator: "")
        let speed = Double(outcome.report.elapsedNanoseconds) / 1e9 / max(0.001, outcome.runSeconds)
        print("Took    \((outcome.wallSeconds * 10).rounded() / 10) s; \(Int(speed)) virtual seconds per second")
        print("Report  \(outcome.folder.path)/report.html and report.txt")
        if outcome.report.exitCode != 0 { print("Again   orrery run \(plan.file) --seed \(plan.seed)") }
    }
}

/// What Ctrl-C does just now.
enum InterruptTarget {
    static let shared = Mutex<@Sendable () -> Void>({ Foundation.exit(130) })
    private static let count = Atomic<Int>(0)

    static func fire() {
        if count.add(1, ordering: .relaxed).newValue > 1 { Foundation.exit(130) }
        shared.withLock { $0 }()
    }
}

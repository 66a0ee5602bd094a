import ArgumentParser
import CommandSupport
import Injector
import Judging
import Planning
import ReportFormats
import RunResults

struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What each kind of device makes of the same attacks: run a campaign once for each kind, side by side.",
        discussion: """
            In each run all devices are of one kind, whatever the file says. For each attack: the verdict, how many targets it reached, when \
            it was noticed, when the targets were in order again, and what shows it; for each kind what it cost. A kind that lacks what the \
            campaign asks for is refused before anything runs. Ends with 2 if a run could not tell how an attack ended, else with 0.
            """)

    @Argument(help: "A campaign.") var file: String
    @Option(help: "Kinds of device, separated by commas; all without it. See `orrery kinds`.") var kinds: String?
    @Option(help: "Seed of all random draws, in place of the file's.") var seed: UInt64?
    @Option(help: "\(ComparisonFormats.all.map { "\($0.name): \($0.summary)" }.joined(separator: "; ")).") var format = "text"
    @Option(help: "Folder for run folders.") var out = "runs"

    func validate() throws {
        guard ComparisonFormats.named(format) == nil else { return }
        throw ValidationError("unknown format '\(format)'; there are \(ComparisonFormats.all.map { $0.name }.joined(separator: ", "))")
    }

    func run() async throws {
        let kinds = try chosen()
        let plans = try Plan.load(file, kinds: kinds)
        plans.first?.warn()
        var runs: [KindComparison.Run] = []
        for (kind, plan) in zip(kinds, plans) {
            var one = plan
            one.measuresUse = true
            if let seed { one.draw(seed: seed) }
            Console.progress("\(kind) (\(runs.count + 1) of \(plans.count))")
            let watcher = TerminalWatcher(isQuiet: false)
            let outcome = try await one.perform(base: out, watcher: watcher)
            watcher.done()
            // Cut short, it stands beside no whole one.
            if !outcome.report.isComplete { throw ExitCode(2) }
            let source = try PastRun(outcome.path).judge()
            runs.append(.init(plan: source.plan, journal: source.journal, report: source.report, folder: outcome.path))
        }
        let comparison = KindComparison(runs, catalogue: Injector.catalogue)
        print(try ComparisonFormats.named(format)?.write(comparison) ?? "", terminator: "")
        if !comparison.isCertain { throw ExitCode(2) }
    }

    /// The kinds that are asked for, each of them known, and once.
    private func chosen() throws -> [String] {
        let known = KindComparison.kinds
        guard let kinds else { return known }
        let words = kinds.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if let unknown = words.first(where: { !known.contains($0) }) {
            throw ValidationError("unknown kind '\(unknown)'; there are \(known.joined(separator: ", "))")
        }
        guard Set(words).count == words.count else { throw ValidationError("--kinds \(kinds): each kind once") }
        return words
    }
}

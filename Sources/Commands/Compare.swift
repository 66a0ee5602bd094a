import ArgumentParser
import Catalogue
import Foundation
import Injector
import Judging
import Planning
import ReportFormats
import RunFiles
import RunResults
import Runtime

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
        let plans = try Plan.load(file, kinds: try chosen())
        if let first = plans.first { Orrery.warn(first.plan) }
        var runs: [KindComparison.Run] = []
        for (kind, plan) in plans {
            var one = plan
            one.measuresUse = true
            if let seed { one.seed = seed }
            if Machine.hasTerminal { Terminal.note("\(kind.rawValue) (\(runs.count + 1) of \(plans.count))") }
            let watcher = TerminalWatcher(isQuiet: false)
            let folder = try await Orrery.perform(one, base: out, watcher: watcher).folder
            watcher.done()
            let source = try folder.judge()
            runs.append(.init(kind, plan: source.plan, journal: source.journal, report: source.report, folder: folder.path))
        }
        let comparison = KindComparison(runs, catalogue: Injector.catalogue)
        print(try ComparisonFormats.named(format)?.write(comparison) ?? "", terminator: "")
        if !comparison.isCertain { throw ExitCode(2) }
    }

    /// The kinds that are asked for, each of them known, and once.
    private func chosen() throws -> [DeviceKind] {
        guard let kinds else { return DeviceKind.allCases }
        let known = DeviceKind.allCases.map(\.rawValue).joined(separator: ", ")
        let words = kinds.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let chosen = try words.map { word in
            guard let kind = DeviceKind(rawValue: word) else { throw ValidationError("unknown kind '\(word)'; there are \(known)") }
            return kind
        }
        guard Set(chosen).count == chosen.count else { throw ValidationError("--kinds \(kinds): each kind once") }
        return chosen
    }
}

extension Plan {
    /// The same file once for each kind of device. What is refused is refused for all of them at once, before anything runs.
    static func load(_ file: String, kinds: [DeviceKind]) throws(PlanProblems) -> [(kind: DeviceKind, plan: Plan)] {
        var plans: [(kind: DeviceKind, plan: Plan)] = []
        var problems: [Problem] = []
        for kind in kinds {
            do throws(PlanProblems) {
                plans.append((kind, try load(file, kind: kind)))
            } catch {
                problems += error.problems.filter { !problems.contains($0) }
            }
        }
        guard problems.isEmpty else { throw PlanProblems(problems: problems) }
        return plans
    }
}

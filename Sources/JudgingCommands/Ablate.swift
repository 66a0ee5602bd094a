import ArgumentParser
import CommandSupport
import Injector
import Judging
import Planning
import ReportFormats
import RunResults

struct Ablate: AsyncParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, csv, html }

    static let configuration = CommandConfiguration(
        abstract: "Measure which control stops which attack: run a campaign with each control, or pair, off in turn.",
        discussion: """
            Prints the share of runs in which each attack reached its goal, beside what MITRE EMB3D predicts. Ends with 1 if what was \
            measured is not what the catalogue of attacks expects, with 2 if a run could not tell.
            """)

    @Argument(help: "A campaign with attacks.") var file: String
    @Option(help: "Controls to switch off, separated by commas; all without it.") var controls: String?
    @Flag(help: "Each pair of these controls too: what two of them stop only together.") var pairs = false
    @Option(help: "Attacks to judge, separated by commas; all of the campaign without it.") var attacks: String?
    @Option(help: "Seeds, such as 7 or 1..3.") var seeds = "1..3"
    @Option(help: "text, json, csv or html (a heat map).") var format: Format = .text
    @Option(help: "Folder for run folders.") var out = "runs"

    func run() async throws {
        let study: AblationStudy?
        do {
            study = try AblationStudy(
                try Plan.load(file), attacks: words(attacks), controls: words(controls), pairs: pairs, seeds: try seedList(),
                catalogue: Injector.catalogue)
        } catch let error as AblationStudy.UnknownWord {
            throw ValidationError(error.words)
        }
        guard let study else { throw ValidationError("\(file) has no attack") }
        var ablation = study.ablation
        for one in study.runs {
            let watcher = TerminalWatcher(isQuiet: false)
            ablation.add(try await one.plan.perform(base: out, watcher: watcher).report, off: one.off)
            watcher.done()
        }
        switch format {
        case .text: print(ablation.text, terminator: "")
        case .json: try Console.printJSON(Ablation.Document(ablation))
        case .csv: print(ablation.csv, terminator: "")
        case .html: print(ablation.html, terminator: "")
        }
        for surprise in ablation.surprises { Console.note("\(surprise)") }
        if !ablation.surprises.isEmpty { throw ExitCode(1) }
        if ablation.cells.values.contains(where: { $0.values.contains { $0.unknown > 0 } }) { throw ExitCode(2) }
    }

    private func words(_ option: String?) -> [String]? { option?.split(separator: ",").map(String.init) }

    private func seedList() throws -> [UInt64] {
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        switch (ends.count, seeds.contains("..")) {
        case (1, false): return ends
        case (2, true) where ends[0] <= ends[1] && ends[1] - ends[0] < 1000: return Array(ends[0]...ends[1])
        default: throw ValidationError("'\(seeds)' is no seed or range of seeds such as 1..3")
        }
    }
}

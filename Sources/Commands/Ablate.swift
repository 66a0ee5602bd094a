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
import Wire

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
        var plan = try Plan.load(file)
        let present = plan.steps.compactMap { step in if case .attack(let attack) = step.act { attack } else { nil } }
        guard !present.isEmpty else { throw ValidationError("\(file) has no attack") }
        let judged = try pick(attacks, among: Array(Set(present)).map(\.rawValue), "attack")
        plan.steps.removeAll { step in if case .attack(let attack) = step.act { !judged.contains(attack.rawValue) } else { false } }
        plan.expectations = []
        let off = try pick(controls, among: Control.allCases.map(\.rawValue), "control").compactMap { Control(rawValue: $0) }
            .filter { !plan.controlsOff.contains($0) }
        let order = present.map(\.rawValue).filter(judged.contains)
        let unique = order.enumerated().filter { order.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        var ablation = Ablation(campaign: plan.name, seeds: try seedList(), attacks: unique)
        for attack in unique {
            guard let description = Injector.catalogue.attacks[attack] else { continue }
            ablation.expected[attack] = description.controls.map(\.rawValue)
            ablation.threats[attack] = description.threats
        }
        ablation.always = plan.controlsOff.map(\.rawValue)
        for controls in Ablation.configurations(off, pairs: pairs) {
            for seed in ablation.seeds {
                var one = plan
                one.seed = seed
                one.controlsOff = plan.controlsOff + controls
                let watcher = TerminalWatcher(isQuiet: false)
                ablation.add(try await Orrery.perform(one, base: out, watcher: watcher).report, off: controls)
                watcher.done()
            }
        }
        switch format {
        case .text: print(ablation.text, terminator: "")
        case .json: print(try JSON.pretty(Ablation.Document(ablation)), terminator: "")
        case .csv: print(ablation.csv, terminator: "")
        case .html: print(ablation.html, terminator: "")
        }
        for surprise in ablation.surprises { Terminal.note("\(surprise)") }
        if !ablation.surprises.isEmpty { throw ExitCode(1) }
        if ablation.cells.values.contains(where: { $0.values.contains { $0.unknown > 0 } }) { throw ExitCode(2) }
    }

    /// The words of an option, each of them known; all known ones without the option.
    private func pick(_ option: String?, among known: [String], _ what: String) throws -> [String] {
        guard let option else { return known }
        return try option.split(separator: ",").map(String.init).map { word in
            guard known.contains(word) else {
                throw ValidationError("unknown \(what) '\(word)'; there are \(known.sorted().joined(separator: ", "))")
            }
            return word
        }
    }

    private func seedList() throws -> [UInt64] {
        let ends = seeds.split(separator: ".", omittingEmptySubsequences: true).compactMap { UInt64($0) }
        switch (ends.count, seeds.contains("..")) {
        case (1, false): return ends
        case (2, true) where ends[0] <= ends[1] && ends[1] - ends[0] < 1000: return Array(ends[0]...ends[1])
        default: throw ValidationError("'\(seeds)' is no seed or range of seeds such as 1..3")
        }
    }
}

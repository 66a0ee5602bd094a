import ArgumentParser
import CommandSupport
import Emulator
import Foundation
import GlitchBench
import GlitchStudies
import Planning
import RunResults

/// Faults in a device's boot code, one at a time, followed to the fleet.
struct GlitchCommand: AsyncParsableCommand {
    enum FaultModel: String, ExpressibleByArgument, CaseIterable { case skip, flip, register, bus }
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, csv, json, html }

    static let configuration = CommandConfiguration(
        commandName: "glitch",
        abstract: "Try a fault at every instruction of a device's boot, and see whether the fleet notices.",
        discussion: """
            Somebody has put an implant in place of the first boot loader in the device's flash; unharmed boot code refuses it and \
            starts the backup copy. Each trial boots once with one fault. What runs unsigned code is put back into the fleet: is it \
            attested, and do peers trust it? Ends with 1 if unsigned code ran and nobody noticed.
            """)

    @Argument(help: "A topology or campaign file; of a campaign only the fleet counts.") var file: String
    @Option(help: "The device on the bench; the first one without it.") var device: String?
    @Option(
        help: "skip: an instruction is not executed; flip: a bit of its opcode; register: a bit of a register; bus: a bit of what it reads."
    )
    var model: FaultModel = .skip
    @Option(help: "Instructions to try, counted from reset, such as 800..1200; all without it.") var window: String?
    @Option(help: "plain, hardened or both.") var bootCode = "both"
    @Flag(help: "The map only: no fleet.") var mapOnly = false
    @Option(help: "text, csv (a row for each trial), json or html (a map of the code).") var format: Format = .text
    @Option(help: "Folder for run folders.") var out = "runs"

    func run() async throws {
        let plan = try Plan.load(file)
        let name = device ?? plan.devices.first?.name ?? ""
        guard plan.devices.contains(where: { $0.name == name }) else { throw ValidationError("no device '\(name)' in \(file)") }
        let builds = Plan.BootCode.allCases.filter { bootCode == "both" || bootCode == $0.rawValue }
        guard !builds.isEmpty else { throw ValidationError("--boot-code: expected plain, hardened or both") }
        let bench = GlitchBench(plan: plan, device: name, base: out, guestFolder: Installation.guestFolder)
        guard let faults = GlitchSearch.Model(rawValue: model.rawValue) else { return }
        var study = GlitchStudy(topology: plan.name, device: name, model: model.rawValue)
        for build in builds {
            let meter = TerminalMeter("\(build.rawValue) boot code")
            let map = try bench.search(build).run(faults, window: try range(), progress: { meter.show($0, of: $1) })
            var consequences: [GlitchStudy.Consequence] = []
            let classes = Dictionary(grouping: map.compromised, by: \.evidence).sorted { $0.key < $1.key }
            for (_, trials) in classes where !mapOnly {
                if let one = try await follow(trials, plan, name, build) { consequences.append(one) }
            }
            study.builds.append(GlitchStudy.Build(map: map, consequences: consequences))
            meter.done()
        }
        switch format {
        case .text: print(study.text, terminator: "")
        case .csv: print(study.csv, terminator: "")
        case .json: try Console.printJSON(study)
        case .html: print(study.html, terminator: "")
        }
        if study.builds.contains(where: { $0.consequences.contains { $0.attested } }) { throw ExitCode(1) }
    }

    /// One hour of the whole fleet with this device in it, and the first of the faults in its boot.
    private func follow(
        _ trials: [GlitchMap.Trial], _ plan: Plan, _ device: String, _ build: Plan.BootCode
    ) async throws -> GlitchStudy.Consequence? {
        guard let first = trials.first else { return nil }
        let one = plan.withFault(first.glitchText, in: device, build)
        let outcome = try await one.perform(base: out, watcher: TerminalWatcher(isQuiet: true))
        return GlitchStudy.Consequence(trials, try outcome.standing(of: device, in: one))
    }

    private func range() throws -> Range<Int>? {
        guard let window else { return nil }
        let ends = window.components(separatedBy: "..").compactMap { Int($0) }
        guard ends.count == 2, ends[0] >= 0, ends[0] < ends[1] else {
            throw ValidationError("--window: '\(window)' is no range such as 800..1200")
        }
        return ends[0]..<ends[1]
    }
}

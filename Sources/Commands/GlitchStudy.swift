import Catalogue
import Configuration
import Emulator
import Factory
import Formats
import Foundation
import Lab
import Planning
import Provisioning
import RunFiles
import RunResults
import SecureChannel
import Silicon
import Wire

/// What one fault in a device's boot leads to, followed from the instruction that it hits to the fleet.
struct GlitchStudy: Codable {
    /// Faults after which unsigned code ran and the same could be seen of it, and what the fleet made of one of them.
    struct Consequence: Codable {
        var evidence: String
        /// The one that was followed.
        var example: Glitch
        var positions: Int
        var places: [String]
        /// The device came up.
        var started: Bool
        /// The service has taken its evidence.
        var attested: Bool
        /// Why not, in the service's words.
        var reason: String
        /// Peers that have authenticated with it.
        var peers: Int

        var verdict: String {
            if !started { return "does not come up" }
            if attested { return peers > 0 ? "NOBODY NOTICED: attested, and \(peers) peers trust it" : "NOBODY NOTICED: attested" }
            return "refused by attestation (\(reason))" + (peers > 0 ? ", but \(peers) peers trust it" : "; no peer trusts it")
        }
    }

    struct Build: Codable {
        var map: GlitchMap
        var consequences: [Consequence]
    }

    var topology: String
    var device: String
    var model: String
    var builds: [Build]
}

/// Prepares a device as the factory would, puts an implant into its flash, and tries faults.
struct GlitchBench {
    let plan: Plan
    let device: String
    let base: String
    let guestFolder: String

    func study(
        _ build: Plan.BootCode, _ model: GlitchSearch.Model, window: Range<Int>?, followsFleet: Bool, progress: (Int, Int) -> Void
    ) async throws -> GlitchStudy.Build {
        let map = try search(build).run(model, window: window, progress: progress)
        var consequences: [GlitchStudy.Consequence] = []
        let classes = Dictionary(grouping: map.compromised, by: \.evidence).sorted { $0.key < $1.key }
        for (evidence, trials) in classes where followsFleet {
            guard let first = trials.first else { continue }
            consequences.append(try await follow(build, first.glitch, evidence, trials))
        }
        return GlitchStudy.Build(map: map, consequences: consequences)
    }

    private func plan(_ build: Plan.BootCode, glitch: Glitch?) -> Plan {
        var plan = plan
        plan.controlsOff.removeAll { $0 == .glitchHardening }
        if build == .plain { plan.controlsOff.append(.glitchHardening) }
        plan.steps = []
        plan.expectations = []
        plan.clock = .virtual
        plan.stop = min(plan.stop, .start + .hours(1))
        plan.benchWork = Plan.BenchWork(device: device, glitch: glitch?.text)
        return plan
    }

    private func search(_ build: Plan.BootCode) throws -> GlitchSearch {
        let plan = plan(build, glitch: nil)
        let folder = try RunFolder(base: base, plan: plan)
        try RunProvisioner(plan: plan, folder: folder, guestFolder: guestFolder).prepare()
        let bench = Bench(folder: folder.stateFolder)
        try bench.prepare(device, glitch: nil)
        return try bench.glitchSearch(
            of: device, build: build.rawValue, rom: GuestProgram.image("rom-\(build)", in: guestFolder),
            loader: GuestProgram.image("onebl-\(build)", in: guestFolder))
    }

    /// One hour of the whole fleet with this device in it.
    private func follow(
        _ build: Plan.BootCode, _ glitch: Glitch, _ evidence: String, _ trials: [GlitchMap.Trial]
    ) async throws -> GlitchStudy.Consequence {
        let outcome = try await Orrery.perform(plan(build, glitch: glitch), base: base, watcher: TerminalWatcher(isQuiet: true))
        let journal = try JournalFile.read(outcome.folder.journalPath).journal
        let own = journal.filter { $0.node == device }
        let host = plan.names.host(device)
        // Clients name whom they talk to: the others that reach this device, and those that it reaches.
        let peers = Set(
            journal.compactMap { observation -> String? in
                let fact = observation.fact
                guard fact.kind == .handshake, fact.text(.pair) == "device-device", fact.text(.role) == "client",
                    fact.text(.result) == "accepted"
                else { return nil }
                if observation.node == device { return fact.text(.peer) }
                return fact.text(.peer) == host ? plan.names.host(observation.node) : nil
            })
        let appraisals = journal.filter { $0.fact.kind == .evidenceAppraised && $0.fact.text(.device) == device }
        return GlitchStudy.Consequence(
            evidence: evidence, example: glitch, positions: trials.count, places: Set(trials.map(\.place)).sorted(),
            started: own.contains { $0.fact.kind == .osReady },
            attested: own.contains { $0.fact.kind == .attestation && $0.fact.text(.result) == "accepted" },
            reason: appraisals.compactMap { $0.fact.text(.reason) }.first ?? "", peers: peers.count)
    }
}

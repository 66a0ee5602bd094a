import Catalogue
import Foundation
import Injector
import Judging
import Planning
import Provisioning
import RunFiles
import Testing
import Wire

/// Devices of three kinds side by side: each shows what it can, and each attack does to each kind what its protections let it.
@Suite struct KindTests {
    private static func topology(stop: String, apps: String = "") -> String {
        let often = "update-every: 20m, call-every: 2m\(apps)"
        return Fleet.topology(
            stop: stop, devices: "chip: { network: home, peers: [board, plain], \(often) }",
            "board: { network: home, kind: linux-tpm, peers: [chip, plain], \(often) }",
            "plain: { network: home, kind: linux-plain, peers: [chip, board], \(often) }")
    }

    @Test func theyAttestAndAuthenticateEachOther() throws {
        let fleet = try Fleet(Self.topology(stop: "20m"))
        let report = try fleet.run()
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted && report.metrics.exchanges > 20)
        for device in ["chip", "board", "plain"] {
            #expect(fleet.facts(.attestation, at: device).map { $0.fact.text(.result) } == ["accepted"], "\(device)")
            let peers = fleet.facts(.handshake, at: device).filter { $0.fact.text(.role) == "client" && $0.fact.text(.mode) == "mutual" }
            #expect(Set(peers.compactMap { $0.fact.text(.peer) }).count == 3, "two peers and the service: \(device)")
        }
        let formats = fleet.facts(.evidenceAppraised).map { $0.fact.text(.mediaType)?.prefix(19) ?? "PSA" }
        #expect(Set(formats) == ["PSA", "application/vnd.orr", "application/eat+cwt"])
        // What is measured is what starts; nothing is where nothing can keep it.
        let counts = ["board", "plain"].map { fleet.facts(.osReady, at: $0).first?.fact.number(.count) ?? -1 }
        #expect(counts == [5, 0])
    }

    /// An attack, and what becomes of the chip, the board with a TPM, and the one without.
    @Test(arguments: [
        ("modified-image", "", AttackOutcome.defended, AttackOutcome.compromised, AttackOutcome.compromised),
        ("cloned-device", "", .defended, .defended, .compromised), ("botnet", "", .defended, .defended, .compromised),
        ("time-spoof", "", .defended, .defended, .compromised), ("stale-measurement", "", .defended, .defended, .defended),
        ("stolen-signing-key", ", keys: threshold", .defended, .compromised, .defended),
        ("tls-interception", "", .defended, .defended, .defended),
        ("update-freeze", "", .defended, .defended, .defended),
    ]) func protectionsDecide(
        _ attack: String, _ parameters: String, _ chip: AttackOutcome, _ board: AttackOutcome, _ plain: AttackOutcome
    ) throws {
        let isOfUpdates = attack.contains("signing") || attack.contains("update")
        let fleet = try Fleet(
            Self.topology(stop: isOfUpdates ? "5h" : "2h", apps: isOfUpdates ? ", apps: [panel]" : ""),
            method: (isOfUpdates ? "  - { at: 5m, update: { image: panel@2 } }\n" : "") + """
                  - { at: \(isOfUpdates ? "1h" : "5m"), for: \(isOfUpdates ? "3h" : "100m"), attack: \(attack)\(parameters), target: { devices: all } }
                """)
        let report = try fleet.run()
        let verdict = try #require(report.verdicts.first)
        let outcomes = Dictionary(uniqueKeysWithValues: verdict.targets.map { ($0.name, $0.outcome) })
        #expect(outcomes == ["chip": chip, "board": board, "plain": plain], "\(verdict.targets.map { "\($0.name): \($0.reason)" })")
        #expect(verdict.targets.allSatisfy { $0.witness != nil })
        // All that was noticed is the attack's.
        #expect(report.detection.alerts.allSatisfy { $0.isOf("s\(isOfUpdates ? 2 : 1)") }, "\(report.detection.alerts)")
    }

    /// What is changed starts on the board, and then its TPM gives nothing away: no key for TLS, no attestation.
    @Test func aChangedKernelIsKeptOut() throws {
        let fleet = try Fleet(
            Self.topology(stop: "40m"), method: "  - { at: 10m, for: 20m, attack: modified-image, target: { devices: [board, plain] } }\n")
        let report = try fleet.run()
        let during = { (node: String, kind: Fact.Kind) in
            fleet.facts(kind, at: node).filter { (Instant.start + .minutes(10)..<Instant.start + .minutes(30)).contains($0.at) }
        }
        #expect(during("board", .osReady).first?.fact.text(.text)?.contains("owned!!!") == true)
        #expect(during("board", .refusal).contains { $0.fact.text(.code) == Code.keyLost.rawValue })
        #expect(during("board", .exchange).allSatisfy { $0.fact.text(.result) != "accepted" })
        let appraised = during("service", .evidenceAppraised).filter { $0.fact.text(.device) == "board" }
        #expect(!appraised.isEmpty && appraised.allSatisfy { $0.fact.text(.result) == "rejected" })
        // Nobody sees it where nothing is measured.
        #expect(during("plain", .exchange).contains { $0.fact.text(.result) == "accepted" })
        #expect(!report.detection.alerts.contains { $0.subject == "plain" })
        // With the genuine kernel both are what they were.
        for node in ["board", "plain"] {
            #expect(fleet.facts(.exchange, at: node).contains { $0.at > .start + .minutes(31) && $0.fact.text(.result) == "accepted" })
        }
    }

    /// A new OS is measured otherwise: the key for TLS is lost, and a new one is certified.
    @Test func releasesReachEachKind() throws {
        let fleet = try Fleet(
            Self.topology(stop: "3h", apps: ", apps: [panel]"),
            method: """
                  - { at: 5m, update: { image: panel@2 }, expect: { installed: 100%, within: 1h, bricked: 0, rollout: complete } }
                  - { at: 1h, update: { image: os@26.12 }, expect: { installed: 100%, within: 1h, bricked: 0, rollout: complete } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.osReady, at: "board").last?.fact.text(.text)?.contains("26.12") == true)
        #expect(fleet.facts(.refusal, at: "board").filter { $0.fact.text(.code) == Code.keyLost.rawValue }.count == 1)
        #expect(fleet.facts(.attestation, at: "board").map { $0.fact.text(.result) } == ["accepted", "accepted"])
        #expect(fleet.facts(.updateProven).count == 6)
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
    }

    /// Power goes inside flash operations of an update of the board: it comes back with the old or the new OS, and its TPM's state.
    @Test(arguments: [1, 2, 300, 701, 1300, 1400]) func boardsSurvivePowerCuts(operation: Int) throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "40m", devices: "board: { network: home, kind: linux-tpm, update-every: 5m }"),
            method: """
                  - { at: 4m, update: { image: os@26.12 }, expect: { installed: 100%, bricked: 0 } }
                  - { at: 5m, for: 10s, fault: power-cut, operation: \(operation), target: { devices: board } }
                  - { at: 5m, operator: check-updates, target: { devices: board } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "operation \(operation): \(report.judgements)")
        #expect(fleet.facts(.attestation, at: "board").last?.fact.text(.result) == "accepted")
    }

    enum Damage: CaseIterable { case torn, ofAnotherDevice, gone }

    /// A TPM whose state will not do is refused by name; its board shows nobody anything, and the others go on.
    @Test(arguments: Damage.allCases) func aTPMThatWillNotDoIsRefused(_ damage: Damage) throws {
        let fleet = try Fleet(Self.topology(stop: "10m"))
        let path = fleet.folder.state("board")
        let state = try Data(contentsOf: URL(fileURLWithPath: path + "/tpm.bin"))
        switch damage {
        case .torn: try state.dropLast().write(to: URL(fileURLWithPath: path + "/tpm.bin"))
        case .ofAnotherDevice:
            try Data(contentsOf: URL(fileURLWithPath: path + "/spare-tpm.bin")).write(to: URL(fileURLWithPath: path + "/tpm.bin"))
        case .gone: try FileManager.default.removeItem(atPath: path + "/tpm.bin")
        }
        let report = try fleet.run()
        let failed = try #require(fleet.facts(.bootFailed, at: "board").first)
        #expect(failed.fact.text(.code) == Code.rootOfTrustRefused.rawValue)
        let words = [Damage.torn: "torn", .ofAnotherDevice: "from another device", .gone: "there is no TPM state"]
        #expect(failed.fact.text(.reason)?.contains(words[damage] ?? "?") == true, "\(failed)")
        #expect(fleet.facts(.recovery, at: "board").first?.fact.text(.result) == "entered")
        #expect(fleet.facts(.attestation, at: "board").isEmpty && fleet.facts(.exchange, at: "board").isEmpty)
        #expect(report.bricked == ["board"])
        for node in ["chip", "plain"] { #expect(fleet.facts(.attestation, at: node).first?.fact.text(.result) == "accepted") }
    }

    /// Said when the file is read, with its place.
    @Test(arguments: [
        ("board: { network: home, kind: linux-tpm, apps: [compressor] }", "", "test.yaml:9:51: apps: compressor runs on a real-time core"),
        ("board: { network: home, kind: linux-tpm, attach: [\"led@gpio8\"] }", "", "attach: a device of kind linux-tpm has no pins"),
        ("board: { network: home, kind: linux-tmp }", "", "did you mean 'linux-tpm'?"),
        (
            "board: { network: home, kind: linux-plain }", "  - { at: 1m, for: 1m, attack: boot-glitch, target: { devices: board } }",
            "boot-glitch: board is of kind linux-plain, which has no boot code that checks signatures"
        ),
        (
            "board: { network: home, kind: linux-plain }", "  - { at: 1m, operator: recover, target: { devices: board } }",
            "recover: board is of kind linux-plain, which has no cable for recovery"
        ),
        (
            "board: { network: home, kind: linux-tpm }", "  - { at: 1m, update: { image: keystore@2 } }",
            "keystore: no device of the group 'production' has a keystore of its own"
        ),
    ]) func whatAKindLacksIsSaid(_ device: String, _ method: String, _ words: String) {
        let text = Fleet.topology(stop: "10m", devices: device) + (method.isEmpty ? "" : "method:\n\(method)\n")
        let error = #expect(throws: PlanProblems.self) { try Plan.read(file: "test.yaml", catalogue: Injector.catalogue) { _ in text } }
        #expect(error.map { "\($0)".contains(words) } == true, "\(error.map { "\($0)" } ?? "")")
    }

    /// What an app needs is in its file, which is read when a run begins.
    @Test func aBroughtAppMayNeedARealTimeCore() throws {
        let (chip, board) = ("one: { network: home, apps: [tick] }", "two: { network: home, kind: linux-tpm, apps: [tick] }")
        func check(_ device: String) throws {
            let text = Fleet.topology(stop: "10m", apps: [Fleet.app("tick")], devices: device)
            _ = try AppFiles.check(Plan.read(file: "test.yaml", catalogue: Injector.catalogue) { _ in text })
        }
        try check(chip)
        let error = #expect(throws: PlanProblems.self) { try check(board) }
        #expect(error.map { "\($0)" }?.contains("tick runs on a real-time core, and a device of kind linux-tpm has no") == true)
    }
}

import Foundation
import Testing

/// The command, with the real executables.
@Suite(.serialized) struct CompareTests {
    private static let campaign = """
        name: pair
        seed: 3
        stop: 40m
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { network: home, apps: [compressor], peers: [oven], call-every: 1m }
          oven: { network: home, peers: [fridge] }
        method:
          - { at: 12m, for: 10m, attack: rogue-device, target: { devices: oven } }
          - { at: 12m, for: 10m, attack: modified-image, target: { devices: fridge } }
        """

    @Test func oneKindIsComparedWithItself() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.campaign, "pair.yaml")
        let first = try await testbed.orrery(["compare", file, "--kinds", "mt3620"])
        #expect(first.code == 0, "\(first.output) \(first.errors)")
        #expect(first.errors.isEmpty)
        #expect(first.output.contains("\n  s2 modified-image       defended\n"))
        // Names of folders are as long as they are.
        #expect(first.output.split(separator: "\n").filter { !$0.contains(testbed.folder) }.allSatisfy { $0.count <= 120 })
        let again = try await testbed.orrery(["compare", file, "--kinds", "mt3620", "--format", "json", "--out", "other"])
        #expect(again.code == 0, "\(again.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any])
        let cost = try #require((json["costs"] as? [[String: Any]])?.first)
        let use = try #require(cost["use"] as? [String: Int])
        #expect(use["cpuNanoseconds"] ?? 0 > 0 && use["sentBytes"] ?? 0 > 0 && use["erasedSectors"] ?? 0 > 0)
        let folder = try #require(cost["folder"] as? String)
        let replay = try await testbed.orrery(["replay", folder])
        #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
        // A run that nobody compares tells nothing of that, and is the same else.
        let journal = try String(contentsOfFile: "\(testbed.folder)/\(folder)/journal.ndjson", encoding: .utf8)
        #expect(journal.contains("\"resources-used\""))
        #expect(try await testbed.orrery(["run", file, "--out", "plain"]).code == 0)
        let plain = try String(contentsOfFile: "\(testbed.folder)/plain/pair/latest/journal.ndjson", encoding: .utf8)
        #expect(plain == journal.split(separator: "\n").filter { !$0.contains("\"resources-used\"") }.map { $0 + "\n" }.joined())
    }

    @Test func whatCannotBeIsRefusedBeforeAnythingRuns() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.campaign, "pair.yaml")
        let lacking = try await testbed.orrery(["compare", file])
        #expect(lacking.code == 64)
        for kind in ["linux-tpm", "linux-plain"] {
            #expect(
                lacking.errors.contains(
                    "pair.yaml:8:35: apps: compressor runs on a real-time core, and a device of kind \(kind) has no real-time cores"))
        }
        #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/runs"))
        for (arguments, word) in [
            (["--kinds", "toaster"], "unknown kind 'toaster'; there are mt3620"), (["--kinds", "mt3620,mt3620"], "each kind once"),
            (["--format", "pdf"], "unknown format 'pdf'; there are text, json, csv, html"),
        ] {
            let refused = try await testbed.orrery(["compare", file] + arguments)
            #expect(refused.code == 64 && refused.errors.contains(word), "\(refused.errors)")
        }
    }

    @Test func kindsAreToldOf() async throws {
        let testbed = try Testbed()
        let all = try await testbed.orrery(["kinds"])
        #expect(all.code == 0 && ["mt3620", "linux-tpm", "linux-plain"].allSatisfy { all.output.contains("\($0)\n    ") })
        let plain = try await testbed.orrery(["kinds", "linux-plain"])
        #expect(plain.output.contains("secure-boot") && plain.output.contains("in a file"))
        #expect(plain.output.split(separator: "\n").allSatisfy { $0.count <= 120 })
        let unknown = try await testbed.orrery(["kinds", "toaster"])
        #expect(unknown.code == 64 && unknown.errors.contains("there are mt3620, linux-tpm, linux-plain"))
    }
}

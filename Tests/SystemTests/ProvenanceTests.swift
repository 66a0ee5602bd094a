import Foundation
import Runtime
import Testing

/// What a run says about what it was made of.
@Suite struct RunProvenanceTests {
    private func run(_ testbed: Testbed) async throws -> (folder: String, topology: String) {
        let file = try testbed.write(RunTestsSerial.topology, "pair.yaml")
        let ended = try await testbed.orrery(["run", file, "--stop-after", "10m"])
        let report = try #require(ended.line("Report"), "\(ended.errors)")
        return (testbed.folder + "/" + report.replacing("/report.html and report.txt", with: ""), file)
    }

    private func change(_ path: String, _ edit: (inout [String: Any]) -> Void) throws {
        let data = try #require(FileManager.default.contents(atPath: path))
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        edit(&object)
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
    }

    @Test func replaySaysWhatHasChangedSince() async throws {
        let testbed = try Testbed()
        let (folder, topology) = try await run(testbed)
        let version = try await testbed.orrery(["--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        for (name, schema) in [("plan.json", 2), ("metrics.json", 1)] {
            try change("\(folder)/\(name)") { object in
                #expect(object["schema"] as? Int == schema)
                var provenance = object["provenance"] as? [String: Any]
                #expect(provenance?["version"] as? String == version)
                let files = provenance?["files"] as? [[String: String]] ?? []
                let paths = files.compactMap { $0["path"] }
                for path in [topology, "guest/compressor.elf", "guest/rom-hardened.elf", "guest/onebl-hardened.elf", "guest/recovery.elf"] {
                    #expect(paths.contains(path))
                }
                #expect(files.allSatisfy { $0["sha256"]?.count == 64 })
                // As if another version had run other code.
                provenance?["version"] = "0.1"
                provenance?["files"] = files.map { $0["path"] == "guest/rom-hardened.elf" ? $0.merging(["sha256": "00ff"]) { $1 } : $0 }
                object["provenance"] = provenance
            }
        }
        try (RunTestsSerial.topology + "\n# A comment.\n").write(toFile: topology, atomically: true, encoding: .utf8)
        let replay = try await testbed.orrery(["replay", folder])
        // The plan in the folder is run, so the digest is the same: the version and the topology file have no part in it.
        #expect(replay.code == 0, "\(replay.output)\(replay.errors)")
        let said = replay.output.split(separator: "\n").map(String.init)
        #expect(said.contains("    then  0.1") && said.contains("    now   \(version)"))
        #expect(said.contains("    then  00ff") && said.contains("  \(topology)"))
        #expect(!said.contains("  guest/compressor.elf"))
    }

    /// What git says of the sources that these tests were built from.
    @Test func theVersionIsGits() async throws {
        let testbed = try Testbed()
        let version = try await testbed.orrery(["--version"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(version.wholeMatch(of: /[A-Za-z0-9._+\/-]+/) != nil)
        let script = Testbed.root + "/scripts/version"
        // Not in a clone: a folder in one is not its top.
        _ = try await testbed.tool("/bin/sh", [script, Testbed.root + "/Sources", testbed.folder + "/inner.swift"])
        #expect(try String(contentsOfFile: testbed.folder + "/inner.swift", encoding: .utf8) == "let describedByGit = \"unknown\"\n")
        _ = try await testbed.tool("/bin/sh", [script, testbed.folder, testbed.folder + "/none.swift"])
        #expect(try String(contentsOfFile: testbed.folder + "/none.swift", encoding: .utf8) == "let describedByGit = \"unknown\"\n")

        let clone = testbed.folder + "/clone"
        let git = ["-C", clone, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
        func describe() async throws -> String {
            _ = try await testbed.tool("/bin/sh", [script, clone, testbed.folder + "/clone.swift"])
            return try String(contentsOfFile: testbed.folder + "/clone.swift", encoding: .utf8)
        }
        try FileManager.default.createDirectory(atPath: clone + "/Sources", withIntermediateDirectories: true)
        _ = try await testbed.tool("git", ["init", "-q", clone])
        _ = try testbed.write("a", "clone/Sources/a.swift")
        _ = try await testbed.tool("git", git + ["add", "-A"])
        _ = try await testbed.tool("git", git + ["commit", "-qm", "one"])
        let head = try await testbed.tool("git", git + ["rev-parse", "HEAD"]).prefix(12)
        #expect(try await describe() == "let describedByGit = \"\(head)\"\n")
        _ = try testbed.write("b", "clone/Sources/new.swift")
        #expect(try await describe() == "let describedByGit = \"\(head)-dirty\"\n")
        try FileManager.default.removeItem(atPath: clone + "/Sources/new.swift")
        _ = try await testbed.tool("git", git + ["tag", "1.0"])
        #expect(try await describe() == "let describedByGit = \"1.0\"\n")
        _ = try testbed.write("changed", "clone/Sources/a.swift")
        #expect(try await describe() == "let describedByGit = \"1.0-dirty\"\n")
    }

    @Test func filesOfAnotherFormAreRefusedByNumber() async throws {
        let testbed = try Testbed()
        let (folder, _) = try await run(testbed)
        let kept = testbed.folder + "/kept"
        func refused(_ file: String, _ command: [String], _ words: [String], _ spoil: (String) throws -> Void) async throws {
            try? FileManager.default.removeItem(atPath: kept)
            try FileManager.default.copyItem(atPath: folder, toPath: kept)
            try spoil("\(kept)/\(file)")
            let ended = try await testbed.orrery(command + [kept])
            #expect(ended.code == 64, "\(file): \(ended.output)")
            for word in ["\(kept)/\(file)"] + words { #expect(ended.errors.contains(word), "\(ended.errors)") }
        }
        try await refused("plan.json", ["replay"], ["of plan schema 0, which is older", "reads plan schema 2"]) { path in
            try change(path) { $0["schema"] = 0 }
        }
        try await refused("plan.json", ["report"], ["of plan schema 3, which is newer", "reads plan schema 2"]) { path in
            try change(path) { $0["schema"] = 3 }
        }
        try await refused("plan.json", ["replay"], ["has no schema number", "reads plan schema 2"]) { path in
            try change(path) { $0["schema"] = nil }
        }
        try await refused("metrics.json", ["replay"], ["of metrics schema 7, which is newer"]) { path in
            try change(path) { $0["schema"] = 7 }
        }
        try await refused("journal.ndjson", ["report"], ["has no schema number", "reads journal schema 1"]) { path in
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try String(text.drop { $0 != "\n" }.dropFirst()).write(toFile: path, atomically: true, encoding: .utf8)
        }
        try await refused("journal.ndjson", ["report"], ["of journal schema 9, which is newer"]) { path in
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try text.replacing("\"schema\":1}", with: "\"schema\":9}", maxReplacements: 1)
                .write(toFile: path, atomically: true, encoding: .utf8)
        }
        try await refused("journal.ndjson", ["report"], ["is no journal"]) { path in
            try Data([0, 1, 2]).write(to: URL(fileURLWithPath: path))
        }
        try await refused("plan.json", ["report"], ["is no plan"]) { path in
            try change(path) { $0["schema"] = "one" }
        }
    }
}

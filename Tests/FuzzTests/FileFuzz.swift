import Adversary
import Campaign
import Foundation
import Testing
import Wire

@testable import Coordinator

/// Files that people write, and folders of runs that are read back.
@Suite struct FileFuzz {
    private static let root = Fuzz.folder.deletingLastPathComponent().deletingLastPathComponent()

    private static let topologies: [String: String] = {
        let folder = root.appendingPathComponent("Topologies")
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        var texts: [String: String] = [:]
        for name in names.sorted() where name.hasSuffix(".yaml") {
            texts["Topologies/\(name)"] = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        }
        return texts
    }()

    private static let words = [
        "-1", "0", "1e400", "nan", "9223372036854775807", "99999999999999999999", "106751d", "292y", "100000h", "0ns", "-5m", "9e18ns",
        "&a", "*a", "[*a, *a]", "&a [*a]", "<<", "!!binary", "~", "coordinator", "network", "service", "7", "../x", "a/b", "fridge-1", "",
        "\"\\0\"", "\"a,b\"", "[]", "{}", "10000", "10001", "100%", "0%", "? x", "|", ">", "---", "...", "%YAML 9", "\u{FEFF}", "\t",
        "fridge-1-clone", "controls-off", "expect", "method", "devices", "count", "os",
    ]

    @Test func yaml() throws {
        let samples = FileFuzz.topologies.sorted { $0.key < $1.key }
        #expect(samples.count > 10)
        try Fuzz.run("yaml") { fuzz in
            let (name, text) = fuzz.one(of: samples)
            let bytes = fuzz.mutatedText([text], words: FileFuzz.words)
            let changed = String(decoding: bytes, as: UTF8.self)
            do throws(PlanProblems) {
                _ = try Plan.read(file: name, attacks: Attacks.catalogue) { $0 == name ? changed : FileFuzz.topologies[$0] }
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
    }

    /// Nested and multiplied without end.
    private static let bombs: [String] = {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFG")
        let lists = (1..<30).map { number in
            "\(letters[number]): &\(letters[number]) [\(String(repeating: "*\(letters[number - 1]), ", count: 9))]\n"
        }
        let mappings = (1..<30).map { number in
            "\(letters[number]): &\(letters[number])\n- *\(letters[number - 1])\n- *\(letters[number - 1])\n"
        }
        return [
            "name: " + String(repeating: "[", count: 20_000), String(repeating: "- ", count: 20_000), String(repeating: "? ", count: 5000),
            String(repeating: "{", count: 500) + "a: b" + String(repeating: "}: c", count: 500),
            "a: &a [x, x]\n" + lists.joined() + "? *D\n: x\n", "a: &a x\n" + mappings.joined() + "*D : x\n",
            "a: &a x\n" + mappings.joined() + "[*D]: x\n", "devices: &a {x: *a}\n",
        ]
    }()

    @Test(arguments: bombs.indices) func bombsAreRefused(index: Int) {
        let begun = ContinuousClock.now
        #expect(throws: PlanProblems.self) { try Plan.read(file: "bomb.yaml", attacks: Attacks.catalogue) { _ in FileFuzz.bombs[index] } }
        #expect(ContinuousClock.now - begun < .seconds(10))
    }

    @Test func runFolders() throws {
        let plan = try Plan.read(file: "Topologies/kitchen.yaml", attacks: Attacks.catalogue) { FileFuzz.topologies[$0] }
        let encoded = try RunFolder.encode(plan)
        let facts = [
            Fact(.osReady), Fact(.handshake, [.result: "accepted", .count: 3]), Fact(.deviceClaimed, [.device: "a", .product: "b"]),
        ]
        let journal =
            (0..<30).map { index in
                Journal.line(
                    Observation(
                        at: Instant(nanoseconds: Int64(index) * 1_000_000_000), node: plan.devices[index % plan.devices.count].name,
                        sequence: UInt64(index), fact: facts[index % facts.count]))
            }.joined(separator: "\n") + "\n"
        let path = Fuzz.folder.appendingPathComponent("run-\(ProcessInfo.processInfo.processIdentifier)").path
        try RunFolder.make(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = RunFolder(existing: path)
        try Fuzz.run("run-folder") { fuzz in
            let words = ["-1", "9223372036854775807", "-9223372036854775808", "1e400", "null", "{}", "[]", "\"\"", "true", "1.5"]
            let changesPlan = fuzz.isOne(in: 2)
            let planBytes = changesPlan ? fuzz.mutatedText([encoded], words: words) : Array(encoded.utf8)
            let journalBytes = changesPlan ? Array(journal.utf8) : fuzz.mutatedText([journal], words: words)
            try RunFolder.write(planBytes, folder.planPath)
            try RunFolder.write(journalBytes, folder.journalPath)
            do {
                let plan = try folder.readPlan()
                let (journal, digest) = try JournalFile.read(folder.journalPath)
                _ = Report(plan: plan, journal: journal, digest: digest, attacks: Attacks.catalogue).text
            } catch {
                #expect(error is RunError || error is FileRefused, "\(error)")
            }
        }
    }
}

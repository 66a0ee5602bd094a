import Catalogue
import Foundation
import Injector
import Judging
import Planning
import ReportFormats
import Testing
import Wire

@testable import RunFiles

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

    /// As a file's own words name another: `Topologies/campaigns/../kitchen.yaml`.
    private static func topology(_ path: String) -> String? {
        topologies[String(URL(fileURLWithPath: "/" + path).standardizedFileURL.path.dropFirst())]
    }

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
                _ = try Plan.read(file: name, catalogue: Injector.catalogue) { $0 == name ? changed : FileFuzz.topology($0) }
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

    @Test(.timeLimit(.minutes(1)), arguments: bombs.indices) func bombsAreRefused(index: Int) {
        #expect(throws: PlanProblems.self) {
            try Plan.read(file: "bomb.yaml", catalogue: Injector.catalogue) { _ in FileFuzz.bombs[index] }
        }
    }

    /// A journal of facts of any kind with details of any kind: sound as a file, and nothing that a run would write.
    private static func facts(_ fuzz: inout Fuzz, of plan: Plan) -> String {
        let nodes = plan.devices.map(\.name) + ["service", "network", "coordinator", "fridge-1-clone"]
        let texts =
            nodes + plan.steps.indices.map(String.init) + DetectionRule.allCases.map(\.rawValue) + Code.allCases.map(\.rawValue)
            + Injector.catalogue.attacks.all.map(\.name.rawValue) + Injector.catalogue.faults.names
            + ["accepted", "refused", "defended", "current", "10.1.0.5:32770>8443", "10.1.0.5", "", "os", "compressor@2", "-1", "1/2"]
        let numbers: [Int64] = [0, 1, -1, 2, 100, .max, .min, 1 << 31, 1 << 53, 3_600_000_000_000]
        var at: Int64 = 0
        return Journal.header + "\n"
            + (0..<fuzz.below(80)).map { index in
                at = fuzz.isOne(in: 30) ? fuzz.one(of: numbers) : at &+ Int64(fuzz.below(400_000_000)) &* 1000
                var details: [Fact.Detail: Fact.Value] = [:]
                for _ in 0..<fuzz.below(8) {
                    details[fuzz.one(of: Fact.Detail.allCases)] =
                        fuzz.isOne(in: 3) ? .number(fuzz.one(of: numbers)) : .text(fuzz.one(of: texts))
                }
                return Journal.line(
                    Observation(
                        at: Instant(nanoseconds: at), node: fuzz.one(of: nodes), sequence: UInt64(index),
                        fact: Fact(fuzz.one(of: Fact.Kind.allCases), details))) + "\n"
            }.joined()
    }

    @Test func runFolders() throws {
        let plan = try Plan.read(file: "Topologies/campaigns/kitchen-day.yaml", catalogue: Injector.catalogue, load: FileFuzz.topology)
        let encoded = try JSON.pretty(plan)
        let path = Fuzz.folder.appendingPathComponent("run-\(ProcessInfo.processInfo.processIdentifier)").path
        try RunFolder.make(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = RunFolder(existing: path)
        try Fuzz.run("run-folder") { fuzz in
            let words = ["-1", "9223372036854775807", "-9223372036854775808", "1e400", "null", "{}", "[]", "\"\"", "true", "1.5"]
            let facts = FileFuzz.facts(&fuzz, of: plan)
            let planBytes = fuzz.isOne(in: 3) ? fuzz.mutatedText([encoded], words: words) : Array(encoded.utf8)
            let journalBytes = fuzz.isOne(in: 3) ? fuzz.mutatedText([facts], words: words) : Array(facts.utf8)
            try RunFolder.write(planBytes, folder.planPath)
            try RunFolder.write(journalBytes, folder.journalPath)
            do {
                let plan = try folder.readPlan()
                let (journal, digest) = try JournalFile.read(folder.journalPath)
                _ = Report(plan: plan, journal: journal, digest: digest, catalogue: Injector.catalogue).text
            } catch {
                #expect(error is RunError || error is FileRefused, "\(error)")
            }
        }
    }
}

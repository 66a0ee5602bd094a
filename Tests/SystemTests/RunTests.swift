import Foundation
import Glibc
import Runtime
import Synchronization
import Testing
import Wire

/// The real executables.
@Suite(.serialized) struct RunTestsSerial {
    static let topology = """
        name: pair
        seed: 3
        stop: 3h
        networks:
          home:  { latency: 8ms, jitter: 3ms, loss: 2% }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { network: home, apps: [compressor], peers: [oven] }
          oven:   { network: home }
        expect:
          - { devices: all, reach: attested, within: 5m }
        """

    @Test func sameSeedSameDigestOtherSeedOther() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        let first = try await testbed.orrery(["run", file])
        #expect(first.code == 0, "\(first.output) \(first.errors)")
        let digest = try #require(first.line("Digest"))
        #expect(digest.count == 64)
        let again = try await testbed.orrery(["run", file])
        #expect(again.line("Digest") == digest)
        let other = try await testbed.orrery(["run", file, "--seed", "4"])
        #expect(other.line("Digest") != digest)
        let report = try #require(first.line("Report"))
        let run = testbed.folder + "/" + report.replacing("/report.html and report.txt", with: "")
        let replay = try await testbed.orrery(["replay", run])
        #expect(replay.code == 0, "\(replay.output)")
        let json = try await testbed.orrery(["report", run, "--format", "json"])
        #expect(json.output.contains("\"digest\" : \"\(digest)\""))
        #expect(testbed.processes().isEmpty)
    }

    /// Adding a device leaves keys, schedules and losses of the others as they were.
    @Test func addingADeviceChangesNothingForTheOthers() async throws {
        let testbed = try Testbed()
        let one = try testbed.write(Self.topology, "pair.yaml")
        let other = try testbed.write(
            Self.topology.replacing("oven:   { network: home }", with: "oven:   { network: home }\n  toaster: { network: home }"),
            "three.yaml")
        /// What the two do and see, and when.
        func lines(_ file: String) async throws -> (facts: [String], times: [Int64]) {
            #expect(try await testbed.orrery(["run", file, "--stop-after", "30m"]).code == 0)
            let lines = testbed.journal.split(separator: "\n").filter {
                $0.contains("\"node\":\"fridge\"") || $0.contains("\"node\":\"oven\"")
            }
            return (
                lines.map { String($0).replacing(/"(at|duration)_ns":\d+/, with: "") },
                lines.compactMap { $0.firstMatch(of: /"at_ns":(\d+)/).flatMap { Int64($0.1) } }
            )
        }
        let before = try await lines(one)
        #expect(before.facts.count > 20)
        let after = try await lines(other)
        #expect(after.facts == before.facts)
        // The service's signatures are of 70 to 72 bytes by chance, and each byte takes its time on the wire: no more than that.
        #expect(zip(after.times, before.times).allSatisfy { abs($0 - $1) < 100_000 })
    }

    @Test func faultsAndAttacksReproduceToo() async throws {
        let testbed = try Testbed()
        let method = """

            method:
              - { at: 20m, for: 10m, fault: power-cut, target: { devices: fridge } }
              - { at: 40m, for: 1m, fault: service-kill }
              - { at: 1h, for: 10m, attack: tls-interception, target: { devices: fridge } }
              - { at: 2h, for: 30m, attack: cloned-device, target: { devices: oven } }
            """
        let file = try testbed.write(Self.topology + method, "trouble.yaml")
        let first = try await testbed.orrery(["run", file])
        #expect(first.code == 0, "\(first.output) \(first.errors)")
        #expect(try await testbed.orrery(["run", file]).line("Digest") == first.line("Digest"))
    }

    @Test func badFilesEndWith64AndTheirPlace() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology.replacing("seed: 3", with: "sed: 3"), "bad.yaml")
        for command in ["run", "validate", "show"] {
            let ended = try await testbed.orrery([command, file])
            #expect(ended.code == 64)
            #expect(ended.errors == "\(file):2:1: unknown key 'sed' in the topology; did you mean 'seed'?\n")
        }
        #expect(try await testbed.orrery(["run", "none.yaml"]).code == 64)
        #expect(try await testbed.orrery(["fly"]).code == 64)
        #expect(try await testbed.orrery(["replay", testbed.folder]).code == 70)
    }

    /// Every file that the project ships is right, and every attack has its campaign.
    @Test func shippedFilesAreValid() async throws {
        let testbed = try Testbed()
        let folder = Testbed.root + "/Topologies"
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }.filter { $0.hasSuffix(".yaml") } ?? []
        #expect(names.count >= 10)
        let ended = try await testbed.orrery(["validate"] + names.sorted().map { "\(folder)/\($0)" })
        #expect(ended.code == 0, "\(ended.errors)")
        let attacks = try await testbed.orrery(["attacks"]).output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init)
        #expect(attacks.count > 20)
        for attack in attacks {
            #expect(names.contains("attacks/\(attack).yaml"))
            let explained = try await testbed.orrery(["attacks", attack])
            #expect(explained.output.contains("succeeds if"))
        }
    }

    @Test func tooManyDevicesAreRefusedBeforeAnythingStarts() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(
            Self.topology.replacing("oven:   { network: home }", with: "oven:   { count: 10000, network: home }"), "huge.yaml")
        let ended = try await testbed.orrery(["run", file])
        #expect(ended.code == 70)
        #expect(ended.errors.contains("devices need"))
        #expect(!FileManager.default.fileExists(atPath: testbed.folder + "/runs"))
    }

    /// A run on the wall clock, ended by Ctrl-C: nothing is left, and the report is there.
    @Test func interruptLeavesNothingBehindAndStillReports() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        let coordinator = Mutex<Int32>(0)
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            coordinator.withLock { $0 = process }
            try await testbed.waitForAttestation()
            kill(process, SIGINT)
        }
        #expect(ended.code == 2, "\(ended.output) \(ended.errors)")
        #expect(ended.output.contains("The run ended before its time"))
        #expect(testbed.processes().isEmpty)
        let sockets = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory()).filter {
            $0.hasPrefix("orrery-\(coordinator.withLock { $0 })-")
        }
        #expect(sockets.isEmpty)
    }

    /// The coordinator dies without a word: the children's lifelines close.
    @Test func noProcessOutlivesTheCoordinator() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            try await testbed.waitForAttestation()
            kill(process, SIGKILL)
        }
        #expect(ended.code == nil)
        try await testbed.wait("the children's end") { testbed.processes().isEmpty }
    }

    /// A device that is killed from outside is named in the report, and the rest goes on.
    @Test(arguments: ["device", "service"]) func aLostProcessIsNamed(executable: String) async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            try await testbed.waitForAttestation()
            if let victim = testbed.processes(executable).first { kill(victim, SIGKILL) }
            try await testbed.wait("the loss") { testbed.journal.contains("\"process-lost\"") }
            kill(process, SIGINT)
        }
        #expect(ended.code == 2, "\(ended.output)")
        #expect(ended.output.contains("Processes lost              1"), "\(ended.output) \(ended.errors)")
        #expect(ended.errors.contains("is gone: "))
        #expect(testbed.processes().isEmpty)
    }

    /// What the service has acknowledged is in its database after SIGKILL.
    @Test func whatTheServiceAcknowledgedSurvivesSIGKILL() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        _ = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            try await testbed.waitForAttestation()
            for victim in testbed.processes("service") { kill(victim, SIGKILL) }
            try await testbed.wait("the loss") { testbed.journal.contains("\"process-lost\"") }
            kill(process, SIGINT)
        }
        let script = """
            import sqlite3, sys
            db = sqlite3.connect(sys.argv[1])
            print(db.execute("SELECT COUNT(*) FROM certificate").fetchone()[0], db.execute("SELECT COUNT(*) FROM device").fetchone()[0])
            """
        let database = testbed.folder + "/runs/pair/latest/state/service/service.sqlite"
        let output = try await testbed.tool(Testbed.root + "/.build/python/bin/python", ["-c", script, database])
        // Two devices with two certificates each, all of them seen by the devices.
        #expect(output == "4 2\n")
    }

    /// Bytes that are no frame, from somebody who found the socket: refused, noted, and nothing is lost.
    @Test func garbledFramesAreNotedAndHarmless() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "pair.yaml")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            try await testbed.waitForAttestation()
            let line =
                testbed.processes("threat").compactMap { FileManager.default.contents(atPath: "/proc/\($0)/cmdline") }.first ?? Data()
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0").map(String.init)
            let endpoint = try #require(words.first { $0.hasPrefix("ipc://") })
            let stranger = try Bus(connect: endpoint, as: "stranger")
            for bytes: [UInt8] in [[], [1], [1, 99], [9, 9, 9], [UInt8](repeating: 1, count: Frame.maximumBytes + 1)] {
                #expect(stranger.send(raw: bytes))
            }
            try await testbed.wait("the refusals") { testbed.journal.split(separator: "\n").count { $0.contains("frame-refused") } == 5 }
            kill(process, SIGINT)
        }
        #expect(ended.output.contains("Frames refused              5"), "\(ended.output) \(ended.errors)")
        #expect(ended.output.contains("held     all attested"), "\(ended.output)")
    }
}

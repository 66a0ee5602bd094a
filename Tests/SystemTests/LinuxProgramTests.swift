import Foundation
import Runtime
import Synchronization
import Testing

/// Debian's dynamic programs, as `scripts/install --tests` unpacks them, in a folder that is the root of their file system.
@Suite(.serialized) struct LinuxProgramTestsSerial {
    private static let root = Testbed.root + "/.build/armhf/root"

    private func run(_ testbed: Testbed, _ options: [String] = [], _ command: String...) async throws -> Testbed.Ended {
        try await testbed.orrery(["emulate", "--root", Self.root] + options + [command[0], "--"] + command.dropFirst())
    }

    @Test func programsLoadTheirLibraries() async throws {
        let testbed = try Testbed()
        let lua = try await run(
            testbed, [], "lua5.4", "-e", "print(_VERSION, 2^10, os.getenv('HOME')) io.open('/x', 'w'):write('y'):close() os.exit(7)")
        #expect(lua.output == "Lua 5.4\t1024.0\t/\n" && lua.code == 7, "\(lua.errors)")
        // What is written stays in memory.
        #expect(!FileManager.default.fileExists(atPath: Self.root + "/x"))
        let query =
            "create table t(a, b); insert into t values (1, 'x'), (2, 'y'); select sum(a), group_concat(b) from t; pragma integrity_check;"
        let sqlite = try await run(testbed, [], "sqlite3", "/tmp/t.db", query)
        #expect(sqlite.output == "3|x,y\nok\n" && sqlite.code == 0, "\(sqlite.errors)")
        let jq = try await run(testbed, [], "/usr/bin/jq", "-nc", #"{a: [1, 2.5, "é"]} | .a | length, .[2]"#)
        #expect(jq.output == "3\n\"é\"\n" && jq.code == 0, "\(jq.errors)")
        let first = try await run(testbed, [], "catatonit", "-g", "--", "/bin/busybox", "sh", "-c", "echo under $PPID; exit 4")
        #expect(first.output == "under 1\n" && first.code == 4, "\(first.errors)")
        // In 256 KiB, too: what is mapped and not touched is no burden.
        #expect(try await run(testbed, ["--memory", "256KiB"], "lua5.4", "-e", "print(1)").output == "1\n")
        let greedy = try await run(testbed, ["--memory", "256KiB"], "lua5.4", "-e", "t = {} for i = 1, 1e6 do t[i] = i end")
        #expect(
            greedy.code == 137 && greedy.errors.contains(/lua5\.4: killed, with \d+ KiB of memory touched of 256 KiB/), "\(greedy.errors)")
    }

    /// Real time, a real server and a real broker, by names that only the exits know.
    @Test func programsReachWhatTheirExitsLeadTo() async throws {
        let testbed = try Testbed()
        let server = try #require(PageServer())
        defer { server.stop() }
        let exits = ["--exit", "www.example.com:80=127.0.0.1:\(server.port)", "--for", "60s"]
        for command in [
            ["curl", "-sS", "http://www.example.com/a?b"], ["wget", "-qO-", "http://www.example.com/a?b"],
            ["busybox", "wget", "-qO-", "http://www.example.com/a?b"],
        ] {
            let got = try await testbed.orrery(["emulate", "--root", Self.root] + exits + [command[0], "--"] + command.dropFirst())
            #expect(got.code == 0 && got.output == "/a?b for www.example.com\n", "\(command): \(got.output)\(got.errors)")
        }
        let unknown = try await run(testbed, exits, "curl", "-sS", "http://nowhere.example.com/")
        #expect(unknown.code == 6 && unknown.errors.contains("no --exit is named nowhere.example.com"), "\(unknown.errors)")
        let closed = try await run(testbed, exits, "curl", "-sS", "http://www.example.com:81/")
        #expect(closed.code == 7 && closed.errors.contains("no --exit leads to www.example.com:81"), "\(closed.errors)")
    }

    /// Its TLS library, against somebody else's, with a certificate that is checked.
    @Test func curlSpeaksTLS() async throws {
        let testbed = try Testbed()
        let port = Int.random(in: 20_000...59_999)
        let script = """
            cd '\(testbed.folder)'
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -out c -subj /CN=www.example.com -days 2 -addext subjectAltName=DNS:www.example.com
            openssl s_server -accept 127.0.0.1:\(port) -cert c -key k -www -quiet >log 2>&1 & echo $! >pid
            """
        _ = try await testbed.tool("/bin/sh", ["-ec", script])
        try await testbed.wait("the server") { LoopbackConnection(port: UInt16(port)) != nil }
        let certificate = try String(contentsOfFile: testbed.folder + "/c", encoding: .utf8)
        let exits = ["--exit", "www.example.com:443=127.0.0.1:\(port)", "--for", "60s", "--env", "CA=\(certificate)"]
        let got = try await run(
            testbed, exits, "busybox", "sh", "-c",
            "echo \"$CA\" >/tmp/ca; curl -sS --cacert /tmp/ca https://www.example.com/; curl -sS --cacert /tmp/ca --connect-to other.example.com:443:www.example.com:443 https://other.example.com/"
        )
        _ = try await testbed.tool("/bin/sh", ["-c", "kill $(cat '\(testbed.folder)/pid')"])
        #expect(got.output.contains("New, TLSv1.3, Cipher is"), "\(got.errors)")
        #expect(got.code == 60 && got.errors.contains("no alternative certificate subject name matches"), "\(got.errors)")
    }

    /// Debian's broker, with what it logs; ``stopBroker(_:)`` ends it.
    private func startBroker(_ testbed: Testbed) async throws -> (port: Int, log: String) {
        let port = Int.random(in: 20_000...59_999)
        let folder = Testbed.root + "/.build/mosquitto/root/usr"
        let log = testbed.folder + "/log"
        let configuration = try testbed.write(
            "pid_file \(testbed.folder)/pid\nlog_dest file \(log)\nlog_type all\nlistener \(port) 127.0.0.1\nallow_anonymous true\nuser root\n",
            "mosquitto.conf")
        _ = try await testbed.tool(
            "/bin/sh",
            ["-c", "LD_LIBRARY_PATH=$(echo \(folder)/lib/*-linux-gnu) \(folder)/sbin/mosquitto -d -c '\(configuration)'"])
        try await testbed.wait("the broker") { LoopbackConnection(port: UInt16(port)) != nil }
        return (port, log)
    }

    private func stopBroker(_ testbed: Testbed) async throws {
        _ = try await testbed.tool("/bin/sh", ["-c", "kill $(cat '\(testbed.folder)/pid')"])
    }

    /// With its libraries in its package, as an app of a fleet's device: it finds the broker through a gateway, by its own name.
    @Test func debiansPublisherIsAnApp() async throws {
        let testbed = try Testbed()
        let broker = try await startBroker(testbed)
        let manifest = try testbed.write(
            """
            {"SchemaVersion": 1, "Name": "publisher", "ComponentId": "25025d2c-66da-4448-bae1-ac26fcdd3699", "EntryPoint": "/bin/app",
             "CmdArgs": ["-h", "test.mosquitto.org", "-i", "lamp", "-q", "1", "-t", "orders/now", "-m", "dim"],
             "Capabilities": {"AllowedConnections": ["test.mosquitto.org"]}, "ApplicationType": "Default"}
            """, "manifest.json")
        let libraries = [
            "lib": ["ld-linux-armhf.so.3", "libc.so.6"],
            "usr/lib": ["libmosquitto.so.1", "libcrypto.so.3", "libssl.so.3", "libcjson.so.1"],
        ]
        let resources = libraries.flatMap { folder, names in
            names.flatMap { ["--resource", "lib/\($0)=\(Self.root)/\(folder)/arm-linux-gnueabihf/\($0)"] }
        }
        let program = Self.root + "/usr/bin/mosquitto_pub"
        let packed = try await testbed.orrery(
            ["image", "pack", "--manifest", manifest, "--program", program, "-o", testbed.folder + "/publisher.imagepackage"] + resources)
        #expect(packed.code == 0, "\(packed.errors)")
        let file = try testbed.write(
            """
            name: lamps
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            gateways: { broker: { network: cloud, names: [test.mosquitto.org], exits: [{ port: 1883, to: "127.0.0.1:\(broker.port)" }] } }
            apps: { publisher: { image: publisher.imagepackage } }
            devices: { lamp: { network: home, apps: [publisher], app-memory: 2048KiB } }
            """, "lamps.yaml")
        _ = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("the end") { testbed.journal.contains("publisher: exit code") }
        }
        try await stopBroker(testbed)
        #expect(testbed.journal.contains("publisher: exit code 0"))
        let heard = (try? String(contentsOfFile: broker.log, encoding: .utf8)) ?? ""
        #expect(heard.contains("Received PUBLISH from lamp (d0, q1, r0, m1, 'orders/now', ... (3 bytes))"), "\(heard)")
    }

    @Test func mosquittoHearsItsClient() async throws {
        let testbed = try Testbed()
        let broker = try await startBroker(testbed)
        let exits = ["--exit", "test.mosquitto.org:1883=127.0.0.1:\(broker.port)", "--for", "60s"]
        let sent = try await run(
            testbed, exits, "mosquitto_pub", "-h", "test.mosquitto.org", "-i", "lamp", "-q", "1", "-t", "orders/now", "-m", "dim")
        try await stopBroker(testbed)
        let heard = (try? String(contentsOfFile: broker.log, encoding: .utf8)) ?? ""
        #expect(sent.code == 0 && sent.errors.isEmpty, "\(sent.errors)")
        #expect(heard.contains("Received PUBLISH from lamp (d0, q1, r0, m1, 'orders/now', ... (3 bytes))"), "\(heard)")
    }

    /// Whoever reads goes first, or there is no room for more: as for a program of the shell's own.
    @Test func standardOutputMayEnd() async throws {
        let testbed = try Testbed()
        let emulate = "'\(Testbed.orreryPath)' emulate --root '\(Self.root)' busybox"
        let pipe = "{ \(emulate) -- yes 2>errors; echo $? >code; } | head -1; cat errors code; \(emulate) -- seq 9 2>&1 >/dev/full; echo $?"
        let output = try await testbed.tool("/bin/sh", ["-c", pipe])
        #expect(output == "y\n141\ncannot write standard output: No space left on device\n74\n")
    }

    @Test func whatIsMissingIsNamed() async throws {
        let testbed = try Testbed()
        let lua = Self.root + "/usr/bin/lua5.4"
        func refusal(_ arguments: [String]) async throws -> String {
            let ended = try await testbed.orrery(["emulate"] + arguments)
            #expect(ended.code == 64, "\(arguments): \(ended.errors)")
            return ended.errors
        }
        #expect(try await refusal([lua]).contains("/bin/lua5.4 needs /lib/ld-linux-armhf.so.3 to load its libraries, which is not there"))
        #expect(try await refusal(["--core", "a7", "/bin/true"]).contains(/is a program for (x86-64|AArch64), not for 32-bit ARM/))
        #expect(try await refusal(["--root", Self.root, "nosuch"]).contains("there is no program nosuch"))
        #expect(try await refusal(["--root", lua, "lua5.4"]).contains("is no folder"))
        for (option, words) in [
            (["--gdb", "0"], "--gdb: follows a real-time core"), (["--save", "x"], "--save: the OS around a program"),
            (["--trace", "irq"], "has no interrupts"), (["--uart", "debug"], "is a real-time core's"), (["--memory", "3"], "is no size"),
            (["--env", "x"], "is not NAME=VALUE"), (["--exit", "x"], "invalid"),
            (["--core", "m4"], "not for --core m4"),
            (["--exit", "a:80=127.0.0.1:80", "--exit", "a:80=127.0.0.1:81"], "two lead from a:80"),
        ] { #expect(try await refusal(["--root", Self.root] + option + ["lua5.4"]).contains(words), "\(option)") }
        #expect(
            try await refusal([Testbed.root + "/.build/guest/tests/tick.elf", "--memory", "1MiB"]).contains("for programs on the A7 only"))
        let script = try testbed.write("#!/bin/sh\ntrue\n", "script")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        #expect(try await refusal(["--root", testbed.folder, "/script"]).contains("/script is a script for /bin/sh, which is not there"))
        // A library, which the loader names.
        try FileManager.default.createDirectory(atPath: testbed.folder + "/r/lib", withIntermediateDirectories: true)
        for (from, to) in [(lua, "lua"), (Self.root + "/lib/arm-linux-gnueabihf/ld-linux-armhf.so.3", "lib/ld-linux-armhf.so.3")] {
            try FileManager.default.copyItem(atPath: from, toPath: testbed.folder + "/r/" + to)
        }
        let library = try await testbed.orrery(["emulate", "--root", testbed.folder + "/r", "/lua"])
        #expect(library.code == 127 && library.errors.contains("error while loading shared libraries: lib"), "\(library.errors)")
    }

    /// Links are followed inside of the folder only, absolute ones from its top; what is read-only stays as it is.
    @Test func nothingLeadsOutOfTheFolder() async throws {
        let testbed = try Testbed()
        let folder = testbed.folder + "/r"
        _ = try testbed.write("secret", "secret")
        try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Self.root + "/bin/busybox", toPath: folder + "/bin/busybox")
        for (name, target) in [("up", "../../secret"), ("absolute", testbed.folder + "/secret"), ("out", ".."), ("inside", "/bin/busybox")]
        {
            try FileManager.default.createSymbolicLink(atPath: "\(folder)/\(name)", withDestinationPath: target)
        }
        let script =
            "cat /up; cat /absolute; cat /out/secret; ls /out/; cat /../../secret; test -x /inside && echo inside; echo x > /bin/new; ls /bin"
        let laid = try await testbed.orrery(["emulate", "--root", folder, "busybox", "--", "sh", "-c", script])
        #expect(!laid.output.contains("secret") && laid.errors.split(separator: "\n").count == 4, "\(laid.errors)")
        #expect(laid.output.hasSuffix("inside\nbusybox\nnew\n") && laid.code == 0, "\(laid.output)")
        let closed = try await testbed.orrery(
            ["emulate", "--root", folder, "--read-only", "busybox", "--", "sh", "-c", "echo x > /tmp/x && cat /tmp/x; echo x > /bin/new"])
        #expect(closed.output == "x\n" && closed.errors.contains("Read-only file system") && closed.code == 1, "\(closed.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/bin") == ["busybox"])
    }

    @Test func whatAProgramDoesIsTold() async throws {
        let testbed = try Testbed()
        let traced = try await run(
            testbed, ["--trace", "calls", "--timestamps", "--env", "A=b"], "busybox", "sh", "-c", "echo one; sleep 1; echo $A; cat /no")
        #expect(traced.output.contains(/^\[0\.\d{6}\] one\n\[1\.\d{6}\] b\n$/), "\(traced.output)")
        #expect(traced.errors.contains(#"open("/no", "#) || traced.errors.contains(#"openat(-100, "/no", "#))
        #expect(traced.errors.contains("= -1 ENOENT") && traced.errors.contains("] busybox[1] write("))
    }
}

/// An HTTP server of a test's: it says what it was asked for.
final class PageServer: @unchecked Sendable {
    private let server: LoopbackServer
    private let hasEnded = Atomic(false)

    var port: UInt16 { server.port }

    init?() {
        guard let server = LoopbackServer(port: 0) else { return nil }
        self.server = server
        Thread.detachNewThread { [self] in while !hasEnded.load(ordering: .sequentiallyConsistent) { serve() } }
    }

    func stop() {
        hasEnded.store(true, ordering: .sequentiallyConsistent)
        _ = LoopbackConnection(port: port)
    }

    private func serve() {
        guard let client = server.accept() else { return }
        var request = ""
        while !request.contains("\r\n\r\n"), let bytes = client.read(milliseconds: 5000), !bytes.isEmpty {
            request += String(decoding: bytes, as: UTF8.self)
        }
        let lines = request.split(separator: "\r\n")
        guard let first = lines.first, let host = lines.first(where: { $0.hasPrefix("Host: ") }) else { return }
        let body = "\(first.split(separator: " ").dropFirst().first ?? "nothing") for \(host.dropFirst(6))\n"
        client.write(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)".utf8))
    }
}

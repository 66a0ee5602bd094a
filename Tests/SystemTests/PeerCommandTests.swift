import Foundation
import Runtime
import Testing

/// `orrery emulate` with somebody at its UARTs, and with several programs.
@Suite(.serialized) struct PeerCommandTestsSerial {
    private func program(_ name: String) -> String { Testbed.root + "/.build/guest/tests/\(name).elf" }

    /// A server on this machine hears the chip, answers, and goes: that is said, and the run ends when it is over.
    @Test func aServerIsAtAUART() async throws {
        let testbed = try Testbed()
        let server = try testbed.write(
            """
            import socket
            door = socket.socket()
            door.bind(("127.0.0.1", 0))
            door.listen(1)
            open("port", "w").write(str(door.getsockname()[1]))
            peer, _ = door.accept()
            lines = peer.makefile("rwb", 0)
            first = lines.readline()
            lines.write(b"from outside\\n")
            print(first, lines.readline())
            peer.close()

            """, "server.py")
        let script = """
            cd '\(testbed.folder)'
            python3 '\(server)' > heard &
            until [ -s port ]; do sleep 0.05; done
            '\(Machine.executableFolder)/orrery' emulate '\(program("dialogue"))' --for 2s --uart isu0=tcp:127.0.0.1:$(cat port) 2>&1
            wait
            cat heard
            """
        let output = try await testbed.tool("/bin/sh", ["-c", script])
        #expect(output.contains("isu0 is at 127.0.0.1:") && output.contains("heard from outside") && output.contains(" has closed"))
        #expect(output.contains("b'hello\\n' b'2\\n'"), "\(output)")
    }

    @Test func aTerminalIsAtAUART() async throws {
        let testbed = try Testbed()
        let errors = testbed.folder + "/errors"
        let script = """
            '\(Machine.executableFolder)/orrery' emulate '\(program("dialogue"))' --for 3s --uart isu0=pty 2> '\(errors)' &
            until grep -q 'isu0 is at' '\(errors)'; do sleep 0.05; done
            terminal=$(sed -n 's/isu0 is at //p' '\(errors)')
            printf 'typed\\n' > "$terminal"
            wait
            """
        let output = try await testbed.tool("/bin/sh", ["-c", "{ \(script)\n} || true"])
        #expect(output.contains("heard typed"), "\(output)")
    }

    @Test func scriptsAndSeveralProgramsRunInVirtualTime() async throws {
        let testbed = try Testbed()
        let script = try testbed.write("at 1s send \"one\\n\" expect \"3\\n\" within 1ms\n", "dialogue.txt")
        let said = testbed.folder + "/said"
        let one = try await testbed.orrery([
            "emulate", program("dialogue"), "--for", "2s", "--uart", "isu0=script:\(script)", "--uart", "debug=file:\(said)",
        ])
        #expect(one.output.contains("heard one\r\n") && !one.errors.contains("expected"), "\(one.output)\(one.errors)")
        #expect(try String(contentsOfFile: said, encoding: .utf8) == "heard one\r\n")
        // Two real-time cores with a wire, and an app on the A7.
        let busybox = "\(Testbed.root)/.build/armhf/root/bin/busybox"
        let arguments = [
            "emulate", program("busmaster"), program("busslave"), busybox, "--for", "1s", "--attach", "wire@isu1:isu2", "--timestamps",
            "--", "sh", "-c", "sleep 0.5; echo done; exit 4",
        ]
        let three = try await testbed.orrery(arguments)
        let lines = three.output.split(whereSeparator: \.isNewline)
        #expect(three.code == 4, "\(three.errors)")
        #expect(lines.count == 7 && lines.first?.hasPrefix("busmaster.elf | [0.00") == true && lines.first?.hasSuffix("1 is 7") == true)
        #expect(lines.last == "busybox       | done", "\(three.output)")
        #expect(try await testbed.orrery(arguments).output == three.output)
    }

    @Test func whatCannotBeIsRefused() async throws {
        let testbed = try Testbed()
        for (arguments, words) in [
            ([program("dialogue"), "--clock", "virtual", "--uart", "isu0=pty"], "does not wait for virtual time"),
            ([program("dialogue"), "--uart", "isu0=tcp:127.0.0.1:1"], "nobody listens on 127.0.0.1:1"),
            ([program("dialogue"), "--uart", "isu0=tcp:10.0.0.1:80"], "a server on this machine"),
            ([program("dialogue"), "--uart", "isu9=pty"], "serial@isu9"),
            ([program("dialogue"), "--uart", "isu0=script:/nowhere"], "cannot read the script /nowhere"),
            ([program("dialogue"), program("tick"), program("tick")], "two real-time cores"),
            ([program("dialogue"), program("tick"), "--gdb", "0"], "--gdb is for one program"),
            ([program("dialogue"), "/nowhere"], "cannot read /nowhere"),
        ] {
            let answer = try await testbed.orrery(["emulate"] + arguments)
            #expect(answer.code == 64 && answer.errors.contains(words), "\(arguments): \(answer.errors)")
        }
        let topology = try topology(testbed, "serial@isu0:pty")
        #expect(try await testbed.orrery(["validate", topology]).code == 0)
        let refused = try await testbed.orrery(["run", topology])
        #expect(refused.code != 0 && refused.errors.contains("does not wait for virtual time"), "\(refused.errors)")
    }

    private func topology(_ testbed: Testbed, _ attachment: String) throws -> String {
        _ = try testbed.write(
            """
            {"SchemaVersion": 1, "Name": "dialogue", "ComponentId": "25025d2c-66da-4448-bae1-ac26fcdd3635", "EntryPoint": "/bin/app",
             "Capabilities": {"Uart": ["ISU0"]}, "ApplicationType": "RealTimeCapable"}
            """, "dialogue.json")
        return try testbed.write(
            """
            name: lamps
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            apps: { dialogue: { program: '\(program("dialogue"))', manifest: dialogue.json } }
            devices: { lamp: { network: home, apps: [dialogue], attach: ['\(attachment)'] } }
            """, "outside.yaml")
    }

    /// In a fleet on the wall clock: a server hears a device's UART, answers, and goes; a terminal's path is beside the device's state.
    @Test func devicesOfAFleetHaveSomebodyOutside() async throws {
        let testbed = try Testbed()
        let server = try testbed.write(
            """
            import socket, sys
            door = socket.socket()
            door.bind(("127.0.0.1", 0))
            door.listen(1)
            print(door.getsockname()[1], flush=True)
            peer, _ = door.accept()
            lines = peer.makefile("rwb", 0)
            first = lines.readline()
            lines.write(b"from outside\\n")
            open("heard", "wb").write(first + lines.readline())
            peer.close()

            """, "server.py")
        let script = "python3 '\(server)' > port 2>&1 & until [ -s port ]; do sleep 0.05; done; cat port"
        let port = try await testbed.tool("/bin/sh", ["-c", script]).trimmingCharacters(in: .whitespacesAndNewlines)
        let run = try await testbed.orrery(["run", try topology(testbed, "serial@isu0:tcp:127.0.0.1:\(port)"), "--clock", "wall"]) {
            process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("the server's end") { testbed.journal.contains("the other side has closed") }
        }
        #expect(testbed.journal.contains("heard from outside"), "\(run.errors)")
        #expect(try String(contentsOfFile: testbed.folder + "/heard", encoding: .utf8) == "hello\n2\n")
    }

    @Test func terminalsAndNobodyInAFleet() async throws {
        let testbed = try Testbed()
        _ = try await testbed.orrery(["run", try topology(testbed, "serial@isu0:pty"), "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            let place = testbed.folder + "/runs/lamps/latest/state/lamp/isu0-terminal"
            try await testbed.wait("the terminal") { FileManager.default.fileExists(atPath: place) }
            let script = #"path=$(cat '\#(place)'); read -r hello < "$path"; printf 'typed\n' > "$path"; echo "$hello""#
            #expect(try await testbed.tool("/bin/sh", ["-c", script]) == "hello\n")
            try await testbed.wait("the line") { testbed.journal.contains("heard typed") }
        }
        let other = try Testbed()
        _ = try await other.orrery(["run", try topology(other, "serial@isu0:tcp:127.0.0.1:1"), "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await other.wait("the word") { other.journal.contains("\"text\":\"nobody is there\"") }
        }
    }
}

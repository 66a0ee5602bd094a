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
        let topology = try testbed.write(
            """
            name: lamps
            stop: 1m
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            devices: { lamp: { network: home, attach: ['serial@isu0:pty'] } }
            """, "outside.yaml")
        let refused = try await testbed.orrery(["validate", topology])
        #expect(refused.code != 0 && (refused.errors + refused.output).contains("are for `orrery emulate`"), "\(refused.errors)")
    }
}

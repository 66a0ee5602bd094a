import Foundation
import Testing

/// A device by cable: `orrery device`, and a client of somebody else's.
@Suite(.serialized) struct ServicePortTestsSerial {
    @Test func aRunningDeviceIsAskedAndToldOverItsServicePort() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(
            """
            name: cable
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            devices: { hall: { network: home, apps: [panel, compressor] } }
            """, "cable.yaml")
        let device = "runs/cable/latest/hall"
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("attestation") { testbed.journal.contains("\"certificate-issued\"") }
            func ask(_ words: String...) async throws -> Testbed.Ended { try await testbed.orrery(["device", device] + words) }
            #expect(try await ask("osversion").output == "{\"osversion\":\"26.11\"}\n")
            #expect(try await ask("log").output.contains("panel: panel: listening on port 8080"))
            #expect(try await ask("app", "stop", "panel").output.contains("\"state\":\"stopped\""))
            #expect(try await ask("app").output.contains("\"name\":\"panel\",\"state\":\"stopped\""))
            #expect(try await ask("app", "start", "panel").output.contains("\"state\":\"running\""))
            #expect(try await ask("app", "stop", "oven").code == 1)
            #expect(try await ask("app", "eat", "panel").code == 64)
            let url = try await ask("url").output.trimmingCharacters(in: .whitespacesAndNewlines)
            let state = try await testbed.tool("/usr/bin/curl", ["-s", url + "/device/security_state"])
            #expect(state.contains("\"securityState\":\"secure\""))
            // Apps come in over the cable with a capability for this device alone.
            let app = "\(Testbed.root)/Sources/Guest/Tests/apps/secure/app_manifest.json"
            let package = testbed.folder + "/secure.imagepackage"
            _ = try await testbed.orrery([
                "image", "pack", "--manifest", app, "--program", "\(Testbed.root)/.build/guest/tests/secure.elf", "-o", package,
            ])
            #expect(try await ask("sideload", package).errors.contains("appDevelopment capability is missing"))
            #expect(try await ask("enable-development").output == "{\"status\":\"ok\"}\n")
            #expect(
                try await testbed.tool("/usr/bin/curl", ["-s", url + "/device/capabilities"]) == "{\"device_capabilities\":[1]}")
            #expect(try await ask("sideload", package).output == "{\"status\":\"ok\"}\n")
            try await testbed.wait("the message") { testbed.journal.contains("\"message-received\"") }
            // A pin of the block in which the compressor's PWM lies.
            let manifest = try String(contentsOfFile: app, encoding: .utf8).replacing("-66da-", with: "-77da-")
            let wanting = try testbed.write(
                manifest.replacing("\"Capabilities\": {", with: "\"Capabilities\": { \"Gpio\": [1],"), "pin.json")
            let pinPackage = testbed.folder + "/pin.imagepackage"
            _ = try await testbed.orrery([
                "image", "pack", "--manifest", wanting, "--program", "\(Testbed.root)/.build/guest/tests/secure.elf", "-o", pinPackage,
            ])
            #expect(try await ask("sideload", pinPackage).errors.contains("apps compressor and Secure both want GPIO block 0 (pins 0-3)"))
            var changed = try Data(contentsOf: URL(fileURLWithPath: package))
            changed[200] ^= 1
            try changed.write(to: URL(fileURLWithPath: package))
            #expect(try await ask("sideload", package).errors.contains("bad signature"))
            let stranger = try testbed.write("CAP1" + String(repeating: "x", count: 132), "stranger")
            #expect(
                try await testbed.tool("/usr/bin/curl", ["-s", "-T", stranger, url + "/update/stage"]).contains(
                    "capability file: malformed"))
            #expect(try await testbed.tool("/usr/bin/curl", ["-s", "-X", "POST", url + "/update/install"]).contains("nothing is staged"))
            let refused = try await testbed.tool("/usr/bin/curl", ["-s", "-X", "PUT", "--data-binary", "image", url + "/update/stage"])
            #expect(refused == "{\"error\":\"no image package of an app\"}")
            #expect(try await testbed.tool("/usr/bin/curl", ["-s", url + "/../../etc"]).contains("no such resource"))
            #expect(try await ask("restart").output == "{\"restartingSystem\":true}\n")
            try await testbed.wait("the restart") { testbed.journal.contains("asked over the service port") }
        }
        #expect(ended.output.contains("cable: 1 devices"), "\(ended.output)\(ended.errors)")
        // Whoever is not there any more says so.
        let late = try await testbed.orrery(["device", device])
        #expect(late.code == 1 && late.errors.contains("does not answer"))
        #expect(try await testbed.orrery(["device", "nowhere/hall"]).code == 64)
    }

    /// All of flash anew, by our own sender and by somebody else's.
    @Test func aDeviceIsRecoveredOverItsDebugUART() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(
            """
            name: cable
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            devices: { hall: { network: home } }
            """, "cable.yaml")
        let state = testbed.folder + "/runs/cable/latest/state"
        @Sendable func count(_ words: String) -> Int { testbed.journal.split(separator: "\n").count { $0.contains(words) } }
        _ = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("attestation") { count("\"certificate-issued\"") == 1 }
            func ask(_ words: String...) async throws -> Testbed.Ended {
                try await testbed.orrery(["device", "runs/cable/latest/hall"] + words)
            }
            _ = try await ask("enable-development")
            let recovered = try await ask("recover")
            #expect(recovered.output == "recovery complete\n" && recovered.errors.contains("\n4/10 03-trusted-keystore.bin\n"))
            // What was in flash is gone, what is in fuses is not: it attests itself anew.
            try await testbed.wait("attestation anew") { count("\"certificate-issued\"") == 2 }
            let url = try await ask("url").output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await testbed.tool("curl", ["-s", url + "/device/capabilities"]) == "{\"device_capabilities\":[]}")
            #expect(Set(testbed.journal.matches(of: /"device-id":"([0-9a-f]+)"/).map(\.1)).count <= 1)
            let port = try String(contentsOfFile: state + "/hall/recovery-port", encoding: .utf8).filter(\.isNumber)
            _ = try await testbed.tool(
                "bash",
                [
                    "-c",
                    """
                    exec 3<>/dev/tcp/127.0.0.1/\(port)
                    for file in \(state)/base-bare-recovery/*; do sx -k "$file" <&3 >&3 2>/dev/null || exit 1; done
                    """,
                ])
            try await testbed.wait("attestation once more") { count("\"certificate-issued\"") == 3 }
            #expect(count("\"result\":\"complete\"") == 2)
            let wrong = try await ask("recover", state + "/base-bare-recovery/03-trusted-keystore.bin")
            #expect(wrong.code == 1 && wrong.errors.contains("recovery error \(39 << 20 + 9)"))
            try await testbed.wait("the old images to boot") { count("\"os-ready\"") == 4 }
        }
    }
}

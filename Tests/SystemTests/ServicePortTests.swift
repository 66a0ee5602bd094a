import Foundation
import Testing

/// A device by cable: `orrery device`, and a client of somebody else's.
@Suite(.serialized) struct ServicePortTestsSerial {
    @Test func aRunningDeviceIsAskedAndToldOverItsServicePort() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(
            """
            name: cable
            stop: 10m
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
            #expect(try await testbed.tool("/usr/bin/curl", ["-s", url + "/device/security_state"]) == "{\"securityState\":\"secure\"}")
            let refused = try await testbed.tool("/usr/bin/curl", ["-s", "-X", "PUT", "--data-binary", "image", url + "/update/stage"])
            #expect(refused == "{\"error\":\"appDevelopment capability is missing\"}")
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
}

import Foundation
import Testing

/// An app that speaks MQTT to somebody else's broker, through a gateway out of the emulated network.
@Suite(.serialized) struct BrokerTestsSerial {
    private static let folder = Testbed.root + "/.build/mosquitto/root/usr"

    /// Debian's programs, from where they were unpacked.
    private func debian(_ testbed: Testbed, _ command: String) async throws -> String {
        try await testbed.tool(
            "/bin/sh",
            ["-c", "LD_LIBRARY_PATH=$(echo \(Self.folder)/lib/*-linux-gnu) PATH=\(Self.folder)/sbin:\(Self.folder)/bin:$PATH \(command)"])
    }

    /// A certification authority and a certificate for the broker, by openssl.
    private func makeCertificates(_ testbed: Testbed) async throws {
        let script = """
            cd '\(testbed.folder)'
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=broker-ca -days 2 -addext keyUsage=critical,keyCertSign,cRLSign
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout broker.key -out broker.csr -subj /CN=broker
            printf 'subjectAltName=DNS:broker.acme.internal\\nextendedKeyUsage=serverAuth\\nkeyUsage=digitalSignature\\n' > broker.ext
            openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile broker.ext -days 2 -out broker.pem
            """
        _ = try await testbed.tool("/bin/sh", ["-ec", script])
    }

    @Test func mosquittoKnowsTheDeviceByItsCertificate() async throws {
        let testbed = try Testbed()
        try await makeCertificates(testbed)
        let app = "\(Testbed.root)/Sources/Guest/Tests/apps/mqtt/app_manifest.json"
        let packed = try await testbed.orrery([
            "image", "pack", "--manifest", app, "--program", "\(Testbed.root)/.build/guest/tests/mqtt.elf", "--resource",
            "certs/broker.pem=\(testbed.folder)/ca.pem", "-o", testbed.folder + "/mqtt.imagepackage",
        ])
        #expect(packed.code == 0, "\(packed.errors)")
        let secure = Int.random(in: 20_000...59_998)
        let file = try testbed.write(
            """
            name: broker
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            gateways: { broker: { network: cloud, exits: [{ port: 8883, to: "127.0.0.1:\(secure)" }] } }
            apps: { mqtt: { image: mqtt.imagepackage } }
            devices: { lamp: { network: home, apps: [mqtt] } }
            """, "broker.yaml")
        let configuration = try testbed.write(
            """
            pid_file \(testbed.folder)/pid
            log_dest file \(testbed.folder)/log
            log_type all
            per_listener_settings true
            listener \(secure) 127.0.0.1
            cafile \(testbed.folder)/devices.pem
            certfile \(testbed.folder)/broker.pem
            keyfile \(testbed.folder)/broker.key
            require_certificate true
            use_identity_as_username true
            listener \(secure + 1) 127.0.0.1
            allow_anonymous true
            user root
            """, "mosquitto.conf")
        let ended = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("attestation") { testbed.journal.contains("\"certificate-issued\"") }
            let state = "\(testbed.folder)/runs/broker/latest/state/authority"
            _ = try await testbed.tool(
                "/bin/sh",
                [
                    "-ec",
                    "cd '\(state)'; for f in root policy catalog; do openssl x509 -inform der -in $f.der; done > '\(testbed.folder)/devices.pem'",
                ])
            _ = try await debian(testbed, "mosquitto -d -c '\(configuration)'")
            @Sendable func log() -> String { (try? String(contentsOfFile: testbed.folder + "/log", encoding: .utf8)) ?? "" }
            try await testbed.wait("the subscription") { log().contains("Received PINGREQ from lamp") }
            for order in ["dim", "stop"] {
                _ = try await debian(testbed, "mosquitto_pub -h 127.0.0.1 -p \(secure + 1) -q 1 -t orders/now -m \(order)")
            }
            try await testbed.wait("the end") {
                testbed.journal.contains("\"text\":\"stopped\"") && log().contains("Received DISCONNECT from lamp")
            }
            // Named by the device ID in its certificate, of which a common name holds the first half.
            #expect(log().contains(/as lamp \(p2, c1, k60, u'[0-9a-f]{64}'\)/), "\(log())")
            #expect(log().contains("Received PUBLISH from lamp (d0, q0, r0, m0, 'state', ... (3 bytes))"))
            #expect(log().contains("Received PUBLISH from lamp (d0, q1, r0, m2, 'state', ... (4 bytes))"))
            _ = try await testbed.tool("/bin/sh", ["-c", "kill $(cat '\(testbed.folder)/pid')"])
        }
        #expect(testbed.journal.contains("\"text\":\"subscribe 0, wildcard -1, publish 0 0, ping 0\""), "\(ended.errors)")
        #expect(testbed.journal.contains("\"text\":\"orders/now: dim\"") && testbed.journal.contains("\"text\":\"orders/now: stop\""))
    }
}

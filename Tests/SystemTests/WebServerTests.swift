import Foundation
import Testing

/// Apps that reach servers of the world's by their names, through a gateway: real `openssl s_server`s with the chains that those have.
@Suite(.serialized) struct WebServerTestsSerial {
    /// An RSA chain, one on P-384, and a key that is too short.
    private func makeCertificates(_ testbed: Testbed) async throws {
        let script = """
            cd '\(testbed.folder)'
            chain() { # NAME AUTHORITY'S-KEY KEY
                openssl req -x509 -newkey $2 -nodes -keyout $1-ca.key -out $1-ca.pem -subj "/CN=$1 authority" -days 2
                openssl req -newkey $3 -nodes -keyout $1.key -out $1.csr -subj /CN=www.example.com
                printf 'subjectAltName=DNS:www.example.com\\n' > $1.ext
                openssl x509 -req -in $1.csr -CA $1-ca.pem -CAkey $1-ca.key -CAcreateserial -extfile $1.ext -days 2 -sha384 -out $1.pem
            }
            chain rsa rsa:3072 rsa:2048
            chain p384 'ec -pkeyopt ec_paramgen_curve:P-384' 'ec -pkeyopt ec_paramgen_curve:P-384'
            chain short rsa:2048 rsa:1024
            cat rsa-ca.pem p384-ca.pem short-ca.pem > roots.pem
            """
        _ = try await testbed.tool("/bin/sh", ["-ec", script])
    }

    @Test func otherChainsAndAnOlderTLS() async throws {
        let testbed = try Testbed()
        try await makeCertificates(testbed)
        let packed = try await testbed.orrery([
            "image", "pack", "--manifest", "\(Testbed.root)/Sources/Guest/Tests/apps/web/app_manifest.json", "--program",
            "\(Testbed.root)/.build/guest/tests/web.elf", "--resource", "certs/roots.pem=\(testbed.folder)/roots.pem", "-o",
            testbed.folder + "/web.imagepackage",
        ])
        #expect(packed.code == 0, "\(packed.errors)")
        let port = Int.random(in: 20_000...59_990)
        let file = try testbed.write(
            """
            name: web
            stop: 12h
            networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
            links: [[home, cloud]]
            service: { network: cloud, catalog: acme }
            gateways:
              internet:
                network: cloud
                names: [www.example.com, "*.example.com"]
                exits:
                  - { port: 443, to: "127.0.0.1:\(port)" }
                  - { port: 444, to: "127.0.0.1:\(port + 1)" }
                  - { port: 445, to: "127.0.0.1:\(port + 2)" }
            apps: { web: { image: web.imagepackage } }
            devices: { lamp: { network: home, apps: [web] } }
            """, "web.yaml")
        let servers = """
            cd '\(testbed.folder)'
            serve() { openssl s_server -www -accept 127.0.0.1:$1 -cert $2.pem -key $2.key $3 < /dev/null > $2.log 2>&1 & echo $! >> pids; }
            serve \(port) rsa '-tls1_2 -verify 3'
            serve \(port + 1) p384 -tls1_3
            serve \(port + 2) short '-tls1_2 -cipher ALL:@SECLEVEL=0'
            """
        _ = try await testbed.tool("/bin/sh", ["-c", servers])
        _ = try await testbed.orrery(["run", file, "--clock", "wall"]) { process in
            defer { kill(process, SIGINT) }
            try await testbed.wait("the end") { testbed.journal.contains("\"text\":\"done\"") }
        }
        _ = try await testbed.tool("/bin/sh", ["-c", "kill $(cat '\(testbed.folder)/pids')"])
        let said = testbed.journal.split(separator: "\n").compactMap { $0.firstMatch(of: /"text":"([^"]*:\d+: [^"]*|without[^"]*)"/) }.map {
            String($0.1)
        }
        #expect(
            said == [
                "www.example.com:443: New, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384",
                "www.example.com:444: New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256",
                // By the device's own rule these are no roots; a name that is not in the certificate; a key that is too short.
                "www.example.com:443: Invalid argument", "api.example.com:443: Protocol error", "www.example.com:445: Protocol error",
                "www.example.com:443: New, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384, knows us", "without roots: -1 Invalid argument",
            ])
    }
}

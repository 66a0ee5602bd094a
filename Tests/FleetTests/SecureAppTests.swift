import Catalogue
import Testing
import Wire

@testable import Provisioning
@testable import RunFiles

/// Apps that speak TLS, which the OS makes for them.
@Suite struct SecureAppTests {
    private func fleet(off: [Control] = []) throws -> Fleet {
        let fleet = try Fleet(
            Fleet.topology(stop: "10m", devices: "lamp: { network: home, apps: [secure] }").replacing(
                "devices:",
                with: """
                    apps:
                      secure:
                        program: \(Fleet.root)/.build/guest/tests/secure.elf
                        manifest: \(Fleet.root)/Sources/Guest/Tests/apps/secure/app_manifest.json
                    devices:
                    """), off: off)
        _ = try fleet.run()
        return fleet
    }

    @Test func theDevicesCertificateIsShownAndItsKeyIsNot() throws {
        let fleet = try fleet()
        #expect(
            fleet.facts(.appLog, at: "lamp").map { $0.fact.text(.text) } == [
                "before: -1 Resource temporarily unavailable", "certificate: -----BEGIN CERTIFICATE-----", "device: HTTP/1.1 200",
                "own roots: Protocol error", "nobody: Protocol error", "no TLS there: Protocol error",
                "no roots: Invalid argument", "no file: No such file or directory",
                "not connected: -1 Transport endpoint is not connected",
            ])
        let received = fleet.facts(.messageReceived)
        #expect(received.count == 1 && received.first?.fact.text(.device) == "lamp" && received.first?.fact.text(.text) == "hi")
        let failed = fleet.facts(.handshake, at: "lamp").filter { $0.fact.text(.result) == "failed" }
        #expect(failed.map { $0.fact.text(.reason) } == ["unknown issuer", "wrong version number"])
        let took = fleet.facts(.handshake, at: "lamp").first { $0.fact.text(.mode) == "mutual" }?.fact.number(.durationNanoseconds)
        // Two round trips of 76 ms, and what a microcontroller needs to sign, verify and agree.
        #expect((took ?? 0) > 90_000_000)
    }

    /// What whoever runs the fleet switches off is off for apps, too.
    @Test func withoutEncryptionAppsSpeakInClear() throws {
        let fleet = try fleet(off: [.transportEncryption])
        let said = fleet.facts(.appLog, at: "lamp").map { $0.fact.text(.text) }
        #expect(said.contains("device: HTTP/1.1 401"), "\(said)")
        #expect(fleet.facts(.handshake, at: "lamp").allSatisfy { $0.fact.text(.mode) != "mutual" })
    }

    /// Somebody else's TLS: curl with wolfSSL, whose signature the OS makes.
    @Test func curlShowsTheDevicesCertificate() throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "10m", devices: "lamp: { network: home, apps: [curl] }").replacing(
                "devices:",
                with: """
                    apps:
                      curl:
                        program: \(Fleet.root)/.build/guest/tests/curl.elf
                        manifest: \(Fleet.root)/Sources/Guest/Tests/apps/curl/app_manifest.json
                    devices:
                    """))
        _ = try fleet.run()
        let said = fleet.facts(.appLog, at: "lamp").map { $0.fact.text(.text) ?? "" }
        #expect(said.first?.hasPrefix("libcurl/") == true && said.contains("context: 3"), "\(said)")
        #expect(said.contains("too early: Problem with the local SSL certificate, 0"), "\(said)")
        #expect(said.contains("device: No error, 200") && said.count { $0.hasSuffix(", 200") } == 1, "\(said)")
        #expect(fleet.facts(.messageReceived).map { $0.fact.text(.device) } == ["lamp"])
    }
}

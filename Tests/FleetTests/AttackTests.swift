import Adversary
import Catalogue
import Injector
import Judging
import Planning
import Testing
import Wire

/// Every attack fails with all controls on, and succeeds when a control that stops it is off: an attack that
/// cannot succeed proves nothing.
@Suite struct AttackTests {
    /// Two devices, one of them with an app and looking for updates often; two releases, the second under attack.
    static let topology = Fleet.topology(
        stop: "200m", devices: "fridge: { network: home, apps: [compressor, panel], peers: [oven], update-every: 10m }",
        "oven:   { network: home, peers: [fridge], update-every: 10m }")

    /// A flood does the same thousands of times in a minute; the others have time for a release and a certificate's renewal.
    private static func length(of attack: AttackName) -> String { attack == .credentialFlood ? "15m" : "140m" }

    private func verdict(
        _ attack: AttackName, off: [Control], parameters: String = "", length: String? = nil, stop: String = "200m"
    ) throws -> (verdict: Verdict, fleet: Fleet, alerts: [Detection.Alert]) {
        let length = length ?? Self.length(of: attack)
        let fleet = try Fleet(
            Self.topology.replacing("stop: 200m", with: "stop: \(stop)"),
            method: """
                  - { at: 5m, update: { image: compressor@2 } }
                  - { at: 40m, for: \(length), attack: \(attack.rawValue)\(parameters), target: { devices: fridge } }
                  - { at: 45m, update: { image: compressor@3 } }
                \(attack == .stolenSigningKey ? "  - { at: 62m, operator: rotate-update-keys }" : "")
                """, off: off)
        let report = try fleet.run()
        return (try #require(report.verdicts.first), fleet, report.detection.alerts)
    }

    @Test(arguments: [
        (AttackName.tlsInterception, [Control.certificateAuth]), (.tlsInterception, [.transportEncryption]),
        (.recordTamper, [.transportEncryption]), (.rogueDevice, [.attestationGate]), (.rogueDevice, [.mutualDeviceAuth]),
        (.rogueDevice, [.certificateAuth]), (.rogueDevice, [.transportEncryption]), (.clonedDevice, [.hardwareRootOfTrust]),
        (.dnsSpoof, [.certificateAuth]), (.dnsSpoof, [.transportEncryption]), (.recordReplay, [.transportEncryption]),
        (.timeSpoof, [.authenticatedTime]), (.downgrade, [.strongAlgorithms]), (.downgrade, [.transportEncryption]),
        (.staleMeasurement, [.nonces]), (.staleMeasurement, [.attestationGate]), (.modifiedImage, [.secureBoot]),
        (.bootGlitch, [.glitchHardening]), (.debugPort, [.debugLock]),
        (.updateRollback, [.rollbackProtection]), (.updateMixAndMatch, [.updateFreshness]), (.endlessData, [.requestLimits]),
        (.stolenDeviceKey, [.threatDetection]), (.stolenCatalogCA, [.attestationGate]), (.credentialFlood, [.requestLimits]),
        (.botnet, [.networkFirewall]), (.remoteExploit, [.stackProtection]), (.stolenSigningKey, [.signedUpdates, .secureBoot]),
    ]) func succeedsWithoutItsControl(attack: AttackName, off: [Control]) throws {
        let (verdict, _, alerts) = try verdict(attack, off: off)
        #expect(verdict.outcome == .compromised, "\(verdict)")
        #expect(!verdict.reason.isEmpty)
        // What comes of it is its doing too.
        #expect(alerts.allSatisfy { !$0.isFalse }, "\(alerts.filter(\.isFalse))")
    }

    @Test func freezesWithoutFreshness() throws {
        let (verdict, fleet, _) = try verdict(.updateFreeze, off: [.updateFreshness])
        #expect(verdict.outcome == .frozen, "\(verdict) \(fleet.facts(.attackStep)) \(fleet.facts(.updateCheck, at: "fridge"))")
        #expect(!fleet.facts(.updateInstalled).contains { $0.fact.number(.version) == 3 && $0.at < .start + .minutes(180) })
    }

    /// With all online keys and both keys for targets the metadata is as good as true; the image is still not.
    @Test func allUpdateKeysAreNotEnoughWithoutAnImageKey() throws {
        let parameters = ", keys: threshold"
        #expect(try verdict(.stolenSigningKey, off: [], parameters: parameters).verdict.outcome == .defended)
        let (verdict, fleet, _) = try verdict(.stolenSigningKey, off: [.secureBoot], parameters: parameters)
        #expect(verdict.outcome == .compromised, "\(verdict) \(fleet.facts(.updateCheck, at: "fridge").suffix(3))")
    }

    @Test(arguments: Injector.catalogue.attacks.all.map(\.name)) func failsWithAllControls(attack: AttackName) throws {
        let (verdict, fleet, _) = try verdict(attack, off: [])
        #expect(verdict.outcome == .defended, "\(verdict)")
        #expect(fleet.facts(.attackSucceeded).isEmpty)
        #expect(fleet.facts(.attackEnded).count == 1)
        // Nothing in a device hears a debug probe that is not answered.
        if attack != .debugPort { #expect(verdict.detectedBy != nil, "\(attack) goes unnoticed") }
    }

    /// Once the attacker is gone, the fleet works as before, and has the release that it was kept from.
    @Test(arguments: Injector.catalogue.attacks.all.map(\.name)) func leavesEverythingAsItFoundIt(attack: AttackName) throws {
        let (_, fleet, alerts) = try verdict(attack, off: [], length: "20m", stop: "2h")
        let after = fleet.facts(.exchange).filter { $0.at > .start + .minutes(75) && $0.node == "fridge" }
        #expect(!after.isEmpty)
        #expect(
            after.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(after.filter { $0.fact.text(.result) != "accepted" }.prefix(3))")
        #expect(fleet.facts(.updateInstalled, at: "fridge").contains { $0.fact.number(.version) == 3 })
        #expect(alerts.allSatisfy { !$0.isFalse }, "\(alerts)")
    }

    /// The attacker's own failures are not the fleet's.
    @Test func metricsCountTheFleetAlone() throws {
        let fleet = try Fleet(method: "  - { at: 10m, for: 1h, attack: rogue-device, target: { devices: fridge } }")
        let report = try fleet.run()
        #expect(report.metrics.handshakes.values.allSatisfy { $0.attempts == $0.accepted })
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
        #expect(report.metrics.refusalsByServers["device-device"]?["self-signed"] == 1)
    }

    /// Certificates of a good boot are worth nothing to a changed one: it must be attested, and is not.
    @Test func aChangedImageLosesItsCertificates() throws {
        let (_, fleet, _) = try verdict(.modifiedImage, off: [.secureBoot], length: "20m")
        func during(_ observation: Observation) -> Bool { (.start + .minutes(40)..<(.start + .minutes(60))).contains(observation.at) }
        let lost = fleet.facts(.refusal, at: "fridge").filter { $0.fact.text(.operation) == "restore certificate" && during($0) }
        #expect(lost.count == 1)
        let appraised = fleet.facts(.evidenceAppraised).filter(during)
        #expect(!appraised.isEmpty && appraised.allSatisfy { $0.fact.text(.reason) == "measurement of services is not a reference value" })
        #expect(
            !fleet.facts(.exchange, at: "fridge").contains {
                during($0) && $0.fact.text(.operation) == "telemetry" && $0.fact.text(.result) == "accepted"
            })
        // Put right again, the old certificates are good again.
        #expect(fleet.facts(.certificateRestored, at: "fridge").contains { $0.at > .start + .minutes(60) })
    }

    @Test func aCopyIsRefusedForTheKeyThatItLacks() throws {
        let (_, fleet, _) = try verdict(.clonedDevice, off: [])
        #expect(
            fleet.facts(.refusal, at: "fridge-clone").first?.fact.text(.reason) == "their key is not that of this silicon and these images")
        let refused = fleet.facts(.evidenceAppraised).filter { $0.fact.text(.result) == "rejected" }
        #expect(refused.first?.fact.text(.reason) == "device is not claimed")
    }
}

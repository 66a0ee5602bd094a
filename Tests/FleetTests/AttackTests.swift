import Campaign
import Testing
import Wire

/// Every attack fails with all controls on, and succeeds when a control that stops it is off: an attack that
/// cannot succeed proves nothing.
@Suite struct AttackTests {
    private func verdict(_ attack: AttackName, target: String, off: [Control]) throws -> (Verdict, Fleet) {
        let fleet = try Fleet(
            method: "  - { at: 10m, for: 1h, attack: \(attack.rawValue), target: { devices: \(target) } }", off: off)
        let report = try fleet.run()
        return (try #require(report.verdicts.first), fleet)
    }

    @Test(arguments: [
        (AttackName.tlsInterception, Control.certificateAuth), (.tlsInterception, .transportEncryption),
        (.recordTamper, .transportEncryption), (.rogueDevice, .attestationGate), (.rogueDevice, .mutualDeviceAuth),
        (.rogueDevice, .certificateAuth), (.rogueDevice, .transportEncryption), (.clonedDevice, .hardwareRootOfTrust),
        (.dnsSpoof, .certificateAuth),
        (.dnsSpoof, .transportEncryption), (.recordReplay, .transportEncryption),
    ]) func succeedsWithoutItsControl(attack: AttackName, control: Control) throws {
        let (verdict, _) = try verdict(attack, target: "fridge", off: [control])
        #expect(verdict.outcome == .compromised, "\(verdict)")
        #expect(!verdict.reason.isEmpty)
    }

    @Test(arguments: AttackName.allCases) func failsWithAllControls(attack: AttackName) throws {
        let (verdict, fleet) = try verdict(attack, target: "fridge", off: [])
        #expect(verdict.outcome == .defended, "\(verdict)")
        #expect(fleet.facts(.attackSucceeded).isEmpty)
        #expect(fleet.facts(.attackEnded).count == 1)
    }

    /// Once the attacker is gone, the fleet works as before.
    @Test(arguments: AttackName.allCases) func leavesEverythingAsItFoundIt(attack: AttackName) throws {
        let fleet = try Fleet(
            method: "  - { at: 10m, for: 20m, attack: \(attack.rawValue), target: { devices: fridge } }")
        _ = try fleet.run()
        let end = Instant.start + .minutes(40)
        let after = fleet.facts(.exchange).filter { $0.at > end && $0.node == "fridge" }
        #expect(!after.isEmpty)
        #expect(after.allSatisfy { $0.fact.text(.result) == "accepted" })
    }

    /// The attacker's own failures are not the fleet's.
    @Test func metricsCountTheFleetAlone() throws {
        let fleet = try Fleet(method: "  - { at: 10m, for: 1h, attack: rogue-device, target: { devices: fridge } }")
        let report = try fleet.run()
        #expect(report.metrics.handshakes.values.allSatisfy { $0.attempts == $0.accepted })
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
        #expect(report.metrics.refusalsByServers["device-device"]?["self-signed"] == 1)
    }

    @Test func aCopyIsRefusedForTheKeyThatItLacks() throws {
        let (_, fleet) = try verdict(.clonedDevice, target: "fridge", off: [])
        #expect(fleet.facts(.refusal, at: "fridge-clone").first?.fact.text(.reason) == "the key is not in this silicon")
        let refused = fleet.facts(.evidenceAppraised).filter { $0.fact.text(.result) == "rejected" }
        #expect(refused.first?.fact.text(.reason) == "device is not claimed")
    }
}

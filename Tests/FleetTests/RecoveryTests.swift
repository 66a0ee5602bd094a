import Catalogue
import Judging
import Testing
import Wire

/// What a technician with a cable does to devices of a fleet.
@Suite struct FleetRecoveryTests {
    private static let homes = Fleet.topology(stop: "6h", devices: "fridge: { network: home }", "oven: { network: home }")

    @Test func aRecoveredDeviceIsAttestedAnew() throws {
        let fleet = try Fleet(Self.homes, method: "  - { at: 1h, operator: recover, target: { devices: [fridge] } }")
        let report = try fleet.run()
        let recovery = try #require(fleet.facts(.recovery, at: "fridge").first)
        #expect(recovery.fact.text(.result) == "complete")
        #expect(report.metrics.recoveries == 1 && report.metrics.recoveriesFailed == 0)
        // Some 230 KB at 115,200 baud.
        #expect((20...60).contains((recovery.at - (Instant.start + .hours(1))).components.seconds))
        #expect(fleet.facts(.certificateIssued).count { $0.at > recovery.at } == 1)
        #expect(fleet.facts(.osReady, at: "fridge").count == 2 && fleet.facts(.recovery, at: "oven").isEmpty)
    }

    /// The factory's images are older than what runs, and the device does not give up what it has for them.
    @Test(arguments: [true, false]) func anOldReleaseDoesNotComeBackThisWay(isProtected: Bool) throws {
        let fleet = try Fleet(
            Self.homes,
            method: """
                  - { at: 10m, update: { image: os@26.12 } }
                  - { at: 20m, operator: check-updates, target: { devices: [fridge] } }
                  - { at: 4h, operator: recover, images: factory, target: { devices: [fridge] } }
                """, off: isProtected ? [] : [.rollbackProtection])
        _ = try fleet.run()
        let recovery = try #require(fleet.facts(.recovery, at: "fridge").first)
        let before = try #require(fleet.facts(.osReady, at: "fridge").last { $0.at < recovery.at })
        let after = try #require(fleet.facts(.osReady, at: "fridge").first { $0.at > recovery.at })
        #expect(before.fact.text(.version) == "26.12")
        if isProtected {
            #expect(recovery.fact.text(.reason) == "recovery error \(39 << 20 + 1000)")
            #expect(after.fact.text(.version) == "26.12")
        } else {
            #expect(recovery.fact.text(.result) == "complete")
            #expect(after.fact.text(.version) == "26.11")
        }
    }
}

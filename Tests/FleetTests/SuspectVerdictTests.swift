import Catalogue
import Injector
import Judging
import Planning
import Testing
import Wire

/// What looked better in a report than it was, or nobody was told of.
@Suite struct SuspectVerdictTests {
    private static func fleet(_ devices: String..., stop: String = "2d", method: String, off: [Control] = []) throws -> Fleet {
        try Fleet(
            Fleet.topology(stop: stop) + devices.map { "  \($0)\n" }.joined(),
            method: method.split(separator: "\n").map { "  - { \($0) }" }.joined(separator: "\n"), off: off)
    }

    /// A clock that somebody sets back while the power is on is no older than the newest certificate: an old stolen one is over by it.
    @Test(arguments: [false, true]) func aClockThatIsSetBackHelpsNoOldCertificate(isOff: Bool) throws {
        let fleet = try Self.fleet(
            "lamp: { network: home, apps: [panel], update-every: 1h }", stop: "20h",
            method: """
                at: 1h, for: 18h, attack: time-spoof, target: { devices: lamp }
                at: 2h, fault: clock-jump, by: -240h, target: { devices: lamp }
                """, off: isOff ? [.authenticatedTime] : [])
        let report = try fleet.run()
        #expect(report.verdicts.first?.outcome == (isOff ? .compromised : .defended), "\(report.verdicts)")
        #expect(fleet.facts(.clockSet, at: "lamp").contains { $0.fact.text(.reason) == "floor" } == !isOff)
    }

    @Test func anOSThatFailedHasGoneBack() throws {
        let fleet = try Self.fleet(
            "lamp: { network: home, count: 2, update-every: 1h }",
            method: """
                at: 1h, update: { image: os@27.01, defect: no-boot }, expect: { installed: 100%, within: 30h }
                at: 30h, update: { image: os@27.02 }
                """)
        let report = try fleet.run()
        let failed = try #require(report.releases.first)
        #expect(failed.reverted == 1 && failed.installed == 0 && failed.rollout == .halted, "\(failed)")
        #expect(report.releases.last?.installed == 2)
        // That something newer runs later does not make a failure good.
        #expect(report.judgements.map(\.result) == [.broken], "\(report.judgements)")
    }

    @Test func aReleaseThatTheDiskDidNotTakeIsRefused() throws {
        let fleet = try Self.fleet(
            "lamp: { network: home }", stop: "8h",
            method: """
                at: 1h, for: 2h, fault: disk-full
                at: 2h, update: { image: os@26.12 }
                """)
        #expect(try fleet.run().releases.first?.rollout == .refused)
    }

    /// Operators try again until the service is there.
    @Test func whatIsOrderedWhileTheServiceIsAwayIsDoneLater() throws {
        let fleet = try Self.fleet(
            "lamp: { network: home, update-every: 1h }",
            method: """
                at: 1h, for: 2h, fault: service-kill
                at: 2h, operator: rotate-service-certificate
                at: 2h, operator: rotate-update-keys
                at: 2h, update: { image: os@26.12 }, expect: { installed: 100%, within: 30h }
                """)
        let report = try fleet.run()
        #expect(report.judgements.map(\.result) == [.held], "\(report.judgements)")
        #expect(fleet.facts(.authorityRenewed).count == 1 && fleet.facts(.keysRotated).count == 1)
        #expect(report.rotations?.map(\.followed) == [1, 1], "\(report.rotations ?? [])")
    }

    @Test func aWithdrawalThatIsRefusedIsNone() throws {
        let fleet = try Self.fleet(
            "lamp: { network: home, update-every: 1h }",
            method: """
                at: 1h, update: { image: os@26.12 }, expect: { rollout: withdrawn }
                at: 30h, operator: withdraw
                """)
        let report = try fleet.run()
        #expect(report.releases.first?.rollout == .complete && report.releases.first?.installed == 1, "\(report.releases)")
        #expect(report.judgements.map(\.result) == [.broken])
    }

    @Test(arguments: [
        "at: 1h, for: 10h, fault: latency, delay: 40s, target: { devices: lamp }",
        "at: 1h, for: 10h, fault: slicer, average-size: 1, delay: 10s, target: { devices: lamp }",
        "at: 1h, for: 10h, fault: bandwidth, rate: 100bit, target: { devices: lamp }",
        "at: 1h, for: 10h, fault: service-slow, delay: 2h",
    ]) func aSlowLinkIsBehindTheAlertsAboutIt(step: String) throws {
        let fleet = try Self.fleet("lamp: { network: home, count: 2 }", stop: "16h", method: step)
        let report = try fleet.run()
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts.filter(\.isFalse))")
    }

    @Test(arguments: [
        ("fault: flash-rot, bits: 1000000, target: { devices: lamp }", "bits: at most 100000"),
        ("fault: clock-jump, by: --5s, target: { devices: lamp }", "'--5s' is not a time"),
        ("fault: clock-lost, for: 1h, target: { devices: lamp }", "clock-lost is over as soon as it is done"),
        ("fault: hang, for: 0s, target: { devices: lamp }", "for: longer than nothing"),
        ("fault: hang, for: 1m, target: { devices: [] }", "devices: expected at least one"),
        ("fault: service-hang, for: 1m, target: { devices: lamp }", "target: service-hang is of the service"),
        ("operator: rotate-service-certificate, target: { devices: lamp }", "target: rotate-service-certificate is the service's"),
        ("update: { image: os@26.12, batches: [150%] }", "batches: expected counts or shares"),
        ("update: { image: os@26.12, batches: [] }", "batches: expected at least one"),
        ("update: { image: os@26.13 }", "expected a release by its year and month"),
        ("update: { image: keystore@2 } }\n  - { at: 2h, update: { image: keystore@2 }", "is released by s1 already"),
    ]) func whatCannotBeMeantIsRefused(step: String, why: String) {
        let text = Fleet.topology(stop: "5d", devices: "lamp: { network: home }") + "method:\n  - { at: 1h, \(step) }\n"
        #expect { try Plan.read(file: "x.yaml", catalogue: Injector.catalogue) { _ in text } } throws: { "\($0)".contains(why) }
    }
}

import Judging
import Planning
import Testing
import Wire

/// The service renews what ends: its own certificate, the catalog's authority, and the roots of update metadata.
@Suite struct RenewalTests {
    private static func topology(_ stop: String) -> String {
        Fleet.topology(
            stop: stop, devices: "fridge: { network: home, telemetry-every: 10d, update-every: 15d, call-every: 10d, peers: [oven] }",
            "oven: { network: home, telemetry-every: 10d, update-every: 15d, call-every: 10d }")
    }

    @Test func nothingEndsInTwoYears() throws {
        let fleet = try Fleet(Self.topology("760d"))
        let report = try fleet.run()
        let renewed = fleet.facts(.authorityRenewed)
        let service = renewed.filter { $0.fact.text(.role) == "service" }
        // After 59 days for the first time, since it was made a day before the run, and every 60 from then on.
        #expect(service.count == 12, "\(service.map(\.at))")
        let catalog = renewed.filter { $0.fact.text(.role) == "catalog" }
        #expect(catalog.map { ($0.at.nanoseconds / 86_400_000_000_000) } == [580])
        #expect(fleet.facts(.keysRotated).map { $0.at.nanoseconds / 86_400_000_000_000 } == [275, 550])
        // The old authority is over after 670 days.
        let late = fleet.facts(.exchange).filter { $0.at > .start + .hours(24 * 680) }
        #expect(late.count > 10 && late.allSatisfy { $0.fact.text(.result) == "accepted" })
        #expect(fleet.facts(.certificateExpired).isEmpty && fleet.facts(.updateCheck).allSatisfy { $0.fact.text(.result) == "current" })
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
    }

    @Test func operatorsRotateInAnHour() throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "4h", devices: "fridge: { network: home, peers: [oven], call-every: 5m }", "oven: { network: home, call-every: 5m }"),
            method: """
                  - { at: 1h, operator: rotate-service-certificate }
                  - { at: 90m, operator: rotate-catalog-authority, overlap: 30m }
                  - { at: 150m, fault: service-kill, for: 1m }
                  - { at: 160m, for: 5m, fault: power-cut, target: { devices: oven } }
                """)
        let report = try fleet.run()
        let renewed = fleet.facts(.authorityRenewed)
        #expect(renewed.map { $0.fact.text(.role) } == ["service", "catalog"])
        let serial = renewed.first?.fact.text(.certificate)
        #expect(serial != nil)
        // It is kept over a restart.
        let late = fleet.facts(.exchange).filter { $0.at > .start + .minutes(170) }
        #expect(late.count > 5 && late.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(late)")
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
    }
}

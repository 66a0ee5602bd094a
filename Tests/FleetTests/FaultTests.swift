import Judging
import Testing
import Wire

/// What each fault does to a small fleet, and that it is over when it is over.
@Suite struct FaultTests {
    private func run(_ step: String, hours: Int = 2) throws -> (report: Report, fleet: Fleet) {
        let fleet = try Fleet(Fleet.small.replacing("stop: 2h", with: "stop: \(hours)h"), method: "  - { \(step) }")
        return (try fleet.run(), fleet)
    }

    private func failures(_ fleet: Fleet, from: Duration, to: Duration) -> [Observation] {
        fleet.facts(.exchange).filter {
            $0.fact.text(.result) != "accepted" && $0.at >= .start + from && $0.at < .start + to
        }
    }

    @Test func dnsOutageStopsNewConnectionsOnly() throws {
        let (report, fleet) = try run("at: 30m, for: 30m, fault: dns-outage, target: { network: home }")
        let failed = failures(fleet, from: .minutes(30), to: .minutes(61))
        #expect(!failed.isEmpty)
        #expect(failed.allSatisfy { $0.fact.text(.reason) == "name not found" })
        #expect(report.metrics.exchanges - report.metrics.exchangesAccepted == failed.count)
    }

    @Test func aSlowServiceAnswersLater() throws {
        let (report, _) = try run("at: 1s, fault: service-slow, delay: 500ms")
        #expect((report.metrics.handshakes["device-service mutual"]?.latency?.p50Nanoseconds ?? 0) > 1_000_000_000)
        #expect((report.metrics.handshakes["device-device mutual"]?.latency?.p50Nanoseconds ?? .max) < 500_000_000)
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
    }

    @Test func churnCutsAgainAndAgainAndEverybodyComesBack() throws {
        let (report, fleet) = try run("at: 20m, for: 1h, fault: device-churn, every: 10m, target: { devices: all }")
        #expect(fleet.facts(.processKilled).count == 5)
        #expect(fleet.facts(.processStarted).count == 5)
        #expect(report.metrics.certificatesRestored == 5)
        #expect(failures(fleet, from: .minutes(85), to: .hours(2)).isEmpty)
    }

    /// A clock two days ahead: what was valid is over, and what the service signs is over when it arrives; until the service is asked
    /// to vouch for the time.
    @Test func aClockThatJumpsForwardEndsCertificates() throws {
        let (_, fleet) = try run("at: 30m, fault: clock-jump, by: 48h, target: { devices: fridge }")
        #expect(fleet.facts(.certificateExpired, at: "fridge").first.map { $0.at < .start + .minutes(31) } == true)
        #expect(fleet.facts(.certificateExpired, at: "oven").isEmpty)
        let failed = fleet.facts(.attestation, at: "fridge").filter { $0.fact.text(.result) == "failed" }
        #expect(failed.first?.fact.text(.reason) == "certificate is over by this device's clock")
        #expect(failed.count == 1)
        let set = try #require(fleet.facts(.clockSet, at: "fridge").first)
        #expect(set.fact.text(.reason) == "proven" && set.at < .start + .minutes(32))
        let late = fleet.facts(.exchange, at: "fridge").filter { $0.at > .start + .hours(1) }
        #expect(!late.isEmpty && late.allSatisfy { $0.fact.text(.result) == "accepted" })
    }

    @Test func aClockThatJumpsBackRefusesWhatIsNotYetValid() throws {
        let (report, fleet) = try run("at: 30m, fault: clock-jump, by: -1h, target: { devices: fridge }")
        let reasons = Set(fleet.facts(.handshake, at: "fridge").compactMap { $0.fact.text(.reason) })
        #expect(reasons == ["not yet valid"])
        #expect(report.metrics.certificatesExpired == 0)
    }

    /// A clock that runs a tenth fast renews early; nobody else notices.
    @Test func aFastClockRenewsEarly() throws {
        let (report, fleet) = try run("at: 1m, fault: clock-drift, ratio: 10%, target: { devices: fridge }", hours: 30)
        let (fast, right) = (fleet.facts(.certificateIssued, at: "fridge"), fleet.facts(.certificateIssued, at: "oven"))
        #expect(fast.count >= 2 && right.count == 2)
        #expect(report.metrics.devicesAttested == 2)
    }
}

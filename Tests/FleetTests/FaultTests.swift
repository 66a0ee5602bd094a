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
        #expect(failed.allSatisfy { $0.fact.text(.code) == "name-not-answered" && $0.fact.text(.reason) == "nobody answered the look-up" })
        #expect(fleet.facts(.trace).contains { $0.fact.text(.instance) == "s1" && $0.fact.text(.wanted)?.isEmpty == false })
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

    /// It shows nothing that is older than its newest certificate, so that nothing of the same day is refused by it.
    @Test func aClockThatJumpsBackIsRaisedToItsFloor() throws {
        let (report, fleet) = try run("at: 30m, fault: clock-jump, by: -1h, target: { devices: fridge }")
        let reasons = Set(fleet.facts(.handshake, at: "fridge").compactMap { $0.fact.text(.reason) })
        #expect(reasons.isEmpty && fleet.facts(.clockSet, at: "fridge").first?.fact.text(.reason) == "floor")
        #expect(report.metrics.certificatesExpired == 0)
    }

    /// A clock that runs a tenth fast renews early; nobody else notices.
    @Test func aFastClockRenewsEarly() throws {
        let (report, fleet) = try run("at: 1m, fault: clock-drift, ratio: 10%, target: { devices: fridge }", hours: 30)
        let (fast, right) = (fleet.facts(.certificateIssued, at: "fridge"), fleet.facts(.certificateIssued, at: "oven"))
        #expect(fast.count >= 2 && right.count == 2)
        #expect(report.metrics.devicesAttested == 2)
    }

    /// It says nothing for so long, is not started again, and goes on where it was.
    @Test func aDeviceThatHangsGoesOn() throws {
        let (report, fleet) = try run("at: 30m, for: 10m, fault: hang, target: { devices: fridge }")
        let own = fleet.journal.filter { $0.node == "fridge" }
        #expect(!own.contains { $0.at > .start + .minutes(30) + .milliseconds(8) && $0.at < .start + .minutes(40) })
        #expect(own.contains { $0.at >= .start + .minutes(40) && $0.at < .start + .minutes(41) })
        #expect(fleet.facts(.processKilled).isEmpty && fleet.facts(.osReady, at: "fridge").count == 1)
        #expect(failures(fleet, from: .minutes(45), to: .hours(2)).isEmpty)
        #expect(report.metrics.devicesAttested == 2)
    }

    @Test func aServiceThatHangsAnswersNobodyAndThenAll() throws {
        let (_, fleet) = try run("at: 30m, for: 80m, fault: service-hang", hours: 4)
        let own = fleet.journal.filter { $0.node == "service" }
        #expect(!own.contains { $0.at > .start + .minutes(30) + .milliseconds(8) && $0.at < .start + .minutes(110) })
        let failed = failures(fleet, from: .minutes(30), to: .minutes(111))
        #expect(!failed.isEmpty && failed.allSatisfy { ["timed-out", "name-not-answered"].contains($0.fact.text(.code)) })
        #expect(failures(fleet, from: .minutes(115), to: .hours(4)).isEmpty)
    }

    /// What TLS finds is told as that, by whom it hit, and nothing of it is an attack.
    @Test func damageIsFoundByTLSAndIsTheFaults() throws {
        let (report, fleet) = try run("at: 30m, for: 30m, fault: corrupt, ratio: 50%, target: { network: home }")
        let codes = Set(failures(fleet, from: .minutes(30), to: .minutes(62)).compactMap { $0.fact.text(.code) })
        #expect(codes.contains("protocol-refused") || codes.contains("tls-alert"))
        let told = fleet.facts(.trace).filter { $0.fact.text(.fault) == "corrupt" && $0.fact.text(.instance) == "s1" }
        #expect(!told.isEmpty && told.allSatisfy { $0.at >= .start + .minutes(30) && $0.at < .start + .minutes(61) })
        #expect(report.detection.falseAlarms == 0)
        #expect(failures(fleet, from: .minutes(75), to: .hours(2)).isEmpty)
    }

    /// Where all want in at once they come one after the other; what has no handshake does not wait.
    @Test func aServiceWithFewHandshakesPerSecond() throws {
        let crowd = Fleet.topology(stop: "1h", devices: "fridge: { count: 12, network: home }")
        let step = "at: 1ms, for: 50m, fault: handshake-limit, per-second: 1"
        let fleet = try Fleet(crowd, method: "  - { \(step) }")
        _ = try fleet.run()
        let taken = fleet.facts(.handshake, at: "service").filter { $0.fact.text(.mode) != "plain" }.map(\.at.nanoseconds).sorted()
        #expect(zip(taken, taken.dropFirst()).allSatisfy { $1 - $0 > 900_000_000 } && taken.count > 20)
        #expect(fleet.facts(.trace).contains { $0.fact.text(.fault) == "handshake-limit" })
    }

    /// Three times the wire is cut, at times of the seed's, and three times it is whole again.
    @Test func aRepeatedPartition() throws {
        let (_, fleet) = try run(
            "at: 20m, every: 30m, times: 3, window: 5m, for: 10m, fault: partition, direction: to, target: { devices: fridge }", hours: 3)
        let (begun, ended) = (fleet.facts(.faultStarted), fleet.facts(.faultEnded))
        #expect(begun.map { $0.fact.text(.instance) } == ["s1-1", "s1-2", "s1-3"] && ended.count == 3)
        for (index, start) in begun.enumerated() {
            let offset = start.at - (.start + .minutes(20 + 30 * Int64(index)))
            #expect((.zero..<Duration.minutes(5)).contains(offset))
            #expect(
                fleet.facts(.trace).contains { $0.fact.text(.instance) == start.fact.text(.instance) && $0.fact.text(.name) != nil })
            let after = (from: ended[index].at - .start + .minutes(3), to: ended[index].at - .start + .minutes(12))
            #expect(failures(fleet, from: after.from, to: after.to).isEmpty)
        }
    }

    /// The fridge calls the oven in vain; to the service both have their way.
    @Test func aPartitionBetweenTwoDevices() throws {
        let (_, fleet) = try run("at: 30m, for: 3h, fault: partition, other-side: { devices: oven }, target: { devices: fridge }", hours: 4)
        let during = fleet.facts(.handshake).filter { $0.at > .start + .minutes(31) && $0.at < .start + .minutes(210) }
        let (peers, service) = (
            during.filter { $0.fact.text(.pair) == "device-device" }, during.filter { $0.fact.text(.pair) != "device-device" }
        )
        #expect(!peers.isEmpty && peers.allSatisfy { $0.fact.text(.result) == "failed" })
        #expect(!service.isEmpty && service.allSatisfy { $0.fact.text(.result) == "accepted" })
    }
}

import Exchange
import Foundation
import GRDB
import Testing
import Wire

@testable import RunFiles
@testable import SecurityService

/// What the service keeps, and for how long: its database does not grow with the age of a fleet.
@Suite struct RetentionTests {
    private static let day: Int64 = 86_400

    @Test func whatIsOverIsForgotten() throws {
        let path = NSTemporaryDirectory() + "orrery-store-\(UInt64.random(in: 0 ... .max)).sqlite"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (store, day, begin) = (try Store(path: path), Self.day, Int64(1_800_000_000))
        func report(_ unixSeconds: Int64) throws {
            let crash = ServiceAPI.ErrorReport.Event(category: .appCrash, description: "", unixSeconds: unixSeconds, seen: .init())
            try store.add(.init(events: [crash]), deviceID: "a")
        }
        func age() throws -> (certificates: Int, reports: Int) {
            let counts = try store.counts()
            return (counts.certificates, counts.reports)
        }
        for number in 0..<800 {
            let now = begin + Int64(number) * day
            #expect(
                try store.enrol(
                    ticket: nil, kind: "customer", deviceID: "a", serial: "\(number)", notAfter: now + day, now: now))
            try store.appraised(deviceID: "a", result: "accepted", ticket: nil, kinds: [], expires: 0, now: now)
            #expect(try store.isNews(rule: "flood", subject: "\(number)", now: now, quietSeconds: 7200))
            // A device without a clock: what it reports is a year old when it comes, and is kept like everything else.
            try report(number.isMultiple(of: 2) ? 1000 : .max)
            try store.forget(now: now)
            let kept = try age()
            #expect(kept.certificates == min(number + 1, 32), "after \(number) days")
            // Whole months, for at least a year.
            #expect(number < 360 ? kept.reports == number + 1 : (360...425).contains(kept.reports), "\(kept) after \(number) days")
        }
        let queue = try DatabaseQueue(path: path)
        let rows = try queue.read { db in
            try ["appraisal", "alert", "setting"].map { try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM \($0)") ?? 0 }
        }
        #expect(rows[0] == 31 && rows[1] == 2 && rows[2] <= 14, "\(rows)")
        // Long silence: what comes after it is not taken for what was before.
        let later = begin + 3000 * day
        for number in 0..<450 { try store.forget(now: later + Int64(number) * day) }
        #expect(try age().reports == 1)
        for number in 450..<550 {
            try report(0)
            try store.forget(now: later + Int64(number) * day)
        }
        #expect(try age().reports >= 100)
    }

    /// Of metadata there is what a device may still ask for, however long a fleet has lived.
    @Test func oldMetadataGoes() throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "90d", devices: "fridge: { network: home, telemetry-every: 10d, update-every: 1d }"))
        _ = try fleet.run()
        #expect(fleet.facts(.updateCheck).count > 80 && fleet.facts(.updateCheck).allSatisfy { $0.fact.text(.result) == "current" })
        let queue = try DatabaseQueue(path: fleet.folder.state("service") + "/service.sqlite")
        let files = try queue.read { try String.fetchAll($0, sql: "SELECT file FROM metadata WHERE repository = 'images'") }
        let versions = files.compactMap { Int($0.prefix { $0.isNumber }) }
        let newest = try #require(versions.max())
        #expect(newest > 15)
        #expect(
            files.sorted()
                == ([newest - 1, newest].flatMap { ["\($0).snapshot.json", "\($0).targets.json"] } + ["timestamp.json"]).sorted())
        let certificates = try queue.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM certificate") ?? 0 }
        // Two for each of 31 days and some.
        #expect((60...90).contains(certificates), "\(certificates)")
    }

    /// Who has no certificate does not look for one each minute: what waits is due when there is one.
    @Test func whatWaitsForACertificateIsDueWhenItIsThere() throws {
        let fleet = try Fleet(
            Fleet.topology(
                stop: "12h",
                devices: "fridge: { network: home, update-every: 20d, telemetry-every: 20d, call-every: 1h, peers: [oven] }",
                "oven: { network: home }"),
            method: "  - { at: 1s, for: 10h, fault: partition, target: { devices: fridge } }")
        _ = try fleet.run()
        let issued = try #require(fleet.facts(.certificateIssued, at: "fridge").first?.at)
        #expect(issued > .start + .hours(10))
        let exchanges = fleet.facts(.exchange, at: "fridge").map { (at: $0.at, operation: $0.fact.text(.operation) ?? "") }
        for operation in ["telemetry", "update-status", "error-report", "peer"] {
            let first = try #require(exchanges.first { $0.operation == operation }, "no \(operation)")
            #expect(first.at >= issued && first.at <= issued + .seconds(95), "\(operation) \(first.at), after \(issued)")
        }
    }
}

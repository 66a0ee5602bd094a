import Catalogue
import Judging
import Planning
import ReportFormats
import Testing
import Wire

/// Who is locked out is nobody's any more, who is readmitted comes back by himself, and who is moved gets what his new group has.
@Suite struct InventoryActTests {
    private static func topology(stop: String, groups: String = "", _ devices: String...) -> String {
        Fleet.topology(stop: stop, devices: devices.joined(separator: "\n  ")) + (groups.isEmpty ? "" : "groups: \(groups)\n")
    }

    private static let pair = topology(
        stop: "40h", "fridge: { network: home, peers: [oven] }", "oven: { network: home, peers: [fridge] }")
    private static let everybody = "expect:\n  - { devices: all, availability: 95% }\n"
    private static let board = "{ network: home, apps: [compressor], update-every: 10m }"

    private func hours(_ count: Double) -> Instant { .start + .seconds(Int64(count * 3600)) }

    private func held(_ report: Report) -> Bool { report.judgements.allSatisfy { $0.result == .held } }

    // MARK: Locked out

    @Test func whoIsLockedOutGetsNothingMore() throws {
        let fleet = try Fleet(
            Self.pair + Self.everybody,
            method: """
                  - { at: 1h, operator: lock-out, target: { devices: oven } }
                  - { at: 2h, for: 5m, fault: service-kill }
                """)
        let report = try fleet.run()
        let told = try #require(fleet.facts(.deviceLockedOut).first)
        #expect(told.fact.text(.device) == "oven" && told.fact.text(.instance) == "s1")
        let calls = fleet.facts(.exchange, at: "oven").filter { $0.fact.text(.operation) != "peer" && $0.at > hours(1.01) }
        // Until its certificates end it says who it is, and is told so; also after the restart.
        #expect(calls.count { $0.at > hours(2.5) } > 10)
        #expect(calls.filter { $0.at < hours(2) || $0.at > hours(2.5) }.allSatisfy { $0.fact.text(.code) == "locked-out" }, "\(calls)")
        for kind in [Fact.Kind.evidenceAppraised, .certificateSigned, .errorReported] {
            #expect(!fleet.facts(kind).contains { $0.fact.text(.device) == "oven" && $0.at > hours(1.01) }, "\(kind)")
        }
        let attempts = fleet.facts(.attestation, at: "oven").filter { $0.at > hours(2.5) }
        #expect(attempts.count > 10 && attempts.allSatisfy { $0.fact.text(.code) == "locked-out" }, "\(attempts)")
        // Once an hour, not each ten minutes: a lock-out may last for years.
        #expect(attempts.count < 24)
        // AS-2: what it was given works towards peers until it ends, and no longer.
        let peers = fleet.facts(.exchange, at: "oven").filter { $0.fact.text(.operation) == "peer" && $0.fact.text(.result) == "accepted" }
        #expect(peers.contains { $0.at > hours(23) } && !peers.contains { $0.at > hours(24.1) })
        #expect(fleet.facts(.certificateExpired, at: "oven").count == 1)
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
        #expect(held(report), "\(report.judgements)")
        #expect(report.lockedOut?.map(\.device) == ["oven"] && report.lockedOut?.first?.since == told.at)
        #expect(report.text.contains("Locked out                  oven, by its operator, since 1h"), "\(report.text)")
    }

    /// A day and more later, so that it has no certificate left to come back with.
    @Test(arguments: ["2h", "30h"]) func whoIsReadmittedComesBackByItself(_ at: String) throws {
        let fleet = try Fleet(
            Self.pair + Self.everybody,
            method: """
                  - { at: 1h, operator: lock-out, target: { devices: oven } }
                  - { at: 90m, for: 5m, fault: service-kill }
                  - { at: \(at), operator: readmit, target: { devices: oven } }
                """)
        let report = try fleet.run()
        let back = try #require(fleet.facts(.deviceReadmitted).first).at
        let heard = fleet.facts(.exchange, at: "oven").filter { $0.fact.text(.operation) == "telemetry" && $0.at > back }
        #expect(heard.count > 5 && heard.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(heard)")
        #expect(try #require(heard.first).at < back + .minutes(125), "\(heard)")
        // An hour is the most that it waits with an attestation.
        let attested = fleet.facts(.attestation, at: "oven").filter { $0.at > back && $0.fact.text(.result) == "accepted" }
        #expect(!attested.isEmpty)
        if at == "30h" { #expect(try #require(attested.first).at < back + .minutes(62)) }
        #expect(fleet.facts(.evidenceAppraised).contains { $0.fact.text(.device) == "oven" && $0.at > back })
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
        #expect(held(report), "\(report.judgements)")
        #expect(report.lockedOut == nil)
    }

    /// On the clear port as over TLS; a rollout does not wait for it, and it gets what it has missed.
    @Test(arguments: ["mt3620", "linux-plain"]) func noUpdatesForWhoIsLockedOut(_ kind: String) throws {
        let device = "{ network: home, kind: \(kind), update-every: 10m }"
        let fleet = try Fleet(
            Self.topology(stop: "7h", "a: \(device)", "b: \(device)"),
            method: """
                  - { at: 1h, operator: lock-out, target: { devices: b } }
                  - { at: 2h, update: { image: os@26.12 }, expect: { installed: 100%, rollout: complete, bricked: 0 } }
                  - { at: 4h, operator: readmit, target: { devices: b } }
                """)
        let report = try fleet.run()
        let back = try #require(fleet.facts(.deviceReadmitted).first).at
        #expect(try #require(fleet.facts(.rolloutComplete).first).at < back)
        let installed = fleet.facts(.updateInstalled, at: "b")
        #expect(!installed.isEmpty && installed.allSatisfy { $0.at > back }, "\(installed)")
        #expect(fleet.facts(.updateInstalled, at: "a").contains { $0.at < back })
        #expect(report.releases.first?.devices == 2 && report.releases.first?.installed == 2)
        #expect(held(report), "\(report.judgements)")
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts)")
    }

    private func appraisal(in fleet: Fleet, after: Instant = .start) throws -> Int64 {
        let found = fleet.facts(.evidenceAppraised).first { $0.fact.text(.device) == "oven" && $0.at > after }
        return try #require(found).at.nanoseconds / 1_000_000
    }

    /// What it has a ticket for already it does not get.
    @Test func nothingIsIssuedForWhatWasAppraisedBefore() throws {
        let first = try Fleet()
        _ = try first.run()
        // Less than a way to the device and back.
        let fleet = try Fleet(method: "  - { at: \(try appraisal(in: first) + 10)ms, operator: lock-out, target: { devices: oven } }")
        _ = try fleet.run()
        #expect(fleet.facts(.evidenceAppraised).count { $0.fact.text(.device) == "oven" } == 1)
        #expect(fleet.facts(.certificateSigned).count { $0.fact.text(.device) == "oven" } == 0)
        #expect(fleet.facts(.attestation, at: "oven").first?.fact.text(.stage) == "update-certificate")
        #expect(fleet.facts(.attestation, at: "oven").allSatisfy { $0.fact.text(.code) == "locked-out" })
    }

    /// That its operator has locked it out says nothing of what it runs: here it has its challenge already, and is refused its evidence.
    @Test func whatIsOnTrialIsNotTakenBackForIt() throws {
        let topology = Self.topology(stop: "5h", "fridge: \(Self.board)", "oven: \(Self.board)")
        let release = "  - { at: 1h, update: { image: os@26.12 } }"
        let first = try Fleet(topology, method: release)
        _ = try first.run()
        let installed = try #require(first.facts(.updateInstalled, at: "oven").first).at
        let fleet = try Fleet(
            topology,
            method: """
                \(release)
                  - { at: \(try appraisal(in: first, after: installed) - 50)ms, operator: lock-out, target: { devices: oven } }
                  - { at: 3h, operator: readmit, target: { devices: oven } }
                """)
        let report = try fleet.run()
        let refused = fleet.facts(.attestation, at: "oven").filter { $0.fact.text(.code) == "locked-out" }
        #expect(refused.first?.fact.text(.stage) == "evidence", "\(refused)")
        #expect(fleet.facts(.updateReverted).isEmpty && fleet.facts(.updateProven, at: "oven").count == 1)
        #expect(report.releases.first?.installed == 2)
    }

    // MARK: Moved

    @Test func whoIsMovedGetsWhatTheNewGroupGets() throws {
        let fleet = try Fleet(
            Self.topology(stop: "6h", groups: "{ spares: {} }", "a: \(Self.board)", "b: \(Self.board)"),
            method: """
                  - { at: 5m, update: { image: compressor@2, group: spares }, expect: { installed: 100%, rollout: complete } }
                  - { at: 1h, operator: move, target: { devices: b }, to: spares }
                  - { at: 2h, for: 5m, fault: service-kill }
                  - { at: 3h, update: { image: compressor@4, group: production }, expect: { installed: 100%, rollout: complete } }
                """)
        let report = try fleet.run()
        let moved = try #require(fleet.facts(.deviceMoved).first)
        #expect(moved.fact.text(.device) == "b" && moved.fact.text(.former) == "production" && moved.fact.text(.target) == "spares")
        func images(_ node: String) -> [String] { fleet.facts(.updateInstalled, at: node).compactMap { $0.fact.text(.image) } }
        #expect(images("a") == ["compressor@4"] && images("b") == ["compressor@2"], "\(images("a")) \(images("b"))")
        #expect(try #require(fleet.facts(.updateInstalled, at: "b").first).at > moved.at)
        #expect(report.releases.map(\.devices) == [1, 1] && report.releases.map(\.installed) == [1, 1])
        #expect(held(report), "\(report.judgements)")
        #expect(report.detection.alerts.isEmpty)
    }

    /// Of three that a release waits for one is without power: it goes on as soon as that one is none of them any more.
    @Test(arguments: ["move, target: { devices: c }, to: spares", "lock-out, target: { devices: c }", ""])
    func aRolloutDoesNotWaitForWhoHasLeft(_ act: String) throws {
        let fleet = try Fleet(
            Self.topology(stop: "8h", groups: "{ spares: {} }", "a: \(Self.board)", "b: \(Self.board)", "c: \(Self.board)"),
            method: """
                  - { at: 20m, for: 7h, fault: power-cut, target: { devices: c } }
                  - { at: 30m, update: { image: compressor@2, group: production, batch-timeout: 4h }, expect: { installed: 100%, rollout: complete } }
                """ + (act.isEmpty ? "" : "\n  - { at: 2h, operator: \(act) }"))
        let report = try fleet.run()
        #expect(held(report) == !act.isEmpty, "\(report.judgements)")
        guard !act.isEmpty else { return #expect(!fleet.facts(.rolloutHalted).isEmpty) }
        let complete = try #require(fleet.facts(.rolloutComplete).first { $0.fact.text(.target) == "production" }).at
        #expect(complete >= hours(2) && complete < hours(2.1))
        #expect(report.releases.first?.devices == 2)
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts)")
    }

    /// What the new group has is older: anti-rollback goes by security versions, here as everywhere.
    @Test(arguments: [true, false]) func antiRollbackDecidesForWhoIsMoved(_ isFree: Bool) throws {
        let version = isFree ? ", security-version: 1" : ""
        let fleet = try Fleet(
            Self.topology(stop: "4h", groups: "{ spares: {} }", "a: \(Self.board)", "b: \(Self.board)"),
            method: """
                  - { at: 5m, update: { image: compressor@3, group: production\(version) } }
                  - { at: 6m, update: { image: compressor@2, group: spares\(version) } }
                  - { at: 2h, operator: move, target: { devices: b }, to: spares }
                """)
        let report = try fleet.run()
        let images = fleet.facts(.updateInstalled, at: "b").compactMap { $0.fact.text(.image) }
        #expect(images == (isFree ? ["compressor@3", "compressor@2"] : ["compressor@3"]))
        let refused = fleet.facts(.updateCheck, at: "b").contains { $0.fact.text(.label) == "rollback" }
        #expect(refused == !isFree)
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts)")
    }

    /// A release for a feed is not held up by a group that is empty.
    @Test func anEmptyGroupHoldsUpNothing() throws {
        let fleet = try Fleet(
            Self.topology(stop: "3h", groups: "{ spares: {} }", "a: \(Self.board)"),
            method: "  - { at: 5m, update: { image: os@26.12, feed: retail }, expect: { installed: 100%, rollout: complete } }")
        let report = try fleet.run()
        #expect(held(report), "\(report.judgements)")
    }

    /// Of a service that is away the operator waits until it is back.
    @Test func theServiceHearsOfItWhenItIsBack() throws {
        let fleet = try Fleet(
            method: """
                  - { at: 30m, for: 10m, fault: service-kill }
                  - { at: 35m, operator: lock-out, target: { devices: oven } }
                """)
        let report = try fleet.run()
        let since = try #require(report.lockedOut?.first).since
        #expect(since >= .start + .minutes(40) && since < .start + .minutes(41))
    }

    /// Where the plan has been changed after it was read: nothing is done by halves.
    @Test func withoutCertificatesNobodyIsLockedOut() throws {
        let fleet = try Fleet(method: "  - { at: 30m, operator: lock-out, target: { devices: oven } }", off: [.certificateAuth])
        let report = try fleet.run()
        #expect(fleet.facts(.refusal, at: "service").contains { $0.fact.text(.operation) == "lock-out" })
        #expect(fleet.facts(.deviceLockedOut).isEmpty && report.lockedOut == nil)
    }
}

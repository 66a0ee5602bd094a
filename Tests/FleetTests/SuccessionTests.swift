import Catalogue
import Injector
import Judging
import Planning
import Testing
import Wire

/// A root that is rotated, and a fleet that gets another owner.
@Suite struct SuccessionTests {
    private static func homes(_ stop: String, _ more: String...) -> String {
        Fleet.topology(
            stop: stop,
            devices: "fridge: { network: home, peers: [oven], call-every: 30m, update-every: 1h }",
            "oven: { network: home, call-every: 30m, update-every: 1h }") + more.map { "  \($0)\n" }.joined()
    }

    private func late(_ fleet: Fleet, after time: Duration, at node: String? = nil) -> [Observation] {
        fleet.facts(.exchange, at: node).filter { $0.at > .start + time }
    }

    /// What is issued is under the new root when the overlap is over, and everybody follows.
    @Test(arguments: ["mt3620", "linux-tpm", "linux-plain"]) func aNewRootIsTrustedInTime(kind: String) throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "3d", devices: "board: { network: home, kind: \(kind), update-every: 1h }"),
            method: "  - { at: 2h, operator: rotate-root, overlap: 12h, expect: { installed: 100%, within: 8h } }")
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        let since = try #require(fleet.facts(.authorityRenewed).last { $0.fact.text(.role) == "catalog" }?.fact.number(.sinceSeconds))
        #expect(since == fleet.plan.epochSeconds + 14 * 3600)
        // The service's own certificate follows at once.
        #expect(fleet.facts(.authorityRenewed).contains { $0.fact.text(.role) == "service" && $0.at >= .start + .hours(14) })
        let exchanges = late(fleet, after: .hours(15))
        #expect(exchanges.count > 3 && exchanges.allSatisfy { $0.fact.text(.result) == "accepted" })
        #expect(fleet.facts(.certificateSigned).contains { $0.at > .start + .hours(20) })
        // The keys of update metadata have changed hands.
        #expect(fleet.facts(.keysRotated).count == 1)
        #expect(fleet.facts(.updateCheck).last?.fact.text(.result) == "current")
        #expect(report.detection.alerts.isEmpty, "\(report.detection.alerts)")
    }

    /// Who was not there for the new trust store is led to the new root by the old one.
    @Test func whoMissedTheNewRootIsLedThere() throws {
        let fleet = try Fleet(
            Self.homes("4d"),
            method: """
                  - { at: 1h, for: 60h, fault: power-cut, target: { devices: oven } }
                  - { at: 2h, operator: rotate-root, overlap: 12h, threshold: 50% }
                  - { at: 40h, operator: rotate-policy-authority, overlap: 2h }
                """)
        let report = try fleet.run()
        let exchanges = late(fleet, after: .hours(62), at: "oven")
        #expect(exchanges.count > 5 && exchanges.allSatisfy { $0.fact.text(.result) == "accepted" }, "\(exchanges.first?.fact as Any)")
        #expect(report.releases.first?.installed == 2 && report.releases.first?.title == "trust store@2")
        #expect(fleet.facts(.authorityRenewed).count { $0.fact.text(.role) == "catalog" } == 2)
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts)")
    }

    @Test func aFleetGetsAnotherOwner() throws {
        let fleet = try Fleet(
            Self.homes("5d", "lamp: { network: home, update-every: 1h }"),
            method: """
                  - { at: 1h, update: { image: os@26.12 } }
                  - { at: 9h, for: 50h, fault: power-cut, target: { devices: lamp } }
                  - { at: 10h, operator: hand-over, to: stewards, overlap: 30h, threshold: 60%, expect: { installed: 60%, within: 20h } }
                  - { at: 50h, update: { image: os@27.01, threshold: 60% } }
                  - { at: 60h, operator: rotate-update-keys }
                  - { at: 80h, operator: recover, target: { devices: lamp } }
                  - { at: 90h, operator: rotate-root, overlap: 5h }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.fleetHandedOver).map(\.node) == ["service"] && fleet.facts(.fleetTakenOver).map(\.node) == ["successor"])
        // The former owner's service is gone when the overlap is over.
        #expect(fleet.facts(.processKilled).contains { $0.fact.text(.name) == "service" && $0.at == .start + .hours(40) })
        let appraised = fleet.facts(.evidenceAppraised, at: "successor").filter { $0.fact.text(.result) == "accepted" }
        let since = Dictionary(appraised.map { ($0.fact.text(.device), $0.at) }, uniquingKeysWith: { first, _ in first })
        #expect(since["fridge"].map { $0 < .start + .hours(20) } == true && since["oven"].map { $0 < .start + .hours(20) } == true)
        // It came back too late, and nobody but a technician could help it.
        #expect(since["lamp"].map { $0 > .start + .hours(80) } == true)
        let lost = late(fleet, after: .hours(60), at: "lamp").filter { $0.at < .start + .hours(80) }
        #expect(lost.allSatisfy { $0.fact.text(.result) != "accepted" })
        #expect(report.metrics.recoveries == 1 && report.metrics.recoveriesFailed == 0)
        // The new owner's releases reach them all, and so does his own new root.
        let releases = Dictionary(report.releases.map { ($0.title, $0) }, uniquingKeysWith: { $1 })
        #expect(releases["os@27.01"]?.installed == 3 && releases["trust store@3"]?.installed == 3, "\(report.releases)")
        #expect(releases["hand-over to stewards"]?.installed == 3)
        let exchanges = late(fleet, after: .hours(100))
        #expect(exchanges.count > 20 && exchanges.allSatisfy { $0.fact.text(.result) == "accepted" })
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts.filter(\.isFalse))")
    }

    @Test func whoMissedItIsLostAndTheReportSaysWhy() throws {
        let fleet = try Fleet(
            Self.homes("4d", "lamp: { network: home, update-every: 1h }"),
            method: """
                  - { at: 9h, for: 50h, fault: power-cut, target: { devices: lamp } }
                  - { at: 10h, operator: hand-over, to: stewards, overlap: 30h, threshold: 60% }
                  - { at: 90h, for: 1d, fault: power-cut, target: { devices: oven } }
                """)
        let report = try fleet.run()
        let end = try #require(report.fleetEnd)
        #expect(end.devices.map(\.state) == [.there, .off, .lost])
        let lamp = try #require(end.absent.last)
        #expect(lamp.cause == .missedHandOver && lamp.reason.contains("stewards") && lamp.remedy.contains("operator: recover"), "\(lamp)")
        #expect(report.rotations?.map(\.missing) == [["lamp"]])
        #expect(end.present == 1)
        #expect(report.lapses?.isEmpty == true)
    }

    /// Who is on trial with the new owner and does not reach his service goes back to the former one's.
    @Test func aSuccessorThatIsNotThereLosesNobody() throws {
        let fleet = try Fleet(
            Fleet.topology(stop: "3d", devices: "fridge: { network: home, update-every: 1h }").replacing(
                "cloud: { latency: 30ms }\n", with: "cloud: { latency: 30ms }\n  far: { latency: 50ms }\n"
            ).replacing("links: [[home, cloud]]", with: "links: [[home, cloud], [home, far]]"),
            method: """
                  - { at: 1h, for: 30h, fault: partition, target: { network: far } }
                  - { at: 2h, operator: hand-over, to: stewards, network: far, overlap: 60h }
                """)
        let report = try fleet.run()
        #expect(fleet.facts(.updateReverted, at: "fridge").count == 1)
        let exchanges = late(fleet, after: .hours(20), at: "fridge").filter { $0.at < .start + .hours(60) }
        #expect(exchanges.count > 3 && exchanges.allSatisfy { $0.fact.text(.result) == "accepted" })
        #expect(report.releases.first?.rollout == .halted && report.releases.first?.installed == 0)
    }

    @Test(arguments: [
        ("operator: hand-over, to: acme", "the fleet is of the catalog 'acme' already"),
        ("operator: hand-over", "'to' is missing"),
        ("operator: hand-over, to: new, network: hoem", "unknown network 'hoem'"),
        ("operator: hand-over, to: New", "lower-case letters"),
        ("operator: hand-over, to: new, window: 1h", "window: keyholders come together on a day that is known before"),
        ("operator: rotate-root, times: 3", "'every' is missing"),
        ("operator: rotate-root, batches: [none]", "expected counts or shares"),
    ]) func whatCannotBeIsRefused(step: String, why: String) {
        let text = Self.homes("5d") + "method:\n  - { at: 1h, \(step) }\n"
        #expect { try Plan.read(file: "x.yaml", catalogue: Injector.catalogue) { _ in text } } throws: {
            "\($0)".contains(why)
        }
    }

    @Test(arguments: [
        ("operator: hand-over, to: other", "a fleet changes its owner once in a run"),
        ("update: { image: keystore@2 }", "the boot key, which signs keystores, is not handed over"),
        ("operator: withdraw", "is the former owner's"),
    ]) func whatANewOwnerCannotDoIsRefused(step: String, why: String) {
        let text =
            Self.homes("5d") + """
                method:
                  - { at: 1h, update: { image: os@26.12 } }
                  - { at: 2h, operator: hand-over, to: new }
                  - { at: 3h, \(step) }

                """
        #expect { try Plan.read(file: "x.yaml", catalogue: Injector.catalogue) { _ in text } } throws: {
            "\($0)".contains(why)
        }
    }

    @Test func nobodyTrustsANewOwnerWithoutUpdates() {
        let text = Self.homes("5d") + "controls-off: [renewable-security]\nmethod:\n  - { at: 2h, operator: hand-over, to: new }\n"
        #expect { try Plan.read(file: "x.yaml", catalogue: Injector.catalogue) { _ in text } } throws: {
            "\($0)".contains("no device would ever trust anybody new")
        }
    }
}

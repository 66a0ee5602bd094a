import Catalogue
import Judging
import Testing
import Wire

/// An OS that its vendor has not tested: devices find out, come back by themselves, and the rollout ends.
@Suite struct DefectiveSystemTests {
    private static func topology(_ kind: DeviceKind, stop: String) -> String {
        Fleet.topology(
            stop: stop, devices: "first: { network: home, kind: \(kind.rawValue), update-every: 1h }",
            "second: { network: home, kind: \(kind.rawValue), update-every: 1h }")
    }

    private static let bad: [UpdateOrder.Defect] = [.noBoot, .hangs, .noNetwork, .failsProof]

    @Test(arguments: [DeviceKind.mt3620, .linuxTPM], bad)
    func devicesGoBackAndTheRolloutIsHalted(_ kind: DeviceKind, _ defect: UpdateOrder.Defect) throws {
        let fleet = try Fleet(
            Self.topology(kind, stop: "20h"),
            method: """
                  - at: 1h
                    update: { image: os@26.12, batches: [1], defect: \(defect.rawValue) }
                    expect: { rollout: halted, bricked: 0, installed: 0% }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.rolloutHalted).map { $0.fact.text(.label) } == ["failures"])
        #expect(fleet.facts(.updateReverted).map(\.node) == ["first"])
        #expect(fleet.facts(.updateInstalled).allSatisfy { $0.node == "first" })
        let reverted = try #require(fleet.facts(.updateReverted).first)
        // It is there again, and whoever noticed something noticed the release.
        #expect(fleet.facts(.exchange, at: "first").contains { $0.at > reverted.at && $0.fact.text(.result) == "accepted" })
        #expect(report.detection.falseAlarms == 0, "\(report.detection.alerts)")
        let reboots = Set(fleet.facts(.rebooted, at: "first").compactMap { $0.fact.text(.reason) })
        switch defect {
        case .noBoot:
            #expect(fleet.facts(.bootFallback, at: "first").map { $0.fact.text(.reason) } == ["its code does not start"])
            #expect(reverted.fact.text(.reason) == "an image did not start")
        case .hangs:
            #expect(reboots.contains("watchdog: the system had stopped answering"))
            #expect(reverted.at < .start + .hours(3))
        default:
            #expect(reboots.contains("update not proven in time"))
            #expect(reverted.fact.text(.reason) == "not proven in 3 starts")
            // Twelve hours without a word.
            #expect(fleet.facts(.alert).map { $0.fact.text(.rule) } == ["silence"])
            #expect(report.detection.all.releases == 1)
        }
    }

    /// It is proven long before it runs out of memory: nothing tells of it but what devices report.
    @Test(arguments: [DeviceKind.mt3620, .linuxTPM]) func aSlowLeakShowsInErrorReportsOnly(_ kind: DeviceKind) throws {
        let fleet = try Fleet(
            Self.topology(kind, stop: "45h"),
            method: """
                  - at: 1h
                    update: { image: os@26.12, batches: [1], soak: 1h, defect: slow-leak }
                    expect: { rollout: complete, bricked: 0, installed: 100% }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateReverted).isEmpty)
        let panics = fleet.facts(.rebooted, at: "first").filter { $0.fact.text(.reason) == "kernel panic: out of memory" }
        #expect(panics.count == 2)
        for panic in panics {
            let reported = fleet.facts(.errorReported, at: "service").contains {
                $0.fact.text(.device) == "first" && $0.at > panic.at && $0.at < panic.at + .minutes(5) && $0.fact.number(.count) == 2
            }
            #expect(reported, "power on, and why")
        }
    }
}

import Campaign
import Testing
import Wire

/// What updates do to a small fleet, on a good day and on all the bad ones.
@Suite struct UpdateTests {
    static let topology = """
        name: updates
        stop: 2h
        networks:
          home:  { latency: 8ms }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { network: home, apps: [compressor], update-every: 10m }
        """

    @Test func anAppAndAnOSAreInstalledAndProven() throws {
        let fleet = try Fleet(
            Self.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { installed: 100%, within: 20m, bricked: 0, rollout: complete } }
                  - { at: 30m, update: { image: os@26.12 }, expect: { installed: 100%, within: 20m, bricked: 0 } }
                """)
        let report = try fleet.run()
        #expect(report.judgements.allSatisfy { $0.result == .held }, "\(report.judgements)")
        #expect(fleet.facts(.updateProven).count == 2)
        #expect(fleet.facts(.updateEvent).map { $0.fact.text(.status) ?? "" } == ["pending", "final", "complete", "pending", "final"])
        #expect(fleet.facts(.rebooted).count == 1)
        #expect(report.metrics.exchanges == report.metrics.exchangesAccepted)
    }

    /// Power goes in the middle of every flash operation of an update, one run for each: the device comes back, runs the
    /// old or the new version, and has the new one in the end.
    @Test(arguments: ["compressor@2", "os@26.12"], [0, 1]) func powerMayGoAtEveryFlashOperation(image: String, half: Int) throws {
        var operation = 1 + half
        while true {
            let fleet = try Fleet(
                Self.topology.replacing("stop: 2h", with: "stop: 20m"),
                method: """
                      - { at: 4m, update: { image: \(image) }, expect: { installed: 100%, bricked: 0 } }
                      - { at: 5m, for: 10s, fault: power-cut, operation: \(operation), target: { devices: fridge } }
                      - { at: 5m, operator: check-updates, target: { devices: fridge } }
                    """)
            let report = try fleet.run()
            #expect(report.judgements.allSatisfy { $0.result == .held }, "operation \(operation): \(report.judgements)")
            let cuts = fleet.facts(.powerLost).count
            #expect(cuts <= 1)
            #expect(fleet.facts(.processKilled).count == cuts && fleet.facts(.processStarted).count == cuts)
            #expect(fleet.facts(.bootFailed).allSatisfy { _ in cuts == 1 })
            // The last operation of the update has been seen.
            if cuts == 0 { break }
            operation += 2
        }
        #expect(operation > (image == "compressor@2" ? 20 : 100))
    }
}

import Testing
import Wire

/// Somebody with a cable comes while the power is away.
@Suite struct BenchAndPowerTests {
    /// The power that comes back by itself finds the device started: it is not started a second time.
    @Test func aDeviceThatIsRecoveredDuringAPowerCutStartsOnce() throws {
        let fleet = try Fleet(
            method: """
                  - { at: 8m, for: 6m, fault: power-cut, target: { devices: fridge } }
                  - { at: 10m, operator: recover, target: { devices: fridge } }
                """)
        _ = try fleet.run()
        #expect(fleet.facts(.runEnded).count == 1)
        #expect(fleet.facts(.processStarted).filter { $0.fact.text(.name) == "fridge" }.count == 1)
        #expect(fleet.facts(.recovery, at: "fridge").contains { $0.fact.text(.result) == "complete" })
    }
}

import Adversary
import Catalogue
import Judging
import Planning
import Testing
import Wire

/// That it fails with all controls on, is noticed, and leaves nothing behind, `AttackTests` looks at for every attack.
@Suite struct SlowRequestsTests {
    @Test func withoutLimitsTheServiceHasNoConnectionLeft() throws {
        let fleet = try Fleet(
            method: "  - { at: 20m, for: 70m, attack: slow-requests, target: { devices: fridge } }", off: [.requestLimits])
        let target = try #require(try fleet.run().verdicts.first?.targets.first)
        #expect(target.outcome == .compromised, "\(target)")
        #expect(target.witness?.code == Code.noConnectionLeft.rawValue && target.witness?.node == "service")
    }
}

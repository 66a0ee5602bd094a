import Catalogue
import Injector
import Planning
import Testing
import Wire

/// Steps that are repeated, and steps at times that the seed says.
@Suite struct RepetitionTests {
    private func plan(_ steps: [String]) throws -> Plan {
        let text = PlanTests.good + "\nmethod:\n" + steps.map { "  - { \($0) }\n" }.joined()
        return try Plan.read(file: "f.yaml", catalogue: Injector.catalogue) { $0 == "f.yaml" ? text : nil }
    }

    private func problems(_ step: String) -> [String] {
        do {
            _ = try plan([step])
            return []
        } catch {
            return (error as? PlanProblems)?.problems.map(\.description) ?? ["\(error)"]
        }
    }

    @Test func aRepeatedStepIsManySteps() throws {
        let plan = try plan([
            "at: 1m, fault: partition, for: 10s, target: { network: home }",
            "at: 10m, every: 5m, times: 3, attack: rogue-device, for: 2m, target: { devices: all, mode: one }, expect: { detected-within: 5m }",
            "at: 40m, fault: partition, for: 10s, target: { network: home }",
        ])
        #expect(plan.steps.map(\.id) == ["s1", "s2-1", "s2-2", "s2-3", "s3"])
        #expect(plan.steps[1...3].map(\.at) == [10, 15, 20].map { .start + .minutes($0) })
        // Each draws its targets, and has its expectations.
        #expect(plan.steps[1...3].allSatisfy { $0.nodes.count == 1 })
        #expect(
            plan.expectations.filter { $0.text.contains("is detected") }.map(\.text)
                == (1...3).map { "rogue-device (s2-\($0)) is detected within 5m" })
        #expect(plan.expectations.count { if case .verdict = $0.claim { true } else { false } } == 3)
    }

    @Test(arguments: [
        ("every: 1m", "f.yaml:15:22: every: 'times' is missing: a step that is repeated without end is refused"),
        ("times: 5", "times: 'every' is missing, the time from one beginning to the next"),
        ("every: 1m, times: 0", "times: expected a whole number from 1 to 4000"),
        ("every: 1m, times: 1000000000000000000000", "times: expected a whole number from 1 to 4000"),
        ("every: 1ms, times: 2", "every: at least 1s"),
        ("every: 10m, times: 100", "at: the last may begin after the end of the run (2h)"),
        ("every: 10m, times: 2, for: 11m", "every: shorter than 'for', so that it would overlap itself"),
        ("every: 10m, times: 2, window: 6m, for: 5m", "every: shorter than 'window' and 'for' together, so that it could overlap itself"),
        ("window: 3h", "at: the last may begin after the end of the run (2h)"),
    ]) func whatCannotBeRepeated(_ step: (words: String, message: String)) {
        let more = step.words.contains("for:") ? "" : "for: 30s, "
        let found = problems("at: 1m, \(step.words), \(more)fault: partition, target: { network: home }")
        #expect(found.count == 1 && found.first?.contains(step.message) == true, "\(found)")
    }

    @Test(arguments: [
        ("at: 1m, every: 10m, times: 2, fault: partition, target: { network: home }", "every: 'for' is missing"),
        ("at: 1m, every: 10m, times: 2, update: { image: compressor@2 }", "every: a release is made once"),
        ("at: 1m, for: 1h, every: 10m, times: 2, fault: device-churn, target: { devices: all }", "times: 'every' is device-churn's own"),
        ("at: 1m, every: 10m, times: 2, for: 1m, as: x, attack: rogue-device, target: { devices: all }", "every: what is called 'as'"),
        ("at: 1m, every: 10m, times: 9, for: 10m, fault: los, target: { network: home }", "unknown fault 'los'"),
        ("at: 1m, every: 10m, times: 9, for: 9m, fault: loss, ratio: 5, target: { network: home }", "ratio: '5' has no unit"),
        ("at: 1m, every: 10m, times: 9, for: 9m, fault: loss, ratio: 5%, target: { network: hom }", "unknown network 'hom'"),
        ("at: 1m, fault: slicer, average-size: 0, target: { network: home }", "average-size: at least 1"),
        ("at: 1m, fault: slicer, average-size: 5, size-variation: 5, target: { network: home }", "size-variation: as large as the pieces"),
        ("at: 1m, fault: partition, direction: up, target: { network: home }", "unknown direction 'up'"),
        ("at: 1m, fault: partition, other-side: { devices: ovn }, target: { network: home }", "unknown device 'ovn'"),
        ("at: 1m, fault: partition, other-side: servic, target: { network: home }", "other-side: expected service"),
        ("at: 1m, for: 1m, fault: power-cut, other-side: service, target: { devices: all }", "unknown key 'other-side'"),
        ("at: 1m, fault: hang, target: { devices: all }", "'for' is missing"),
        ("at: 1m, fault: handshake-limit, per-second: 0", "per-second: at least 1"),
    ]) func eachMistakeIsToldOnce(_ step: (text: String, message: String)) {
        let found = problems(step.text)
        #expect(found.count == 1 && found.first?.contains(step.message) == true, "\(found)")
    }

    @Test func tooManySteps() {
        let step = "at: 1s, every: 1s, times: 1000, for: 1s, fault: power-cut, target: { devices: fridge-1 }"
        #expect(throws: Never.self) { try plan([step]) }
        do {
            _ = try plan((0..<11).map { _ in step.replacing("for: 1s, fault: power-cut", with: "fault: clock-jump, by: 1s") })
            Issue.record("eleven thousand steps were taken")
        } catch {
            #expect((error as? PlanProblems)?.problems.map(\.message) == ["more than 10000 steps"])
        }
    }

    @Test func sidesAreResolved() throws {
        let plan = try plan([
            "at: 1m, fault: partition, direction: from, other-side: service, target: { network: home }",
            "at: 2m, fault: latency, delay: 1s, other-side: { network: cloud }, target: { devices: fridge }",
        ])
        #expect(plan.steps.map(\.otherNodes) == [["service"], []] && plan.steps.map(\.otherNetworks) == [[], ["cloud"]])
        #expect(plan.steps[0].word("direction") == "from" && plan.steps.allSatisfy(\.hasSides))
        #expect(plan.steps.map(\.aim) == ["home from service", "fridge-1 fridge-2 and cloud"])
    }

    /// The seed says when, each time anew; a step more moves no other.
    @Test func aWindowFallsWhereTheSeedSays() throws {
        let one = "at: 10m, window: 10m, every: 20m, times: 4, for: 1m, fault: partition, target: { network: home }"
        var plan = try plan([one])
        let longer = try self.plan([one, "at: 1m, window: 90m, for: 1s, fault: partition, target: { network: home }"])
        #expect(plan.steps.map(\.at) == longer.steps.prefix(4).map(\.at))
        for seed: UInt64 in 1...20 {
            plan.draw(seed: seed)
            let offsets = plan.steps.enumerated().map { $1.at - (.start + .minutes(Int64(10 + 20 * $0))) }
            #expect(offsets.allSatisfy { (.zero ..< .minutes(10)).contains($0) } && Set(offsets).count == 4)
        }
        let first = plan.steps.map(\.at)
        plan.draw(seed: 21)
        #expect(plan.steps.map(\.at) != first && plan.seed == 21)
        plan.draw(seed: 20)
        #expect(plan.steps.map(\.at) == first)
    }

    /// Two that may meet are refused, whatever the seed.
    @Test func windowsThatMayOverlap() {
        let steps = ["30m", "39m"].map { "at: \($0), window: 8m, for: 2m, fault: power-cut, target: { devices: oven }" }
        #expect(throws: PlanProblems.self) { try plan(steps) }
        #expect(throws: Never.self) { try plan([steps[0], steps[1].replacing("39m", with: "40m")]) }
    }
}

import Adversary
import Campaign
import Testing
import Wire

/// Observations that look like a defence and are none.
@Suite struct WitnessTests {
    private static let text = """
        name: t
        stop: 2h
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 2, network: home }
        method:
          - { at: 10m, for: 10m, attack: record-tamper, target: { devices: fridge-1 } }
          - { at: 5m, fault: clock-jump, by: 9000h, target: { devices: fridge-2 } }
        """
    private static let connection = Fact.Value.text("10.1.0.10:40000>4443")

    private func fact(_ minutes: Int64, _ node: String, _ kind: Fact.Kind, _ details: [Fact.Detail: Fact.Value]) -> Observation {
        Observation(at: .start + .minutes(minutes), node: node, sequence: UInt64(minutes), fact: Fact(kind, details))
    }

    private func touched(_ connection: Fact.Value = Self.connection, answeredBy attacker: String? = nil) -> Observation {
        var details: [Fact.Detail: Fact.Value] = [.instance: "s1", .connection: connection, .name: "fridge-1", .peer: "fridge-2"]
        if let attacker { details[.answeredBy] = .text(attacker) }
        return fact(11, "0", .trace, details)
    }

    private func refused(_ node: String, _ code: Code, at minutes: Int64 = 12) -> Observation {
        fact(minutes, node, .handshake, [.code: .text(code.rawValue), .connection: Self.connection, .result: "failed"])
    }

    private func report(_ journal: [Observation], end: Int64 = 120, _ text: String = Self.text) throws -> Report {
        let plan = try Plan.read(file: "t.yaml", attacks: Attacks.catalogue) { _ in text }
        return Report(plan: plan, journal: journal + [fact(end, "network", .runEnded, [:])], digest: "", attacks: Attacks.catalogue)
    }

    private func outcome(_ journal: Observation..., end: Int64 = 120, text: String = Self.text) throws -> Verdict.Outcome {
        try report(journal, end: end, text).verdicts[0].outcome
    }

    /// A clock that a fault has set refuses anybody; once it is right again its refusals count.
    @Test func whatAWrongClockRefusesIsNoDefence() throws {
        #expect(try outcome(touched(), refused("fridge-2", .certificateNotCurrent)) == .unreached)
        #expect(try outcome(touched(), refused("fridge-2", .certificateRefused)) == .defended)
        let set = fact(8, "fridge-2", .clockSet, [.nonce: "n"])
        #expect(try outcome(set, touched(), refused("fridge-2", .certificateNotCurrent)) == .defended)
    }

    /// The peer only heard of it: the alert about it is the fault's all the same, though an attack has touched the connection.
    @Test func whatComesOfAWrongClockIsTheDoingOfWhoeverSetIt() throws {
        let alert = fact(
            13, "service", .alert,
            [.rule: .text(DetectionRule.authenticationFailures.rawValue), .device: "fridge-1", .connection: Self.connection])
        func causes(_ code: Code) throws -> [String] {
            try report([touched(), refused("fridge-2", code), alert]).detection.alerts[0].causes.map { "\($0.kind) \($0.step)" }
        }
        #expect(try causes(.certificateNotCurrent) == ["fault s2"])
        #expect(try causes(.certificateRefused) == ["attack s1"])
    }

    @Test func whatAttackersSayIsNoDefence() throws {
        #expect(try outcome(touched(answeredBy: "interceptor-s2"), refused("fridge-1", .tlsAlert)) == .unreached)
        #expect(try outcome(touched(), refused("interceptor-s2", .protocolRefused)) == .unreached)
        #expect(try outcome(touched(answeredBy: "interceptor-s2"), refused("fridge-1", .certificateRefused)) == .defended)
    }

    @Test(arguments: [Code.serverError, .storage, .noConnectionLeft]) func whoeverCannotDefendsNothing(code: Code) throws {
        #expect(try outcome(touched(), refused("fridge-2", code)) == .unreached)
    }

    @Test func connectionsToEachPortNeedTheirOwnWitness() throws {
        let other = touched("10.1.0.10:40001>80")
        #expect(try outcome(touched(), other, refused("fridge-2", .protocolRefused)) == .unreached)
    }

    @Test func anAttackThatOutlastsTheRunCannotBeTold() throws {
        let journal = [touched(), refused("fridge-2", .protocolRefused)]
        #expect(try report(journal, end: 19).verdicts[0].outcome == .unknown)
        let long = Self.text.replacing("for: 10m, attack", with: "for: 9h, attack")
        #expect(try report(journal, long).verdicts[0].outcome == .unknown)
        let plan = try Plan.read(file: "t.yaml", attacks: Attacks.catalogue) { _ in long }
        #expect(plan.warnings(Attacks.catalogue).contains { $0.contains("outlasts the run") })
    }

    @Test(arguments: ["power-cut", "partition"]) func whoeverCannotBeReachedIsUntried(fault: String) throws {
        let off = Self.text + "\n  - { at: 9m, for: 30m, fault: \(fault), target: { devices: fridge-1 } }"
        #expect(try outcome(touched(), text: off) == .untried)
        // Copies are made of what was taken from them before.
        let copy = off.replacing("record-tamper", with: "cloned-device")
        let plan = try Plan.read(file: "t.yaml", attacks: Attacks.catalogue) { _ in copy }
        #expect(plan.warnings(Attacks.catalogue).isEmpty)
    }

    @Test func aNetworkWithoutAWayToTheServiceIsWarnedOf() throws {
        let island = Self.text.replacing("networks: {", with: "networks: { island: { latency: 5ms },").replacing(
            "count: 2, network: home }", with: "count: 2, network: home }\n  lonely: { network: island }")
        let plan = try Plan.read(file: "t.yaml", attacks: Attacks.catalogue) { _ in island }
        #expect(plan.warnings(Attacks.catalogue).contains { $0.contains("no link leads from island") && $0.contains("lonely") })
    }
}

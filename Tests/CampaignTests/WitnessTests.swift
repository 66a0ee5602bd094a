import Injector
import Judging
import Planning
import Testing
import Wire

/// Observations that look like a defence and are none.
@Suite struct WitnessTests {
    private static let text = TwoFridges.topology(
        """
        method:
          - { at: 10m, for: 10m, attack: record-tamper, target: { devices: fridge-1 } }
          - { at: 5m, fault: clock-jump, by: 9000h, target: { devices: fridge-2 } }
        """)
    private static let connection = Fact.Value.text("10.1.0.10:40000>4443")

    private func fact(_ minutes: Int64, _ node: String, _ kind: Fact.Kind, _ details: [Fact.Detail: Fact.Value]) -> Observation {
        TwoFridges.fact(minutes, node, Fact(kind, details))
    }

    private func touched(
        _ connection: Fact.Value = Self.connection, answeredBy attacker: String? = nil, at minutes: Int64 = 11
    ) -> Observation {
        var details: [Fact.Detail: Fact.Value] = [.instance: "s1", .connection: connection, .name: "fridge-1", .peer: "fridge-2"]
        if let attacker { details[.answeredBy] = .text(attacker) }
        return fact(minutes, "0", .trace, details)
    }

    private func refused(_ node: String, _ code: Code, at minutes: Int64 = 12) -> Observation {
        fact(minutes, node, .handshake, [.code: .text(code.rawValue), .connection: Self.connection, .result: "failed"])
    }

    private func report(_ journal: [Observation], end: Int64 = 120, _ text: String = Self.text) throws -> Report {
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in text }
        return Report(
            plan: plan, journal: ObservationLog(journal.sorted(by: Observation.inJournalOrder) + [fact(end, "network", .runEnded, [:])]),
            digest: "",
            catalogue: Injector.catalogue)
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

    /// What is over by a right clock too was not refused by a wrong one, however far that was off.
    @Test func whatARightClockWouldRefuseTooIsDefended() throws {
        func refused(_ key: Fact.Detail, _ seconds: Int64) -> Observation {
            fact(
                12, "fridge-2", .handshake,
                [
                    .code: .text(Code.certificateNotCurrent.rawValue), .connection: Self.connection,
                    key: .number(Plan.defaultEpochSeconds + seconds),
                ])
        }
        #expect(try outcome(touched(), refused(.notAfterSeconds, -86_400)) == .defended)
        #expect(try outcome(touched(), refused(.notAfterSeconds, 86_400)) == .unreached)
        #expect(try outcome(touched(), refused(.notBeforeSeconds, 86_400)) == .defended)
        #expect(try outcome(touched(), refused(.notBeforeSeconds, -86_400)) == .unreached)
    }

    /// Certificates that a fault has made to expire are no harm of an attack's; those that it kept from being renewed are.
    @Test func onlyWhoeverIsToBlameHasDegraded() throws {
        func lost(_ node: String) -> [Observation] {
            [
                fact(2, node, .certificateIssued, [.notAfterSeconds: .number(Plan.defaultEpochSeconds + 15 * 60)]),
                fact(16, node, .certificateExpired, [:]),
            ]
        }
        let refusal = refused("fridge-2", .protocolRefused)
        let text = Self.text.replacing("for: 10m, attack", with: "for: 20m, attack")
        #expect(try report(lost("fridge-1") + [touched(), refusal], text).verdicts[0].outcome == .degraded)
        #expect(
            try report(lost("fridge-1") + [touched(at: 17), refused("fridge-2", .protocolRefused, at: 18)], text).verdicts[0].outcome
                == .defended)
        let cut = text + "\n  - { at: 13m, for: 1m, fault: partition, target: { devices: fridge-1 } }"
        #expect(try report(lost("fridge-1") + [touched(), refusal], cut).verdicts[0].outcome == .defended)
        // By a clock that is wrong they are over before their time.
        let early = [
            fact(2, "fridge-1", .certificateIssued, [.notAfterSeconds: .number(Plan.defaultEpochSeconds + 86_400)]), lost("fridge-1")[1],
        ]
        let jump = text.replacing("target: { devices: fridge-2 }", with: "target: { devices: fridge-1 }")
        #expect(try report(early + [touched(), refusal], jump).verdicts[0].outcome == .defended)
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

    /// Two attacks on one connection: who has an end of it is who was refused.
    @Test func aRefusalOfAnotherAttackIsNoDefence() throws {
        let rogue = Fact.Value.text("10.1.255.254:32768>4443")
        let placed = fact(10, "0", .trace, [.instance: "s3", .address: "10.1.255.254"])
        let refusal = fact(12, "fridge-1", .handshake, [.code: .text(Code.certificateRefused.rawValue), .connection: rogue])
        #expect(try outcome(placed, touched(rogue), refusal) == .unreached)
        #expect(try outcome(touched(rogue), refusal) == .defended)
        let alert = fact(13, "service", .alert, [.rule: .text(DetectionRule.authenticationFailures.rawValue), .connection: rogue])
        let text = Self.text + "\n  - { at: 10m, for: 5m, attack: rogue-device, target: { devices: fridge-1 } }"
        #expect(try report([placed, touched(rogue), refusal, alert], text).detection.alerts[0].causes.map(\.step) == ["s3"])
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
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in long }
        #expect(plan.warnings(Injector.catalogue).contains { $0.contains("outlasts the run") })
    }

    @Test(arguments: ["power-cut", "partition"]) func whoeverCannotBeReachedIsUntried(fault: String) throws {
        let off = Self.text + "\n  - { at: 9m, for: 30m, fault: \(fault), target: { devices: fridge-1 } }"
        #expect(try outcome(touched(), text: off) == .untried)
        // Copies are made of what was taken from them before.
        let copy = off.replacing("record-tamper", with: "cloned-device")
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in copy }
        #expect(plan.warnings(Injector.catalogue).isEmpty)
    }

    @Test func aNetworkWithoutAWayToTheServiceIsWarnedOf() throws {
        let island = Self.text.replacing("networks: {", with: "networks: { island: { latency: 5ms },").replacing(
            "count: 2, network: home }", with: "count: 2, network: home }\n  lonely: { network: island }")
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in island }
        #expect(plan.warnings(Injector.catalogue).contains { $0.contains("no link leads from island") && $0.contains("lonely") })
    }
}

import Injector
import Judging
import Planning
import Testing
import Wire

/// Verdicts from journals made by hand: what proves what, and what proves nothing.
@Suite struct VerdictTests {
    private static let text = TwoFridges.topology(
        """
        gateways: { door: { network: home, ports: [{ port: 8080, to: "service:80" }] } }
        method:
          - { at: 10m, for: 10m, attack: record-tamper, target: { devices: fridge } }
          - { at: 30m, for: 40m, fault: power-cut, target: { devices: fridge-2 } }
        """)

    private let plan: Plan

    init() throws { plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in Self.text } }

    private func fact(_ minutes: Int64, _ node: String, _ fact: Fact) -> Observation {
        TwoFridges.fact(minutes, node, fact)
    }

    private func report(_ journal: [Observation]) -> Report {
        Report(
            plan: plan, journal: ObservationLog(journal + [fact(120, "network", Fact(.runEnded))]), digest: "",
            catalogue: Injector.catalogue)
    }

    /// The network knows that the attack has touched this connection.
    private func touched(_ fridge: String, _ connection: String, at minutes: Int64 = 11) -> Observation {
        fact(minutes, "0", Fact(.trace, [.instance: "s1", .connection: .text(connection), .name: .text(fridge), .peer: "service"]))
    }

    private func handshake(_ minutes: Int64, _ code: Code, _ connection: String) -> Observation {
        fact(
            minutes, "service",
            Fact(.handshake, [.role: "server", .result: "failed", .code: .text(code.rawValue), .connection: .text(connection)]))
    }

    private func outcomes(_ journal: [Observation]) -> [Verdict.Outcome] { report(journal).verdicts[0].targets.map(\.outcome) }

    private static let one = "10.1.0.10:40000>8443"
    private static let two = "10.1.0.11:40000>8443"

    @Test func aTargetIsDefendedByARefusalOnTheConnectionThatWasTouched() {
        let journal = [
            touched("fridge-1", Self.one), touched("fridge-2", Self.two), handshake(12, .protocolRefused, Self.one),
            handshake(12, .tlsAlert, Self.two),
        ]
        #expect(outcomes(journal) == [.defended, .defended])
        let verdict = report(journal).verdicts[0]
        #expect(verdict.outcome == .defended && verdict.targets[0].witness?.node == "service")
        #expect(verdict.targets[0].witness?.code == "protocol-refused")
    }

    /// One target that nobody tried is enough to leave the question open, and one that fell decides it.
    @Test func theStepIsAsBadAsItsWorstTarget() {
        let half = [touched("fridge-1", Self.one), handshake(12, .protocolRefused, Self.one)]
        #expect(outcomes(half) == [.defended, .untried])
        #expect(report(half).verdicts[0].outcome == .untried && report(half).exitCode == 2)
        let fallen = half + [fact(13, "0", Fact(.attackSucceeded, [.instance: "s1", .target: "fridge-2", .evidence: "e"]))]
        #expect(report(fallen).verdicts[0].outcome == .compromised && report(fallen).exitCode == 1)
    }

    @Test(arguments: Code.allCases.filter(\.isOfNetworks)) func whatNetworksDoIsNoDefence(code: Code) {
        #expect(outcomes([touched("fridge-1", Self.one), handshake(12, code, Self.one)])[0] == .unreached)
    }

    /// A refusal that is about somebody else's connection, or came before the attack, shows nothing.
    @Test func aStrangersRefusalIsNoWitness() {
        #expect(outcomes([touched("fridge-1", Self.one), handshake(12, .protocolRefused, "10.1.0.12:40000>8443")])[0] == .unreached)
        #expect(outcomes([handshake(5, .protocolRefused, Self.one), touched("fridge-1", Self.one)])[0] == .unreached)
    }

    /// What comes late counts all the same.
    @Test func aSuccessAfterTheEndOfTheAttackCounts() {
        let late = fact(60, "0", Fact(.attackSucceeded, [.instance: "s1", .target: "fridge-1", .evidence: "e"]))
        #expect(outcomes([touched("fridge-1", Self.one), handshake(12, .protocolRefused, Self.one), late])[0] == .compromised)
    }

    // MARK: Alerts

    private func alert(_ minutes: Int64, _ rule: DetectionRule, _ details: [Fact.Detail: Fact.Value]) -> Observation {
        fact(minutes, "service", Fact(.alert, details.merging([.rule: .text(rule.rawValue)]) { $1 }))
    }

    private func causes(_ alert: Observation) -> [String] {
        report([touched("fridge-1", Self.one), alert]).detection.alerts[0].causes.map { "\($0.kind) \($0.step)" }
    }

    /// Within the attack's time and of its rule, but about something that it had no hand in: a false alarm.
    @Test func anAlertCountsForWhatItNames() {
        #expect(causes(alert(12, .authenticationFailures, [.connection: .text(Self.one)])) == ["attack s1"])
        #expect(causes(alert(119, .authenticationFailures, [.connection: .text(Self.one)])) == ["attack s1"])
        #expect(causes(alert(12, .authenticationFailures, [.connection: .text(Self.two)])).isEmpty)
        #expect(causes(alert(12, .authenticationFailures, [.address: "10.1.0.10"])).isEmpty)
    }

    @Test func faultsAndTheWorldOutsideAreToldApart() throws {
        let since = Fact.Value.number(plan.epochSeconds + 25 * 60)
        #expect(
            causes(alert(70, .silence, [.device: "fridge-2", .sinceSeconds: since])) == ["fault s2"])
        #expect(causes(alert(70, .silence, [.device: "fridge-1", .sinceSeconds: since])).isEmpty)
        let address = try #require(plan.gateways.first?.address)
        #expect(
            causes(alert(15, .requestRefused, [.connection: .text("\(address):41000>80")])) == ["outside door"])
    }

    @Test func precisionIsOverAttacksAndFalseAlarms() {
        let detection = report([
            touched("fridge-1", Self.one), alert(12, .authenticationFailures, [.connection: .text(Self.one)]),
            alert(13, .authenticationFailures, [.connection: .text(Self.two)]),
            alert(70, .silence, [.device: "fridge-2", .sinceSeconds: .number(plan.epochSeconds + 25 * 60)]),
        ]).detection
        #expect(detection.all.precision == 0.5 && detection.all.faults == 1 && detection.falseAlarms == 1)
        #expect(detection.byRule["silence"]?.precision == nil)
    }

    // MARK: Expectations

    @Test func whoSaysNothingExpectsThatItHolds() throws {
        #expect(plan.expectations.contains { $0.claim == .verdict(step: "s1", .defended) })
        let silent = Self.text.replacing("target: { devices: fridge } }", with: "target: { devices: fridge }, expect: { verdict: any } }")
        #expect(try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in silent }.expectations.isEmpty)
    }

    @Test func whatCanNeverReachItsTargetIsWarnedOf() throws {
        let text = Self.text.replacing("attack: record-tamper", with: "attack: remote-exploit").replacing(
            "at: 30m, for: 40m", with: "at: 5m, for: 40m")
        let plan = try Plan.read(file: "t.yaml", catalogue: Injector.catalogue) { _ in text }
        let warnings = plan.warnings(Injector.catalogue)
        #expect(warnings.contains { $0.contains("fridge-1, fridge-2 without the app 'panel'") })
        #expect(warnings.contains { $0.contains("fridge-2 without power all the while") })
        #expect(self.plan.warnings(Injector.catalogue).isEmpty)
    }
}

import Catalogue
import Fabric
import Injector
import Judging
import Planning
import ReportFormats
import Testing
import Wire

@Suite struct PlanTests {
    static let good = """
        name: test
        seed: 5
        stop: 2h
        networks:
          home:  { latency: 8ms, jitter: 2ms, bandwidth: 20Mbit, loss: 0.5% }
          cloud: { latency: 30ms }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 2, network: home, apps: [compressor], peers: [oven] }
          oven:   { count: 2, network: home }
        expect:
          - { devices: all, reach: attested, within: 5m }
        """

    private func read(_ text: String) throws(PlanProblems) -> Plan {
        try Plan.read(file: "f.yaml", catalogue: Injector.catalogue) { $0 == "f.yaml" ? text : nil }
    }

    private func problem(_ text: String) -> String? {
        do throws(PlanProblems) {
            _ = try read(text)
            return nil
        } catch {
            return error.problems.first?.description
        }
    }

    @Test func resolvesEverything() throws {
        let plan = try read(Self.good)
        #expect(plan.devices.map(\.name) == ["fridge-1", "fridge-2", "oven-1", "oven-2"])
        #expect(plan.devices[0].calls == ["oven-1", "oven-2"])
        #expect(plan.devices[2].allowedProducts == ["fridge"])
        #expect(plan.networks[0].bitsPerSecond == 20_000_000 && plan.networks[0].lossRatio == 0.005)
        #expect(plan.stop == .start + .hours(2))
        #expect(Set(plan.devices.map(\.address)).count == 4)
    }

    /// Each mistake: what is changed, where it is found, what is said.
    @Test(arguments: [
        ("seed: 5", "sed: 5", "f.yaml:2:1: unknown key 'sed' in the topology; did you mean 'seed'?"),
        ("latency: 8ms", "latency: 8", "f.yaml:5:21: latency: '8' has no unit"),
        ("latency: 8ms", "latency: 8mss", "f.yaml:5:21: latency: unknown unit 'mss'"),
        ("loss: 0.5%", "loss: 150%", "f.yaml:5:64: loss: '150%' is not from 0% to 100%"),
        ("peers: [oven]", "peers: [ovn]", "f.yaml:10:66: unknown device 'ovn'; did you mean 'oven'?"),
        ("network: cloud,", "network: clod,", "f.yaml:8:21: unknown network 'clod'; did you mean 'cloud'?"),
        ("apps: [compressor]", "apps: [compresor]", "f.yaml:10:45: unknown app 'compresor'; did you mean 'compressor'?"),
        ("devices:\n", "apps: { own: { program: a.elf } }\ndevices:\n", "f.yaml:9:9: own: expected an image, or a program and a manifest"),
        ("devices:\n", "apps: { compressor: { image: a } }\ndevices:\n", "'compressor' comes with the testbed"),
        ("count: 2, network: home, apps", "count: 0, network: home, apps", "f.yaml:10:20: count: expected a whole number from 1 to 10000"),
        ("reach: attested", "reach: atested", "f.yaml:13:28: unknown state 'atested'; did you mean 'attested'?"),
        ("  cloud: { latency: 30ms }", "  home: { latency: 30ms }", "duplicate name"),
        ("count: 2, network: home }", "count: 2, network: home, call-every: 0s }", "call-every: at least 1s"),
        ("name: test", "name: [", "f.yaml:"),
        ("service: { network: cloud, catalog: acme }", "", "'service' is missing"),
    ]) func mistakesAreNamedWithTheirPlace(_ case: (old: String, new: String, message: String)) throws {
        let text = Self.good.replacing(`case`.old, with: `case`.new)
        #expect(text != Self.good)
        let found = try #require(problem(text))
        #expect(found.contains(`case`.message), "\(found)")
    }

    @Test func allProblemsOfAFileAreReported() {
        let text = Self.good.replacing("seed: 5", with: "sed: 5").replacing("8ms", with: "8")
        #expect { try read(text) } throws: { ($0 as? PlanProblems)?.problems.count == 2 }
    }

    @Test func campaignsStandOnTopologies() throws {
        let campaign = """
            name: c
            topology: ../t.yaml
            controls-off: [secure-boot]
            method:
              - { at: 10m, for: 5m, fault: loss, ratio: 10%, target: { network: home } }
              - { at: 20m, attack: rogue-device, target: { devices: oven, mode: one }, expect: { verdict: defended } }
            """
        let plan = try Plan.read(file: "a/b/c.yaml", catalogue: Injector.catalogue) {
            $0 == "a/b/c.yaml" ? campaign : $0 == "a/b/../t.yaml" ? Self.good : nil
        }
        #expect(plan.name == "c" && plan.steps.count == 2 && plan.controlsOff == [.secureBoot])
        #expect(plan.steps[0].ratio("ratio") == 0.1 && plan.steps[0].networks == ["home"])
        #expect(plan.steps[1].nodes.count == 1)
        #expect(plan.expectations.count == 1)
    }

    @Test(arguments: [
        ("fault: los", "unknown fault 'los'; did you mean 'loss'?"), ("fault: loss, ratio: 5", "ratio: '5' has no unit"),
        ("fault: loss", "'ratio' is missing"), ("fault: power-cut", "'for' is missing"),
        ("attack: tls-intercept", "unknown attack 'tls-intercept'; did you mean 'tls-interception'?"),
        ("fault: partition, colour: red", "unknown key 'colour'"),
        ("fault: device-churn, for: 1h, every: 1ms", "every: at least 1s"),
    ]) func stepsAreChecked(_ step: (text: String, message: String)) throws {
        let text = Self.good + "\nmethod:\n  - { at: 1m, \(step.text), target: { devices: all } }"
        #expect(try #require(problem(text)).contains(step.message))
    }

    @Test func fuzzedFilesAreReadOrRefused() {
        let bytes = Array(Self.good.utf8)
        for index in stride(from: 0, to: bytes.count, by: 3) {
            for value in Array(":{}[]\"'&*|-\n\t 0%".utf8) {
                var changed = bytes
                changed[index] = value
                _ = problem(String(decoding: changed, as: UTF8.self))
            }
        }
    }
}

@Suite struct JudgementTests {
    private let plan: Plan
    init() throws { plan = try Plan.read(file: "f", catalogue: Injector.catalogue) { _ in PlanTests.good } }

    private func fact(_ seconds: Int64, _ node: String, _ fact: Fact) -> Observation {
        Observation(at: .start + .seconds(seconds), node: node, sequence: 0, fact: fact)
    }

    private func report(_ journal: [Observation]) -> Report {
        Report(
            plan: plan,
            journal: ObservationLog(journal + [Observation(at: plan.stop, node: "network", sequence: 0, fact: Fact(.runEnded))]),
            digest: "",
            catalogue: Injector.catalogue)
    }

    @Test func lateAttestationBreaksTheExpectation() {
        let all = plan.devices.map { fact(10, $0.name, Fact(.attestation, [.result: "accepted"])) }
        #expect(report(all).exitCode == 0)
        #expect(report(Array(all.dropFirst())).exitCode == 1)
        let late = [fact(301, "fridge-1", Fact(.attestation, [.result: "accepted"]))] + all.dropFirst()
        #expect(report(late).judgements[0].reason == "not: fridge-1")
    }

    @Test func aRunThatEndedEarlyCannotTell() {
        let early = Report(plan: plan, journal: [fact(10, "fridge-1", Fact(.osReady))], digest: "", catalogue: Injector.catalogue)
        #expect(early.judgements[0].result == .unknown)
        #expect(early.exitCode == 2)
    }

    @Test func aLostProcessMakesTheRunUncertain() {
        let all = plan.devices.map { fact(10, $0.name, Fact(.attestation, [.result: "accepted"])) }
        #expect(report(all + [fact(11, "network", Fact(.processLost, [.name: "oven-1"]))]).exitCode == 2)
    }

    @Test func handshakeMetrics() {
        func shake(_ result: String, _ took: Int64?, role: String = "client") -> Observation {
            var details: [Fact.Detail: Fact.Value] = [
                .role: .text(role), .pair: "device-device", .port: 4443, .result: .text(result), .reason: "expired",
            ]
            if let took {
                details[.durationNanoseconds] = .number(took)
                details[.mode] = "mutual"
            }
            return fact(1, "fridge-1", Fact(.handshake, details))
        }
        let metrics = Metrics([
            shake("accepted", 1_000_000), shake("accepted", 3_000_000), shake("failed", nil), shake("failed", nil, role: "server"),
        ])
        let pair = metrics.handshakes["device-device mutual"]
        #expect(pair?.attempts == 3 && pair?.accepted == 2)
        #expect(pair?.failuresByReason == ["expired": 1])
        #expect(metrics.refusalsByServers == ["device-device": ["expired": 1]])
        #expect((2_990_000...3_010_000).contains(pair?.latency?.maxNanoseconds ?? 0))
    }

    @Test func journalLinesAreJSON() {
        let line = Journal.line(fact(0, "a\"b", Fact(.appLog, [.text: "x\u{1}\n\\"])))
        #expect(line == #"{"at_ns":0,"node":"a\"b","kind":"app-log","text":"x\u0001\n\\"}"#)
    }
}

@Suite struct AblationTests {
    private func report(_ succeeded: Bool, tried: Bool = true) throws -> Report {
        let text = PlanTests.good + "\nmethod:\n  - { at: 1m, attack: rogue-device, target: { devices: oven } }"
        let plan = try Plan.read(file: "f", catalogue: Injector.catalogue) { _ in text }
        let fact: Fact =
            succeeded
            ? Fact(.attackSucceeded, [.instance: "s1", .evidence: "e"])
            : Fact(.attackStep, [.instance: "s1", .code: .text(Code.tlsAlert.rawValue), .reason: "r"])
        let journal = tried ? [Observation(at: .start + .minutes(2), node: "x", sequence: 0, fact: fact)] : []
        return Report(plan: plan, journal: ObservationLog(journal), digest: "", catalogue: Injector.catalogue)
    }

    @Test func theMatrixSaysWhatMatters() throws {
        var ablation = Ablation(campaign: "c", seeds: [1, 2], attacks: ["rogue-device"])
        for _ in 0..<2 { ablation.add(try report(false), off: []) }
        ablation.add(try report(true), off: [.attestationGate])
        ablation.add(try report(false), off: [.attestationGate])
        ablation.add(try report(false, tried: false), off: [.secureBoot])
        ablation.add(try report(false), off: [.secureBoot])
        #expect(ablation.cells["attestation-gate"]?["rogue-device"]?.successRatio == 0.5)
        // A run that could not tell counts neither way.
        #expect(ablation.cells["secure-boot"]?["rogue-device"]?.successRatio == 0)
        #expect(ablation.controlsThatMatter(for: "rogue-device") == ["attestation-gate"])
        // A pair says something only where neither of it is enough.
        ablation.add(try report(true), off: [.attestationGate, .secureBoot])
        ablation.add(try report(true), off: [.secureBoot, .signedUpdates])
        #expect(ablation.controlsThatMatter(for: "rogue-device") == ["attestation-gate", "secure-boot + signed-updates"])
        #expect(
            Ablation.configurations([.secureBoot, .signedUpdates, .attestationGate], pairs: true).map(Ablation.row) == [
                "(all on)", "secure-boot", "signed-updates", "attestation-gate", "secure-boot + signed-updates",
                "secure-boot + attestation-gate", "signed-updates + attestation-gate",
            ])
        #expect(
            ablation.text.contains(
                "rogue-device\n      succeeds without attestation-gate, or without secure-boot + signed-updates\n      noticed in 0 of 8 runs"
            ))
        #expect(ablation.html.contains("title=\"1 of 2 runs; noticed in 0\""))
        #expect(ablation.csv.contains("secure-boot,rogue-device,2,0,1"))
    }

    /// What succeeds with all controls on is stopped by none of them.
    @Test func anAttackThatAlwaysSucceedsIsStoppedByNothing() throws {
        var ablation = Ablation(campaign: "c", seeds: [1], attacks: ["rogue-device"])
        ablation.add(try report(true), off: [])
        ablation.add(try report(true), off: [.secureBoot])
        #expect(ablation.controlsThatMatter(for: "rogue-device").isEmpty)
    }
}

@Suite struct MethodTests {
    private static let topology = """
        name: method
        stop: 10h
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 2, network: home, apps: [compressor], labels: [kitchen] }
          oven:   { network: home, group: field-test }
        """

    private func plan(_ more: String) throws -> Plan {
        try Plan.read(file: "m.yaml", catalogue: Injector.catalogue) { _ in Self.topology + "\n" + more + "\n" }
    }

    private func problem(_ more: String) -> String {
        do throws(PlanProblems) {
            _ = try Plan.read(file: "m.yaml", catalogue: Injector.catalogue) { _ in Self.topology + "\n" + more + "\n" }
            return ""
        } catch { return error.problems.map(\.message).joined(separator: " | ") }
    }

    @Test func serialAndParallelBlocksAreLaidOutInTime() throws {
        let plan = try plan(
            """
            method:
              - at: 1h
                pause: 10m
                serial:
                  - { for: 20m, fault: partition, target: { network: home } }
                  - parallel:
                      - { for: 30m, fault: latency, delay: 1s, target: { label: kitchen } }
                      - { for: 5m, attack: downgrade, target: { group: field-test } }
                  - { for: 1m, fault: service-kill }
            """)
        #expect(plan.steps.map { ($0.at - .start) } == [.hours(1), .minutes(90), .minutes(90), .minutes(130)])
        #expect(plan.steps[1].nodes == ["fridge-1", "fridge-2"] && plan.steps[2].nodes == ["oven"])
        #expect(plan.schedule.contains("1.5h  s3   downgrade for 5m: oven"))
    }

    @Test(arguments: [
        ("- { at: 1h, for: 1m, fault: power-cut, target: { devices: toaster } }", "unknown device 'toaster'"),
        (
            "- { at: 1h, for: 1m, fault: power-cut, target: { devices: fridge, mode: fixed, value: 3 } }",
            "3 devices are wanted and there are 2"
        ),
        ("- { at: 1h, for: 1m, fault: power-cut, target: { network: cloud } }", "no device is there to aim at"),
        ("- { at: 1h, for: 1m, fault: power-cut, target: { devices: fridge, group: production } }", "expected one of devices"),
        ("- { at: 1h, update: { image: compressor@2, group: field-test } }", "no device of the group 'field-test' has 'compressor'"),
        ("- { at: 1h, update: { image: compressor@65, group: production } }", "a whole number from 2 to 64"),
        ("- { at: 1h, update: { image: compressor, group: production } }", "expected a name and a version"),
        ("- { at: 1h, update: { image: compressor@2, group: production, batches: [x] } }", "expected counts or shares"),
        ("- { at: 1h, update: { image: os@26.12, group: production, defect: crash } }", "defect: an OS can have no-boot, hangs"),
        ("- { at: 1h, update: { image: compressor@2, group: production, defect: hangs } }", "defect: an app can have crash"),
        ("- { at: 1h, update: { image: os@26.12, group: production, batch-timeout: 1s } }", "batch-timeout: at least 1m"),
        ("- { at: 1h, operator: withdraw }", "withdraw: no step before it releases anything"),
        ("- { at: 1h, operator: withdraw, image: compressor@9 }", "withdraw: no step before it releases 'compressor@9'"),
        ("- { at: 1h, update: { image: compressor@2, feed: retail } }", "only an OS is published on feeds"),
        ("- { at: 1h, update: { image: os@26.12, feed: retial } }", "unknown feed 'retial'; did you mean 'retail'?"),
        ("- { at: 1h, update: { image: os@26.12, feed: retail, group: production } }", "to a group or to a feed, not to both"),
        ("- { at: 1h, update: { image: os@26.12, feed: retail, retail-after: 1h } }", "only what goes to retail-eval first"),
        ("- { at: 1h, attack: botnet, target: { devices: all }, expect: { verdict: frozen } }", "keeps nobody from updates"),
        (
            "- { at: 1h, for: 1m, fault: loss, ratio: 1%, target: { devices: all }, expect: { verdict: defended } }",
            "nothing is judged of loss alone"
        ),
        ("- { at: 1h, operator: reboot, target: { devices: all } }", "unknown operator 'reboot'"),
        ("- { at: 1h, attack: stolen-signing-key, keys: many, target: { devices: all } }", "unknown keys 'many'"),
        ("- { at: 1h, attack: botnet, target: { devices: all }, uses: hole }", "no attack before it is called 'hole'"),
        ("- { at: 1h, fault: loss, for: 1m, ratio: 1%, target: { devices: all }, as: x }", "only attacks obtain something"),
        (
            "- { at: 1h, attack: botnet, target: { devices: all }, as: b }\n  - { at: 1h, attack: botnet, target: { devices: all }, uses: b }",
            "'b' begins no earlier"
        ),
        ("- { at: 1h, serial: [] }", "expected a list of steps"),
        ("- { at: 1h, serial: [{ at: 2h, fault: service-kill, for: 1m }] }", "the block says when its steps begin"),
        ("- { at: 1h, fault: service-kill, for: 1m, attack: botnet, target: { devices: all } }", "expected one of 'fault', 'attack'"),
    ]) func badStepsAreRefusedWithTheReason(step: String, reason: String) {
        let found = problem("method:\n  \(step)")
        #expect(found.contains(reason), "\(found)")
    }

    @Test(arguments: [
        ("{ network: home, exits: [{ port: 1, to: '10.0.0.1:80' }] }", "expected a port of this machine, such as 127.0.0.1:8883"),
        ("{ network: home, exits: [{ port: 1, to: 'localhost' }] }", "expected a port of this machine"),
        ("{ network: home, exits: [{ port: 0, to: '127.0.0.1:80' }] }", "a whole number from 1"),
        ("{ network: home }", "expected 'ports' or 'exits'"),
    ]) func badGatewaysAreRefusedWithTheReason(gateway: String, reason: String) {
        let found = problem("gateways: { door: \(gateway) }")
        #expect(found.contains(reason), "\(found)")
    }

    @Test func whatCannotGoTogetherIsRefused() {
        let overlap = problem(
            """
            method:
              - { at: 1h, for: 2h, attack: update-freeze, target: { devices: fridge-1 } }
              - { at: 2h, for: 2h, attack: update-rollback, target: { devices: fridge } }
            """)
        #expect(
            overlap.contains("update-freeze (s1) and update-rollback (s2) overlap: both hold the way to updates of fridge-1"), "\(overlap)")
        let detection = problem(
            """
            controls-off: [threat-detection]
            method:
              - { at: 1h, for: 2h, attack: botnet, target: { devices: all }, expect: { detected-within: 1h } }
            expect:
              - { false-alarms: 0 }
            """)
        #expect(detection.contains("threat-detection is off, so nothing can show it") && detection.contains("so nothing can show any"))
        let late = problem("steady-state:\n  - { devices: all, availability: 99% }\nmethod:\n  - { at: 9h, for: 50m, fault: service-kill }")
        #expect(late.contains("the run ends before it can be seen again"), "\(late)")
    }
}

import Catalogue
import Injector
import Planning
import Testing
import Wire

/// What an operator decides about devices is looked at when the file is read: what could not be done then is refused.
@Suite struct InventoryActPlanTests {
    private static let topology = """
        name: acts
        stop: 10h
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 2, network: home, apps: [compressor] }
          oven:   { network: home, group: field-test }
        groups: { spares: {} }

        """

    private func read(_ more: String, topology: String = topology) throws(PlanProblems) -> Plan {
        try Plan.read(file: "m.yaml", catalogue: Injector.catalogue) { _ in topology + more + "\n" }
    }

    private func problems(_ more: String, topology: String = topology) -> [String] {
        do throws(PlanProblems) {
            _ = try read(more, topology: topology)
            return []
        } catch { return error.problems.map(\.description) }
    }

    @Test func whatTheyMeanIsInThePlan() throws {
        let plan = try read(
            """
            method:
              - { at: 1h, operator: lock-out, target: { devices: [oven, fridge-1] } }
              - { at: 2h, operator: readmit, target: { devices: fridge-1 } }
              - { at: 3h, operator: move, target: { group: production }, to: spares }
              - { at: 4h, update: { image: compressor@2, group: spares } }
            """)
        #expect(plan.steps.map(\.nodes) == [["fridge-1", "oven"], ["fridge-1"], ["fridge-1", "fridge-2"], []])
        #expect(plan.steps.map(\.group) == [nil, nil, "spares", nil])
        #expect(plan.schedule.contains("move: fridge-1 fridge-2 to spares"))
        #expect(plan.allGroups.keys.sorted() == ["field-test", "production", "spares"])
        #expect(plan.warnings(Injector.catalogue).isEmpty)
    }

    private static let mistakes: [(steps: [String], place: String, reason: String)] = [
        (["1h, operator: move, target: { devices: oven }, to: spare"], "11:62", "to: unknown group 'spare'; did you mean 'spares'?"),
        (["1h, operator: move, target: { devices: oven }"], "11:5", "'to' is missing"),
        (["1h, operator: move, target: { devices: oven }, to: field-test"], "11:62", "move: oven is in the group 'field-test' already"),
        (
            ["1h, operator: move, target: { devices: oven }, to: spares", "2h, operator: move, target: { devices: oven }, to: spares"],
            "12:62", "move: oven is in the group 'spares' already"
        ),
        (["1h, operator: lock-out, target: { devices: all }"], "11:25", "lock-out: no device would be left"),
        (
            ["1h, operator: lock-out, target: { devices: fridge }", "2h, operator: lock-out, target: { devices: oven }"],
            "12:25", "lock-out: no device would be left"
        ),
        (["1h, operator: readmit, target: { devices: oven }"], "11:25", "readmit: oven is not locked out then"),
        (
            ["1h, operator: lock-out, target: { devices: oven }", "2h, operator: readmit, target: { devices: [oven, fridge] }"],
            "12:25", "readmit: fridge-1 is not locked out then"
        ),
        // In the order of time, not of the file.
        (
            ["2h, operator: lock-out, target: { devices: oven }", "1h, operator: readmit, target: { devices: oven }"],
            "12:25", "readmit: oven is not locked out then"
        ),
        (
            ["1h, operator: lock-out, target: { devices: oven }", "2h, operator: lock-out, target: { devices: oven }"],
            "12:25", "lock-out: oven is locked out already"
        ),
        (["1h, operator: lock-out, target: { devices: oven }, every: 1h, times: 2"], "11:25", "lock-out: oven is locked out already"),
        (
            ["1h, operator: lock-out, window: 2h, target: { devices: oven }", "2h, operator: readmit, target: { devices: oven }"],
            "12:25", "readmit: lock-out (s1) of oven may come at the same time"
        ),
        (["1h, operator: lock-out, for: 2h, target: { devices: oven }"], "11:40", "for: lock-out holds until another step changes it"),
        (["1h, operator: lock-out, target: { devices: service }"], "11:54", "unknown device 'service'"),
        (["1h, operator: readmit, target: { network: cloud }"], "11:53", "network: no device is there to aim at"),
        (["1h, operator: move, to: spares"], "11:5", "'target' is missing"),
        (["1h, operator: lock-out, target: { devices: oven }, to: spares"], "11:62", "unknown key 'to'"),
        (["1h, operator: lock-out, target: { devices: oven }, expect: { bricked: 0 }"], "11:70", "nothing is judged of lock-out alone"),
    ]

    @Test(arguments: mistakes) func mistakesAreNamedWithTheirPlace(_ mistake: (steps: [String], place: String, reason: String)) {
        let found = problems("method:\n" + mistake.steps.map { "  - { at: \($0) }\n" }.joined())
        #expect(found.contains { $0.hasPrefix("m.yaml:\(mistake.place): ") && $0.contains(mistake.reason) }, "\(found)")
    }

    @Test(arguments: ["certificate-auth", "transport-encryption"]) func withoutCertificatesNobodyCanBeLockedOut(_ control: String) {
        let steps = "controls-off: [\(control)]\nmethod:\n  - { at: 1h, operator: lock-out, target: { devices: oven } }"
        #expect(problems(steps).contains { $0.contains(":12:25: lock-out: \(control) is off, so that the service cannot tell") })
        // Which group a device is in is asked of nobody.
        #expect(problems(steps.replacing("lock-out", with: "move").replacing(" } }", with: " }, to: spares }")).isEmpty)
    }

    /// A group may wait for devices; a mistyped one does not pass for that.
    @Test func groupsWithoutDevices() throws {
        let warnings = try read("").warnings(Injector.catalogue)
        #expect(warnings == ["m.yaml: warning: no device is in the group 'spares', and no step moves any there"])
        let mistyped = Self.topology.replacing("spares: {}", with: "feld-test: {}")
        #expect(problems("", topology: mistyped) == ["m.yaml:9:11: no device is in the group 'feld-test'; did you mean 'field-test'?"])
        let meant = "method:\n  - { at: 1h, operator: move, target: { devices: fridge }, to: feld-test }"
        #expect(problems(meant, topology: mistyped).isEmpty)
        #expect(
            problems("method:\n  - { at: 1h, update: { image: compressor@2, group: spare } }")
                .contains { $0.contains("unknown group 'spare'; did you mean 'spares'?") })
        #expect(
            problems("method:\n  - { at: 1h, update: { image: compresor@2, group: spares } }")
                .contains { $0.contains("no device of the group 'spares' has 'compresor'") })
    }
}

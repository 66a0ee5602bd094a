import Adversary
import Catalogue
import Foundation
import Injector
import Judging
import Testing
import Wire

/// Tries to make a run depend on what it must not depend on: in which order processes are heard, how long the stretches are
/// that they get, who is held back. Each case runs once in order and then in disorder; the journals must be the same, line by line.
///
/// Several attacks share a case, each with its own victim, so that all are tried in little time and beside each other.
/// `ORRERY_DISORDERS` says how often each case is tried.
@Suite struct DeterminismTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var steps: [String]
        var minutes = 40
        var off: [Control] = []
        var succeeding: [AttackName] = []
        var testDescription: String { name }
    }

    private static func topology(_ one: Case) -> String {
        // Where attacks succeed, devices talk often: what is concluded from one's words has to fall among those of others.
        let often = "call-every: \(one.off.isEmpty ? 60 : 10)s, update-every: 8m"
        return Fleet.topology(
            stop: "\(one.minutes)m",
            devices: "fridge: { count: 2, network: home, apps: [compressor, panel], peers: [oven], \(often) }",
            "oven: { count: 2, network: home, peers: [fridge], \(often) }")
    }

    private static func attack(_ name: AttackName, on victim: String, for length: Int) -> String {
        "at: 12m, for: \(length)m, attack: \(name.rawValue), target: { devices: \(victim) }"
    }

    /// Attacks that can be at work together, and controls without which they succeed.
    private static let groups: [(attacks: [(AttackName, String)], off: [Control])] = [
        (
            [(.tlsInterception, "fridge-1"), (.clonedDevice, "fridge-2"), (.debugPort, "fridge-1"), (.updateRollback, "fridge-2")],
            [.certificateAuth, .hardwareRootOfTrust, .debugLock, .rollbackProtection]
        ),
        (
            [
                (.modifiedImage, "fridge-2"), (.slowRequests, "oven-2"), (.updateMixAndMatch, "fridge-1"), (.stolenCatalogCA, "oven-1"),
                (.staleMeasurement, "oven-2"),
            ], [.secureBoot, .updateFreshness, .attestationGate, .nonces]
        ),
        ([(.recordTamper, "oven-1"), (.recordReplay, "oven-2"), (.updateFreeze, "fridge-1")], [.transportEncryption, .updateFreshness]),
        (
            [
                (.bootGlitch, "fridge-1"), (.dnsSpoof, "oven-1"), (.endlessData, "oven-2"), (.rogueDevice, "oven-1"),
                (.remoteExploit, "fridge-2"), (.botnet, "fridge-2"),
            ], [.glitchHardening, .certificateAuth, .requestLimits, .attestationGate, .stackProtection, .networkFirewall]
        ),
        (
            [
                (.timeSpoof, "fridge-1"), (.stolenSigningKey, "fridge-2"), (.stolenDeviceKey, "oven-1"), (.downgrade, "oven-2"),
                (.credentialFlood, "oven-2"),
            ], [.authenticatedTime, .signedUpdates, .secureBoot, .threatDetection, .strongAlgorithms, .requestLimits]
        ),
        ([(.escalation, "fridge-2")], [.stackProtection]),
    ]

    /// Attacks whose success the hub concludes from what a device of somebody else's says.
    private static let concluded: Set<AttackName> = [.clonedDevice, .debugPort, .modifiedImage, .bootGlitch]

    private static let minutes = 30

    static let failing = groups.map { group in
        Case(
            name: "failing: " + group.attacks.map(\.0.rawValue).joined(separator: " "),
            steps: group.attacks.map { attack($0, on: $1, for: minutes - 14) }, minutes: minutes)
    }

    static let succeeding = groups.map { group in
        Case(
            name: "succeeding: " + group.attacks.map(\.0.rawValue).joined(separator: " "),
            steps: group.attacks.map { attack($0, on: $1, for: minutes - 14) },
            minutes: minutes, off: group.off, succeeding: group.attacks.map(\.0).filter { concluded.contains($0) })
    }

    private static let network = [
        "at: 4m, for: 8m, fault: latency, delay: 200ms", "at: 8m, for: 9m, fault: loss, ratio: 20%",
        "at: 15m, for: 5m, fault: bandwidth, rate: 64kbit", "at: 19m, for: 9m, fault: reorder, ratio: 30%",
        "at: 24m, for: 9m, fault: duplicate, ratio: 30%", "at: 33m, for: 3m, fault: dns-outage", "at: 36m, for: 2m, fault: partition",
    ].map { $0 + ", target: { network: home }" }

    private static let processes = [
        "at: 16m, for: 1m, fault: power-cut, target: { devices: fridge }", "at: 20m, for: 50ms, fault: service-kill",
        "at: 22m, for: 15m, fault: device-churn, every: 2m, target: { devices: all }",
        "at: 36m, fault: clock-lost, target: { devices: oven }",
        "at: 37m, for: 5ms, fault: power-cut, target: { devices: oven }", "at: 38m, fault: clock-jump, by: 2h, target: { devices: oven }",
    ]

    private static let devices = [
        "at: 6m, for: 10s, fault: power-cut, operation: 4, target: { devices: fridge }",
        "at: 6m, operator: check-updates, target: { devices: fridge }",
        "at: 20m, for: 9m, fault: clock-drift, ratio: 1%, target: { devices: oven }",
        "at: 22m, fault: flash-rot, bits: 3, target: { devices: fridge }",
        "at: 25m, for: 9m, fault: disk-full",
        "at: 30m, for: 5m, fault: service-slow, delay: 300ms", "at: 36m, operator: recover, target: { devices: fridge }",
    ]

    private static let connections =
        [
            "at: 4m, for: 3m, fault: reset-peer, timeout: 200ms", "at: 7m, for: 3m, fault: timeout, timeout: 4s, toxicity: 50%",
            "at: 10m, for: 3m, fault: slow-close, delay: 2s",
            "at: 12m, for: 6m, fault: slicer, average-size: 200, size-variation: 90, delay: 3ms",
            "at: 15m, for: 3m, fault: limit-data, bytes: 1500, toxicity: 50%", "at: 18m, for: 4m, fault: corrupt, ratio: 20%",
            "at: 21m, for: 4m, fault: truncate, ratio: 20%",
            "at: 26m, every: 2m, times: 3, window: 30s, for: 1m, fault: partition, direction: to",
            "at: 32m, for: 2m, fault: latency, delay: 90ms, direction: from, other-side: service",
        ].map { $0 + ", target: { network: home }" } + [
            "at: 5m, for: 2m, fault: hang, target: { devices: fridge-1 }", "at: 23m, for: 1m, fault: service-hang",
            "at: 30m, for: 8m, fault: handshake-limit, per-second: 1",
        ]

    private static let owners = [
        "at: 5m, operator: rotate-root, overlap: 6m", "at: 6m, operator: check-updates, target: { devices: all }",
        "at: 14m, for: 2m, fault: service-kill", "at: 15m, operator: rotate-update-keys",
        "at: 18m, operator: hand-over, to: stewards, overlap: 12m", "at: 19m, operator: check-updates, target: { devices: fridge }",
        "at: 25m, operator: lock-out, target: { devices: oven }", "at: 26m, for: 1m, fault: service-kill",
        "at: 33m, operator: recover, target: { devices: oven }", "at: 34m, operator: readmit, target: { devices: oven }",
        "at: 36m, operator: rotate-catalog-authority, overlap: 2m",
    ]

    static let faults = [
        Case(name: "owners", steps: owners),
        Case(name: "faults of networks", steps: network), Case(name: "faults of connections", steps: connections),
        Case(name: "faults that take processes", steps: processes),
        Case(name: "faults of devices", steps: devices),
    ]

    static let pairs = [0, 1, 4].map { index in
        // What is on the bench has no power to lose.
        let isOnBench = groups[index].attacks.contains { $0.0 == .modifiedImage || $0.0 == .bootGlitch }
        return Case(
            name: "attacks and lost processes, \(index)",
            steps: groups[index].attacks.map { attack($0, on: $1, for: minutes - 14) }
                + processes.filter { !isOnBench || $0.contains("service-kill") },
            minutes: 40, off: groups[index].off)
    }

    private static let seeds = 1...(ProcessInfo.processInfo.environment["ORRERY_DISORDERS"].flatMap { UInt64($0) } ?? 1)

    private func fleet(_ one: Case, _ topology: String?, _ seed: UInt64?) throws -> Fleet {
        let releases = topology != nil ? [] : ["at: 2m, update: { image: compressor@2 }", "at: 14m, update: { image: compressor@3 }"]
        let steps = releases + one.steps
        let fleet = try Fleet(
            topology ?? Self.topology(one), method: steps.map { "  - { \($0) }" }.joined(separator: "\n"), off: one.off,
            isSeeded: true,
            disorder: seed.map { Disorder(seed: $0) })
        _ = try fleet.run()
        return fleet
    }

    private func check(_ one: Case, _ topology: String? = nil) throws {
        let reference = try fleet(one, topology, nil)
        let lines = reference.journal.map(Journal.line)
        #expect(reference.facts(.runEnded).count == 1)
        let succeeded = Set(reference.facts(.attackSucceeded).compactMap { $0.fact.text(.attack) })
        let missing = one.succeeding.map(\.rawValue).filter { !succeeded.contains($0) }
        #expect(missing.isEmpty, "no success: what is concluded from one is not tried")
        for seed in Self.seeds {
            let other = try fleet(one, topology, seed).journal.map(Journal.line)
            guard other != lines else { continue }
            let index = zip(lines, other).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(lines.count, other.count)
            let (expected, found) = (lines.dropFirst(index).first ?? "its end", other.dropFirst(index).first ?? "its end")
            Issue.record("disorder \(seed), line \(index + 1) of the journal:\n  in order:    \(expected)\n  in disorder: \(found)")
        }
    }

    @Test(arguments: failing) func attacksThatFail(_ one: Case) throws { try check(one) }
    @Test(arguments: succeeding) func attacksThatSucceed(_ one: Case) throws { try check(one) }
    @Test(arguments: faults) func faultsOfEachKind(_ one: Case) throws { try check(one) }
    @Test(arguments: pairs) func attacksWhileProcessesComeAndGo(_ one: Case) throws { try check(one) }

    /// Where many have something to say within the time that anything takes to arrive, who is heard first is another each time.
    @Test(arguments: [Case(name: "crowd", steps: [], minutes: 8, off: [.debugLock, .hardwareRootOfTrust], succeeding: [.debugPort])])
    func attacksInACrowd(_ one: Case) throws {
        let crowd = Fleet.topology(
            stop: "\(one.minutes)m", devices: "fridge: { count: 4, network: home, apps: [compressor], peers: [oven], call-every: 3s }",
            "oven: { count: 4, network: home, peers: [fridge], call-every: 3s }")
        var one = one
        one.steps = [AttackName.debugPort, .clonedDevice].map {
            "at: 6m, for: 90s, attack: \($0.rawValue), target: { devices: fridge }"
        }
        try check(one, crowd)
    }

    /// A new attack or fault has to be tried here too.
    @Test func nothingIsLeftOut() {
        let attacks = Set(Self.groups.flatMap { $0.attacks.map(\.0) })
        #expect(attacks == Set(Injector.catalogue.attacks.all.map(\.name)))
        let text = Self.faults.flatMap(\.steps).joined(separator: "\n")
        #expect(Injector.catalogue.faults.names.allSatisfy { text.contains("fault: \($0)") })
    }
}

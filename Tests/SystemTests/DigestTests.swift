import Foundation
import Runtime
import Testing

/// The real executables, beside others and on one processor or two: `scripts/bench digest` does it with every file.
@Suite struct DigestTests {
    /// Many devices are busy when the attack on some of them succeeds: what the hub concludes must not follow from whose words come first.
    private static func topology(_ attack: String, off: String) -> String {
        """
        name: busy
        stop: 15m
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices:
          fridge: { count: 6, network: home, apps: [compressor], peers: [oven], call-every: 5s }
          oven: { count: 6, network: home, peers: [fridge], call-every: 5s }
        controls-off: [\(off)]
        method:
          - { at: 10m, for: 20m, attack: \(attack), target: { devices: fridge } }
        """
    }

    @Test(arguments: [("debug-port", "debug-lock"), ("cloned-device", "hardware-root-of-trust"), ("modified-image", "secure-boot")])
    func anAttackThatSucceedsHasOneDigest(attack: String, off: String) async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology(attack, off: off), "busy.yaml")
        var lines: [Substring] = []
        let onOne = ["-c", "taskset -c 0 \"$0\" run \"$1\" || true", Machine.executableFolder + "/orrery", file]
        for isAlone in [false, true, false] {
            if isAlone { _ = try await testbed.tool("sh", onOne) } else { _ = try await testbed.orrery(["run", file]) }
            let found = testbed.journal.split(separator: "\n")
            #expect(found.contains { $0.contains("\"attack-succeeded\"") })
            if lines.isEmpty { lines = found }
            if let first = zip(lines, found).first(where: { $0 != $1 }) { Issue.record("\(first.0)\n\(first.1)") }
            #expect(lines.count == found.count)
        }
    }
}

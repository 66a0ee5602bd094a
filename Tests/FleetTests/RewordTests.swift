import Catalogue
import Injector
import Judging
import Planning
import Testing
import Wire

/// Words decide nothing: what a journal says in sentences may be said in other sentences, and the report is the same.
@Suite struct RewordTests {
    private static let words: Set<Fact.Detail> = [.reason, .text, .evidence]

    private func reworded(_ observation: Observation) -> Observation {
        var details = Dictionary(uniqueKeysWithValues: observation.fact.details.map { ($0.key, $0.value) })
        for key in Self.words where details[key] != nil { details[key] = .text("said otherwise") }
        var other = observation
        other.fact = Fact(observation.fact.kind, details)
        return other
    }

    @Test func theReportIsTheSame() throws {
        let fleet = try Fleet(
            AttackTests.topology,
            method: """
                  - { at: 5m, update: { image: compressor@2 }, expect: { installed: 100%, rollout: complete } }
                  - { at: 10m, for: 20m, attack: tls-interception, target: { devices: fridge } }
                  - { at: 32m, for: 10m, attack: rogue-device, target: { devices: fridge } }
                  - { at: 45m, for: 20m, attack: modified-image, target: { devices: oven } }
                  - { at: 70m, for: 10m, attack: credential-flood, target: { devices: all } }
                  - { at: 85m, for: 10m, attack: debug-port, target: { devices: fridge } }
                  - { at: 100m, for: 30m, attack: endless-data, target: { devices: fridge } }
                  - { at: 140m, for: 10m, attack: remote-exploit, target: { devices: fridge } }
                """, off: [.debugLock])
        let report = try fleet.run()
        let other = Report(
            plan: fleet.plan, journal: ObservationLog(fleet.journal.map(reworded)), digest: "", catalogue: Injector.catalogue)
        func outcomes(_ report: Report) -> [[String]] {
            report.verdicts.map { verdict in
                [verdict.outcome.rawValue, "\(verdict.alerts)", verdict.detectedBy?.rawValue ?? ""]
                    + verdict.targets.map { "\($0.outcome) \($0.attempts) \($0.witness?.node ?? "") \($0.witness?.code ?? "")" }
            }
        }
        #expect(outcomes(other) == outcomes(report))
        #expect(report.verdicts.contains { $0.outcome == .compromised } && report.verdicts.contains { $0.outcome == .defended })
        #expect(other.judgements.map(\.result) == report.judgements.map(\.result))
        #expect(other.detection.alerts.map(\.causes) == report.detection.alerts.map(\.causes))
        #expect(other.detection.alerts.count > 3)
        #expect(other.releases.map(\.rollout) == report.releases.map(\.rollout))
        #expect(other.exitCode == report.exitCode)
        #expect(other.metrics.availability == report.metrics.availability)
        #expect(other.metrics.handshakes.mapValues(\.attempts) == report.metrics.handshakes.mapValues(\.attempts))
    }
}

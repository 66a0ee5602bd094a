import Catalogue
import Testing
import Wire

@testable import Judging
@testable import Planning
@testable import ReportFormats

@Suite struct PredictionTests {
    private func ablation(_ succeeds: [String: Bool], expected: [String] = [], threats: [String]) -> Ablation {
        var ablation = Ablation(campaign: "c", seeds: [1], attacks: ["a"])
        ablation.expected = ["a": expected]
        ablation.threats = ["a": threats]
        ablation.rows = succeeds.keys.sorted()
        for (row, success) in succeeds { ablation.cells[row] = ["a": Ablation.Cell(runs: 1, succeeded: success ? 1 : 0)] }
        return ablation
    }

    @Test func controlsStandForMitigationsThatThereAre() {
        for control in Control.allCases {
            for id in control.mitigations {
                #expect(EMB3D.name(of: id) != nil && !EMB3D.threats(mitigatedBy: id).isEmpty, "\(control): \(id)")
            }
        }
        #expect(EMB3D.relations.values.reduce(0) { $0 + $1.count } == 213)
        #expect(EMB3D.threats(mitigatedBy: "MID-083") == ["TID-412"])
        #expect(EMB3D.threats(mitigatedBy: "MID-999").isEmpty && EMB3D.threats(mitigatedBy: "083").isEmpty)
    }

    @Test func aCellDiffersWhereMeasurementAndRelationsDo() {
        // MID-030 is good against TID-216, MID-083 is not.
        let matrix = ablation(
            ["(all on)": false, "rollback-protection": true, "network-firewall": true, "nonces": false], threats: ["TID-216"])
        #expect(matrix.differences.map(\.control) == ["network-firewall"])
        #expect(matrix.differences.map(\.sentence) == ["not explained"])
        let other = ablation(["(all on)": false, "rollback-protection": false], threats: ["TID-216"])
        #expect(other.differences.map(\.threats) == [["TID-216"]])
        #expect(ablation(["(all on)": true, "rollback-protection": true], threats: []).differences.isEmpty)
    }

    @Test func aSurpriseIsToldInBothDirections() {
        let rows = ["(all on)": false, "nonces": false, "secure-boot": true]
        #expect(
            ablation(rows, expected: ["nonces"], threats: []).surprises == [
                "a: expected to succeed without nonces, and did not", "a: succeeded without secure-boot, which was not expected",
            ])
        #expect(ablation(rows, expected: ["secure-boot"], threats: []).surprises.isEmpty)
    }
}

@Suite struct ProvenanceTests {
    @Test func changesNameEachFileWithBothHashes() {
        let then = Provenance(
            version: "1", files: [.init(path: "a", sha256: "aa"), .init(path: "b", sha256: "bb"), .init(path: "c", sha256: "cc")])
        let now = Provenance(
            version: "2", files: [.init(path: "a", sha256: "aa"), .init(path: "b", sha256: "bd"), .init(path: "c", sha256: nil)])
        #expect(then.changes(until: then).isEmpty)
        #expect(
            then.changes(until: now) == [
                "version of orrery", "  then  1", "  now   2", "b", "  then  bb", "  now   bd", "c", "  then  cc", "  now   cannot be read",
            ])
        #expect(now.changes(until: Provenance(version: "2", files: [])).contains("  now   not used"))
    }
}

import Catalogue
import Foundation
import Injector
import Testing
import Wire

@testable import Judging
@testable import Planning
@testable import ReportFormats

/// The whole matrix, as if each attack succeeded without those controls, and only those, of which the catalogue says so.
@Suite struct PredictedMatrixTests {
    private static func matrix() -> Ablation {
        let attacks = Injector.catalogue.attacks.all.sorted { $0.name.rawValue < $1.name.rawValue }
        var ablation = Ablation(campaign: "c", seeds: [1], attacks: attacks.map(\.name.rawValue))
        ablation.rows = Ablation.configurations(Control.allCases, pairs: false).map(Ablation.row)
        for attack in attacks {
            let without = attack.controls.map(\.rawValue)
            ablation.threats[attack.name.rawValue] = attack.threats
            ablation.expected[attack.name.rawValue] = without
            for row in ablation.rows { set(&ablation, row, attack.name.rawValue, without.contains(row) ? "compromised" : "defended") }
        }
        return ablation
    }

    private static func set(_ ablation: inout Ablation, _ row: String, _ attack: String, _ outcome: String) {
        var cell = Ablation.Cell()
        cell.runs = 1
        cell.outcomes = [outcome: 1]
        cell.succeeded = outcome == "compromised" ? 1 : 0
        cell.unknown = outcome == "untried" ? 1 : 0
        ablation.cells[row, default: [:]][attack] = cell
    }

    private func cell(_ ablation: Ablation, _ control: Control, _ attack: String) throws -> Ablation.Comparison {
        try #require(ablation.comparisons.first { $0.control == control.rawValue && $0.attack == attack })
    }

    @Test func attacksNameThreatsThatThereAre() {
        for attack in Injector.catalogue.attacks.all {
            #expect(!attack.threats.isEmpty && attack.threats.allSatisfy { EMB3D.name(of: $0) != nil }, "\(attack.name)")
        }
        for id in ["MID-090", "MID-2", "TID-201", "MID-+02", ""] { #expect(EMB3D.threats(mitigatedBy: id) == [], "\(id)") }
        let ids = (1...99).map { "MID-" + ($0 < 10 ? "00" : "0") + "\($0)" }
        #expect(ids.count { !EMB3D.threats(mitigatedBy: $0).isEmpty } == 89)
        #expect(Set(ids.flatMap(EMB3D.threats(mitigatedBy:))).count == 81)
    }

    /// Nobody's words are missing, and none are left over.
    @Test func differencesAreExplained() {
        let differences = Self.matrix().differences
        #expect(differences.filter { $0.why == nil }.map { "\($0.control) \($0.attack)" } == [])
        #expect(Set(Reason.all.map(\.sentence)) == Set(differences.compactMap(\.why)))
    }

    /// A reason is for one direction: where the measurement turns, it is true no more.
    @Test func aDifferenceThatNobodyHasThoughtAboutIsToldSo() throws {
        var ablation = Self.matrix()
        Self.set(&ablation, "error-reporting", "botnet", "compromised")
        Self.set(&ablation, "nonces", "record-replay", "compromised")
        #expect(try cell(ablation, .errorReporting, "botnet").differs)
        #expect(try !cell(ablation, .nonces, "record-replay").differs)
        #expect(ablation.text.contains("botnet succeeds without error-reporting, which EMB3D does not predict\n      not explained\n"))
        #expect(ablation.html.contains("which EMB3D does not predict</b>: not explained</li>"))
    }

    @Test func cellsThatSayNothingDifferFromNothing() throws {
        var ablation = Self.matrix()
        Self.set(&ablation, "network-firewall", "botnet", "untried")
        Self.set(&ablation, "debug-lock", "debug-port", "untried")
        Self.set(&ablation, Ablation.nothingOff, "update-freeze", "compromised")
        #expect(try cell(ablation, .networkFirewall, "botnet").measured == .unknown)
        #expect(try cell(ablation, .signedUpdates, "update-freeze").measured == .succeedsAnyway)
        #expect(!ablation.differences.contains { $0.attack == "update-freeze" || $0.control == "network-firewall" })
        #expect(ablation.text.contains("  botnet, network-firewall: 1 untried\n"))
        #expect(ablation.surprises == ["update-freeze: succeeded with nothing off, which was not expected"])
    }

    /// Whether an attack that no single control decides succeeds is the campaign's matter.
    @Test func whatTheCampaignHasOffCountsInEachRow() {
        var ablation = Self.matrix()
        #expect(ablation.surprises == [])
        Self.set(&ablation, Ablation.nothingOff, "escalation", "compromised")
        ablation.always = ["network-firewall"]
        #expect(ablation.surprises == ["botnet: expected to succeed without network-firewall, and did not"])
        Self.set(&ablation, Ablation.nothingOff, "botnet", "compromised")
        #expect(ablation.surprises == [])
    }

    @Test func theTableFitsATerminal() throws {
        let lines = Self.matrix().text.split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex { $0.hasPrefix("B both say so") })
        let rows = lines[(start + 2)...].prefix(Control.allCases.count)
        let attacks = Injector.catalogue.attacks.all.count
        for (row, control) in zip(rows, Control.allCases) {
            #expect(row.count <= 140 && row.hasPrefix(control.rawValue + " "))
            #expect(row.split(separator: " ").dropFirst().count == attacks, "\(row)")
        }
        #expect(rows.first { $0.hasPrefix("rollback-protection") }?.filter { "BME".contains($0) } == "B")
    }

    @Test func programsReadTheSame() throws {
        let data = try JSONEncoder().encode(Ablation.Document(Self.matrix()))
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["campaign"] as? String == "c" && object["emb3dVersion"] as? String == "2.0.1")
        #expect((object["surprises"] as? [String]) == [])
        let cells = try #require(object["comparisons"] as? [[String: Any]])
        #expect(cells.count == Control.allCases.count * Injector.catalogue.attacks.all.count)
        #expect(cells.contains { $0["control"] as? String == "network-firewall" && ($0["why"] as? String)?.contains("routing") == true })
    }

    @Test func theJournalBeginsWithItsFormOnly() throws {
        let header = try #require(try JSONSerialization.jsonObject(with: Data(Journal.header.utf8)) as? [String: Any])
        #expect(header["schema"] as? Int == Schema.journal)
        #expect(Set(header.keys) == ["at_ns", "node", "kind", "schema"])
    }
}

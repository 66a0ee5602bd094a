import Catalogue
public import Judging
import Planning
import Wire

/// The matrix for a terminal, a spreadsheet and a browser.
extension Ablation {
    private var seedCount: String { seeds.count == 1 ? "1 seed" : "\(seeds.count) seeds" }

    private func word(_ cell: Cell?) -> String { cell?.successRatio.map { "\(Int(($0 * 100).rounded())) %" } ?? "?" }

    public var text: String {
        let rowWidth = (rows.map(\.count).max() ?? 0) + 2
        var lines = ["\(campaign): share of runs in which the attack reached its goal, \(seedCount)"]
        if !always.isEmpty { lines.append("off in every row: \(always.joined(separator: ", "))") }
        // As many columns as fit a wide terminal; numbers stand for attacks, whose names follow.
        lines.append("control off".padded(rowWidth) + attacks.indices.map { "\($0 + 1)".left(7) }.joined())
        for row in rows { lines.append(row.padded(rowWidth) + attacks.map { word(cells[row]?[$0]).left(7) }.joined()) }
        lines.append("")
        for (index, attack) in attacks.enumerated() {
            let matter = controlsThatMatter(for: attack)
            let all = rows.compactMap { cells[$0]?[attack] }
            let detected = all.reduce(0) { $0 + $1.detectedAfterNanoseconds.count }
            let runs = all.reduce(0) { $0 + $1.runs }
            let times = all.flatMap(\.detectedAfterNanoseconds).sorted()
            let median = times.isEmpty ? "" : ", median after \(readable(.nanoseconds(times[times.count / 2])))"
            lines.append("\("\(index + 1)".left(3)) \(attack)")
            lines.append(
                "      \(matter.isEmpty ? "no single control decides" : "succeeds without " + matter.joined(separator: ", or without "))")
            lines.append("      noticed in \(detected) of \(runs) runs\(median)")
        }
        lines += depth + silences
        if !surprises.isEmpty { lines += ["", "Not as the catalogue expects:"] + surprises.map { "  \($0)" } }
        lines += prediction(rowWidth)
        return lines.joined(separator: "\n") + "\n"
    }

    /// How far code of attackers came: where that is another way than with nothing more off.
    private var depth: [String] {
        var lines: [String] = []
        for attack in attacks where rows.contains(where: { cells[$0]?[attack]?.reached.isEmpty == false }) {
            lines += ["", "How far \(attack) came"]
            let usual = rows.first.flatMap { cells[$0]?[attack]?.reached } ?? []
            for (index, row) in rows.enumerated() {
                let reached = cells[row]?[attack]?.reached ?? []
                guard index == 0 || reached != usual else { continue }
                lines.append("  \(row): \(reached.isEmpty ? "nowhere" : reached.joined(separator: ", "))")
            }
        }
        return lines
    }

    /// Runs that say nothing, by why.
    private var silences: [String] {
        var lines: [String] = []
        for attack in attacks {
            for row in rows {
                guard let cell = cells[row]?[attack], cell.unknown > 0 else { continue }
                let words = cell.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                lines.append("  \(attack), \(row): \(words)")
            }
        }
        return lines.isEmpty ? [] : ["", "Could not tell (?), or not in each run:"] + lines
    }

    /// The measured matrix in the columns of the one above, beside what EMB3D predicts, and why the two differ.
    private func prediction(_ rowWidth: Int) -> [String] {
        let all = comparisons
        guard !all.isEmpty else { return [] }
        let differences = all.filter(\.differs)
        // Most cells are those of controls and attacks that have nothing to do with each other, so a share that agrees would say little.
        let legend = [
            ("B", "both say so"), ("M", "measured only"), ("E", "EMB3D only"), (".", "neither"), ("!", "it succeeds with all on"),
            ("?", "could not tell"),
        ]
        var lines = ["", "Beside MITRE EMB3D \(EMB3D.version): does an attack succeed without the control?"]
        lines.append(legend.map { mark, words in "\(mark) \(words): \(all.count { $0.mark == mark })" }.joined(separator: " · "))
        lines.append("control off".padded(rowWidth) + attacks.indices.map { "\($0 + 1)".left(4) }.joined())
        for start in stride(from: 0, to: all.count, by: attacks.count) {
            lines.append(all[start].control.padded(rowWidth) + all[start..<start + attacks.count].map { $0.mark.left(4) }.joined())
        }
        if !differences.isEmpty { lines += ["", "Where they differ:"] }
        for cell in differences { lines += ["  \(cell.title)", "      \(cell.sentence)"] }
        return lines
    }

    public var csv: String {
        let all = Dictionary(comparisons.map { ("\($0.control) \($0.attack)", $0) }, uniquingKeysWith: { first, _ in first })
        var lines = ["control_off,attack,runs,succeeded,unknown,detected,median_detection_seconds,emb3d_predicts"]
        for row in rows {
            for attack in attacks {
                let cell = cells[row]?[attack] ?? Cell()
                let median = cell.medianDetectionNanoseconds.map { "\(Double($0) / 1e9)" } ?? ""
                lines.append(
                    "\(row),\(attack),\(cell.runs),\(cell.succeeded),\(cell.unknown),\(cell.detectedAfterNanoseconds.count),\(median),"
                        + (all["\(row) \(attack)"].map { $0.isPredicted ? "yes" : "no" } ?? ""))
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// A heat map: green holds, red falls; below each share how often the attack was noticed.
    public var html: String {
        let head = attacks.map { "<th><span>\(escaped($0))</span></th>" }.joined()
        let body = rows.map { row in
            let cells = attacks.map { attack -> String in
                guard let cell = self.cells[row]?[attack], let ratio = cell.successRatio else { return "<td class=\"none\">?</td>" }
                // From green (120°) to red (0°).
                let colour = "hsl(\(Int(120 - 120 * ratio)) 55% 45%)"
                let median = cell.medianDetectionNanoseconds.map { ", median \(readable(.nanoseconds($0)))" } ?? ""
                let note =
                    "\(cell.succeeded) of \(cell.runs - cell.unknown) runs; noticed in \(cell.detectedAfterNanoseconds.count)\(median)"
                    + (cell.reached.isEmpty ? "" : "; reached \(cell.reached.joined(separator: ", "))")
                return
                    "<td style=\"background:\(colour)\" title=\"\(escaped(note))\">\(word(cell))<small>\(percent(cell.detectionRatio)) noticed</small></td>"
            }
            return "<tr><th class=\"row\">\(escaped(row))</th>\(cells.joined())</tr>"
        }
        let list =
            surprises.isEmpty ? "" : "<h2>Not as the catalogue expects</h2><ul>\(surprises.map { "<li>\(escaped($0))</li>" }.joined())</ul>"
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(campaign)) · ablation</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>
            body{font:15px/1.5 system-ui,sans-serif;color:#1c2530;background:#f4f6f8;margin:24px}h1{margin:0}p{color:#5b6b7c}
            div{overflow-x:auto}table{border-collapse:separate;border-spacing:2px}th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
            th{font-size:13px;font-weight:600;vertical-align:bottom}th.row{text-align:left;white-space:nowrap;padding-right:10px;vertical-align:middle}
            td{color:#fff;text-align:center;padding:4px 6px;border-radius:4px;font-size:13px;min-width:56px}td.none{background:#8a97a5}
            ul.why li{margin:4px 0}ul.why b{font-weight:600}td.same{background:#3f6f55}td.differs{background:#8f5a1f}td.blank{background:#dfe5ea;color:#5b6b7c}
            small{display:block;font-size:10px;opacity:.85;white-space:nowrap}
            </style></head><body><h1>\(escaped(campaign))</h1>
            <p>Share of runs in which each attack reached its goal, with what a row names off\(always.isEmpty ? "" : " beside \(escaped(always.joined(separator: ", ")))"); \(seedCount). Point at a cell for details.</p>
            <div><table><tr><th class="row">control off</th>\(head)</tr>\(body.joined())</table></div>\(list)\(predictionTables)
            </body></html>

            """
    }

    /// The same comparison as in `text`.
    private var predictionTables: String {
        let all = comparisons
        guard !all.isEmpty else { return "" }
        let words: (Comparison) -> (String, String) = { cell in
            switch cell.measured {
            case .matters: cell.isPredicted ? ("same", "both") : ("differs", "measured")
            case .doesNotMatter: cell.isPredicted ? ("differs", "EMB3D") : ("blank", "·")
            case .succeedsAnyway: ("blank", "anyway")
            case .unknown: ("none", "?")
            }
        }
        let head = attacks.map { "<th><span>\(escaped($0))</span></th>" }.joined()
        let body = stride(from: 0, to: all.count, by: attacks.count).map { start in
            let cells = all[start..<start + attacks.count].map { cell in
                let note =
                    (cell.isPredicted ? ["EMB3D: \(cell.threats.joined(separator: ", "))"] : []) + (cell.differs ? [cell.sentence] : [])
                return "<td class=\"\(words(cell).0)\" title=\"\(escaped(note.joined(separator: ". ")))\">\(words(cell).1)</td>"
            }
            return "<tr><th class=\"row\">\(escaped(all[start].control))</th>\(cells.joined())</tr>"
        }
        let list = all.filter(\.differs).map { "<li><b>\(escaped($0.title))</b>: \(escaped($0.sentence))</li>" }
        return """
            <h2>Beside MITRE EMB3D \(EMB3D.version)</h2><p>Which control matters to which attack: as measured, as EMB3D's relations of mitigations to threats predict, or both.</p>
            <div><table><tr><th class="row">control off</th>\(head)</tr>\(body.joined())</table></div><ul class="why">\(list.joined())</ul>
            """
    }
}

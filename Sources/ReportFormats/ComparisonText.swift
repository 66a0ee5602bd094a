import Catalogue
public import Judging
import Planning
import Wire

/// For a reader at a terminal of 120 columns.
enum ComparisonText: ComparisonFormat {
    static let name = "text"
    static let summary = "for a reader at a terminal"
    static func write(_ comparison: KindComparison) throws -> String { comparison.text }
}

extension KindComparison {
    /// The comparison for a reader at a terminal.
    public var text: String {
        var lines = ["\(campaign): the same campaign on \(kinds.count) kind\(kinds.count == 1 ? "" : "s") of device, seed \(seed)"]
        if !controlsOff.isEmpty { lines.append("off for all: \(controlsOff.joined(separator: ", "))") }
        lines += verdicts + details + explanations + cost
        lines += ["", "Runs"] + costs.map { "  \($0.kind.rawValue.padded(13)) \($0.folder)" } + ["Again   \(command)"]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Width of a column that has a kind's name at its top.
    private var kindWidth: Int { max(14, (kinds.map(\.rawValue.count).max() ?? 0) + 2) }
    private var nameWidth: Int { max(26, (rows.map { $0.step.count + $0.attack.count + 1 }.max() ?? 0) + 4) }

    private func head(_ title: String) -> String {
        trimmed(title.padded(nameWidth) + kinds.map { $0.rawValue.padded(kindWidth) }.joined())
    }

    private func trimmed(_ line: String) -> String { String(line.reversed().drop { $0 == " " }.reversed()) }

    private var verdicts: [String] {
        guard !rows.isEmpty else { return ["", summary] }
        return ["", head("Verdicts")]
            + rows.map { row in
                let cells = kinds.map { kind in row.cells.first { $0.kind == kind }?.outcome.rawValue ?? "–" }
                return trimmed(
                    "\(row.mark) \(row.step) \(row.attack)".padded(nameWidth)
                        + cells.map { $0.padded(kindWidth) }.joined())
            } + legend
    }

    private var legend: [String] {
        (kinds.count > 1 ? ["* \(summary)"] : [])
            + (rows.allSatisfy(\.isKnown) ? [] : ["? A run could not tell: nothing was tried, or nobody was there to try it on."])
    }

    private var details: [String] {
        guard !rows.isEmpty else { return [] }
        var lines = [
            "",
            "In detail".padded(nameWidth) + "verdict".padded(13) + "tried".left(7) + "reached".left(9) + "harmed".left(8) + "  "
                + "noticed after".padded(16) + "in order again after",
        ]
        for row in rows {
            lines.append("\(row.mark) \(row.step) \(row.attack) at \(readable(row.at - .start))")
            for cell in row.cells {
                let reach = cell.reach
                let counts = [(reach.tried, 7), (reach.reached, 9), (reach.harmed, 8)].map { "\($0.0)/\(reach.targets)".left($0.1) }
                lines.append(
                    trimmed(
                        "    \(cell.kind.rawValue)".padded(nameWidth) + cell.outcome.rawValue.padded(13) + counts.joined() + "  "
                            + cell.noticed.padded(16) + cell.backInOrder))
            }
        }
        return lines + [
            "  tried: on how many targets something was tried; reached: on how many somebody was there who stopped it, or did not;",
            "  in order again: from the end of the step until the last target disturbed by it talks to others or has certificates",
        ]
    }

    /// Why the kinds differ; of a single kind, what shows how each attack ended.
    private var explanations: [String] {
        let told = told
        guard !told.isEmpty else { return [] }
        var lines = ["", explanationTitle]
        for row in told {
            lines.append("  \(row.step) \(row.attack)")
            for cell in row.cells {
                let label = "    \(cell.kind.rawValue)".padded(kindWidth + 3) + cell.outcome.rawValue.padded(13)
                lines += wrapped(cell.explanation, after: label)
            }
        }
        return lines
    }

    private var cost: [String] {
        guard costs.contains(where: { $0.use != nil }) else { return [] }
        func line(_ name: String, _ words: [String]) -> String {
            trimmed("  \(name)".padded(nameWidth) + words.map { $0.padded(kindWidth) }.joined())
        }
        return ["", head("Cost, mean of a device")] + costLines.map { line($0.name, $0.words) } + [
            line("devices", costs.map { "\($0.devices)" }),
            line("virtual time", costs.map { readable(.nanoseconds($0.elapsedNanoseconds)) }),
            line("expectations held", costs.map { "\($0.held) of \($0.expectations)" }),
        ]
    }
}

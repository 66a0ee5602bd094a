import Catalogue
public import Judging
import Planning
import Wire

/// One page without network access: for somebody who was not there.
enum ComparisonHTML: ComparisonFormat {
    static let name = "html"
    static let summary = "a page"
    static func write(_ comparison: KindComparison) throws -> String { comparison.html }
}

extension KindComparison {
    /// The comparison as one page.
    public var html: String {
        let names = kinds.map(\.rawValue).joined(separator: " · ")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(campaign)) · kinds of device</title>
            <meta name="viewport" content="width=device-width, initial-scale=1"><style>\(HTMLReport.style)
            .differs td:first-child{border-left:4px solid var(--unsure);padding-left:8px}.same td:first-child{border-left:4px solid transparent;padding-left:8px}
            td small{display:block;color:var(--soft);font-size:12px;line-height:1.4;margin-top:2px}td.number{font-variant-numeric:tabular-nums}
            h3{font-size:15px;margin:16px 0 4px}dl{margin:0}dt{margin-top:6px}dd{margin:2px 0 0 0;color:var(--ink)}
            </style></head><body>
            <header><h1>\(escaped(campaign))</h1>
            <p>The same campaign, once for each kind of device: \(escaped(names)) · seed \(seed)\(controlsOff.isEmpty ? "" : " · off: " + escaped(controlsOff.joined(separator: ", ")))</p></header>
            \(cards)\(attackTable)\(explanationList)\(costTable)\(runTable)
            </body></html>

            """
    }

    private func section(_ title: String, _ body: String) -> String {
        body.isEmpty ? "" : "<section><h2>\(title)</h2>\(body)</section>\n"
    }

    private func badge(_ outcome: AttackOutcome) -> String {
        let tone = outcome == .defended ? "good" : outcome == .compromised ? "bad" : "unsure"
        return "<span class=\"badge \(tone)\">\(outcome.rawValue)</span>"
    }

    /// How many attacks each kind withstood.
    private var cards: String {
        guard !rows.isEmpty else { return "<p class=\"note\">\(summary)</p>" }
        var cards = kinds.map { kind in
            let cells = rows.flatMap(\.cells).filter { $0.kind == kind }
            let defended = cells.count { $0.outcome == .defended }
            let tone = defended == cells.count ? "good" : cells.contains { $0.outcome.isHarm } ? "bad" : ""
            return "<div class=\"card \(tone)\"><b>\(defended) of \(cells.count)</b><span>attacks defended by \(kind.rawValue)</span></div>"
        }
        if kinds.count > 1 {
            let count = "<b>\(differences.count) of \(rows.count)</b>"
            cards.append("<div class=\"card\">\(count)<span>end otherwise on one kind than on another</span></div>")
        }
        return "<div class=\"cards\">\(cards.joined())</div>\n"
    }

    private func table(_ head: [String], _ rows: [(style: String, cells: [String])]) -> String {
        guard !rows.isEmpty else { return "" }
        let lines = rows.map { row in
            "<tr class=\"\(row.style)\">\(zip(head, row.cells).map { "<td data-head=\"\($0)\">\($1)</td>" }.joined())</tr>"
        }
        return "<table><tr>\(head.map { "<th>\($0)</th>" }.joined())</tr>\(lines.joined())</table>"
    }

    private var attackTable: String {
        let rows = rows.map { row in
            let cells = kinds.map { kind -> String in
                guard let cell = row.cells.first(where: { $0.kind == kind }) else { return "–" }
                let reach = cell.reach
                return badge(cell.outcome)
                    + "<small>harmed \(reach.harmed), reached \(reach.reached), tried \(reach.tried) of \(reach.targets)</small>"
                    + "<small>\(cell.detectedBy.map { "noticed after \(cell.noticed): \($0.rawValue)" } ?? cell.noticed)</small>"
                    + "<small>\(cell.recovery.map { $0.disturbed > 0 } == true ? "in order again after: \(cell.backInOrder)" : cell.backInOrder)</small>"
            }
            return (
                style: row.differs ? "differs" : "same",
                cells: ["<b>\(escaped(row.attack))</b><small>\(escaped(row.step)), at \(readable(row.at - .start))</small>"] + cells
            )
        }
        let legend =
            "<p class=\"legend\">"
            + (kinds.count > 1 ? "A bar at its left marks an attack that ends otherwise on one kind than on another. " : "")
            + "Tried: targets on which something was tried; reached: targets with somebody there who stopped it, or did not. "
            + "In order again: from the end of the step until the last target that it had disturbed talks with others, or has its certificates, again.</p>"
        let body = table(["Attack"] + kinds.map(\.rawValue), rows)
        return body.isEmpty ? "" : section("Attacks", legend + body)
    }

    private var explanationList: String {
        let items = told.map { row in
            let cells = row.cells.map { cell in
                "<dt>\(badge(cell.outcome)) <b>\(cell.kind.rawValue)</b></dt><dd>\(escaped(cell.explanation))</dd>"
            }
            return "<h3>\(escaped(row.attack)) <small>(\(escaped(row.step)))</small></h3><dl>\(cells.joined())</dl>"
        }
        return section(explanationTitle, items.joined())
    }

    private var costTable: String {
        guard costs.contains(where: { $0.use != nil }) else { return "" }
        let rows =
            costLines.map { (style: "", cells: [$0.name] + $0.words) } + [
                (style: "", cells: ["devices"] + costs.map { "\($0.devices)" }),
                (style: "", cells: ["virtual time"] + costs.map { readable(.nanoseconds($0.elapsedNanoseconds)) }),
                (style: "", cells: ["expectations held"] + costs.map { "\($0.held) of \($0.expectations)" }),
            ]
        return section(
            "Cost, mean of a device",
            "<p class=\"legend\">CPU time by the device's own clock; bytes as the device gave them to the network and got them.</p>"
                + table([""] + kinds.map(\.rawValue), rows))
    }

    private var runTable: String {
        section(
            "Runs",
            table(
                ["Kind", "Folder", "Digest of the journal"],
                costs.map { cost in
                    (
                        style: "",
                        cells: [
                            cost.kind.rawValue + (cost.isComplete ? "" : ", ended early"), "<code>\(escaped(cost.folder))</code>",
                            "<code>\(cost.digest.prefix(16))…</code>",
                        ]
                    )
                }) + "<pre>\(escaped(command))</pre>")
    }
}

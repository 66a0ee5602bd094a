public import Catalogue
public import Judging
public import Planning
public import Wire

/// The report as one page without network access: for somebody who was not there.
public struct HTMLReport: ReportFormat {
    public static let name = "html"
    public static let summary = "a page"
    public static let fileName: String? = "report.html"
    public static func write(_ source: ReportSource) throws -> String {
        HTMLReport(plan: source.plan, report: source.report, journal: source.journal, faults: source.catalogue.faults).page
    }

    let plan: Plan
    let report: Report
    let journal: ObservationLog
    let faults: ActList<FaultDescription>

    public init(plan: Plan, report: Report, journal: ObservationLog, faults: ActList<FaultDescription>) {
        self.faults = faults
        self.plan = plan
        self.report = report
        self.journal = journal
    }

    public var page: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><title>\(escaped(report.name)) · Orrery</title>
        <meta name="viewport" content="width=device-width, initial-scale=1"><style>\(Self.style)</style></head><body>
        <header><h1>\(escaped(report.name))</h1>
        <p>\(report.devices) devices · \(readable(.nanoseconds(report.elapsedNanoseconds))) of \(report.clock.rawValue) time · seed \
        \(report.seed)\(report.controlsOff.isEmpty ? "" : " · off: " + escaped(report.controlsOff.joined(separator: ", ")))</p></header>
        \(report.isComplete ? "" : "<p class=\"note\">The run ended before its time; this is what happened until then.</p>")
        \(cards)\(expectations)\(attacks)
        \(section("Time line", HTMLTimeline(plan: plan, journal: journal, faults: faults, alerts: report.detection.alerts, end: report.elapsedNanoseconds).svg))
        \(section("Topology", HTMLTopology(plan: plan, report: report).svg))
        \(updates)\(fleet)\(authentication)\(alerts)\(devices)\(reproduce)
        </body></html>

        """
    }

    private func section(_ title: String, _ body: String) -> String {
        body.isEmpty ? "" : "<section><h2>\(title)</h2>\(body)</section>\n"
    }

    private func card(_ value: String, _ label: String, _ tone: String = "") -> String {
        "<div class=\"card \(tone)\"><b>\(value)</b><span>\(label)</span></div>"
    }

    private var cards: String {
        let m = report.metrics
        let held = report.judgements.count { $0.result == .held }
        let stopped = report.verdicts.count { $0.outcome == .defended }
        var cards = [
            card("\(held) of \(report.judgements.count)", "expectations held", held == report.judgements.count ? "good" : "bad"),
            card("\(m.devicesAttested) of \(report.devices)", "devices attested", m.devicesAttested == report.devices ? "good" : "bad"),
            card(
                m.exchanges == 0 ? "–" : percent(Double(m.exchangesAccepted) / Double(m.exchanges)), "of \(m.exchanges) exchanges succeeded"
            ),
            card("\(m.certificatesIssued)", "certificates issued, \(m.certificatesExpired) expired"),
        ]
        if !report.verdicts.isEmpty {
            cards.append(
                card("\(stopped) of \(report.verdicts.count)", "attacks defended", stopped == report.verdicts.count ? "good" : "bad"))
            let tried = report.verdicts.filter(\.wasTried)
            let noticed = tried.count { $0.alerts > 0 }
            let falseAlarms = report.detection.falseAlarms
            cards.append(
                card(
                    "\(noticed) of \(tried.count)", "attacks noticed, \(falseAlarms) false alarms",
                    falseAlarms == 0 && noticed == tried.count ? "good" : "bad"))
        }
        if !report.releases.isEmpty {
            let isDone = report.releases.allSatisfy { $0.installed == $0.devices || ![.running, .stuck, .complete].contains($0.rollout) }
            let hours = report.releases.reduce(0) { $0 + $1.exposureDeviceHours }
            cards.append(
                card(
                    "\(report.bricked.count) bricked",
                    "\(report.releases.count) releases, \((hours * 10).rounded() / 10) device-hours exposed",
                    isDone && report.bricked.isEmpty ? "good" : "bad"))
        }
        if let warmest = m.rooms.values.map({ $0.maximumMillicelsius }).max() {
            cards.append(card("\(Double(warmest / 100) / 10) °C", "warmest cold room", warmest > 8000 ? "bad" : "good"))
        }
        return "<div class=\"cards\">\(cards.joined())</div>\n"
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        let header = head.map { "<th>\($0)</th>" }.joined()
        let lines = rows.map { row in
            "<tr>\(zip(head, row).map { "<td data-head=\"\($0)\">\($1)</td>" }.joined())</tr>"
        }
        return "<table><tr>\(header)</tr>\(lines.joined())</table>"
    }

    private func badge(_ word: String) -> String {
        let tone = ["held", "defended"].contains(word) ? "good" : ["broken", "compromised"].contains(word) ? "bad" : "unsure"
        return "<span class=\"badge \(tone)\">\(word)</span>"
    }

    /// What did not hold stands open; what held is one click away where there is much of it.
    private var expectations: String {
        func rows(_ judgements: [Judgement]) -> String {
            table(
                ["", "What must hold", "What was seen"],
                judgements.map { [badge($0.result.rawValue), escaped($0.text), escaped($0.reason)] })
        }
        let held = report.judgements.filter { $0.result == .held }
        let other = report.judgements.filter { $0.result != .held }
        guard held.count > 8 else { return section("Expectations", rows(report.judgements)) }
        return section(
            "Expectations",
            rows(other) + "<details><summary>\(held.count) of \(report.judgements.count) held</summary>\(rows(held))</details>")
    }

    private var attacks: String {
        section(
            "Attacks",
            table(
                ["", "Attack", "For each target: witness", "Noticed after", "Own alerts"],
                report.verdicts.map { verdict in
                    let noticed = verdict.detectedAfterNanoseconds.map { "\(readable(.nanoseconds($0)))<br>" } ?? "–"
                    return [
                        badge(verdict.outcome.rawValue), escaped(verdict.attack), targets(verdict) + layers(verdict),
                        noticed + escaped(verdict.detectedBy?.rawValue ?? ""), "\(verdict.alerts)",
                    ]
                }))
    }

    private func layers(_ verdict: Verdict) -> String {
        // A single layer is told by the observation.
        guard verdict.reached.count + verdict.keptFrom.count > 1, !verdict.reached.isEmpty else { return "" }
        return verdict.reached.map { "<br>✗ \(escaped($0))" }.joined() + verdict.keptFrom.map { "<br>✓ \(escaped($0))" }.joined()
    }

    /// A line for each target; many that are alike are folded.
    private func targets(_ verdict: Verdict) -> String {
        let lines = verdict.targets.map { target in
            let when = target.witness.map { "\(readable($0.at - .start)), " } ?? ""
            return "\(badge(target.outcome.rawValue)) <b>\(escaped(target.name))</b> \(when)\(escaped(target.reason))"
        }
        guard lines.count > 6 else { return lines.joined(separator: "<br>") }
        return
            "<details><summary>\(lines.count) targets; the worst: \(escaped(verdict.reason))</summary>\(lines.joined(separator: "<br>"))</details>"
    }

    private var updates: String {
        let updates = HTMLUpdates(report: report, end: report.elapsedNanoseconds)
        guard !updates.rows.isEmpty else { return "" }
        let bricked = report.bricked.isEmpty ? "none" : escaped(report.bricked.joined(separator: ", "))
        return section("Releases", updates.svg + table(HTMLUpdates.head, updates.rows) + "<p>Bricked devices: \(bricked)</p>")
    }

    private var alerts: String {
        section(
            "Alerts of the service",
            table(
                ["When", "Rule", "ATT&amp;CK", "About", "Evidence", "Cause"],
                report.detection.alerts.map {
                    [
                        readable($0.at - .start), escaped($0.rule.rawValue), escaped($0.technique), escaped($0.subject),
                        escaped($0.evidence),
                        $0.isFalse ? "<span class=\"badge bad\">false alarm</span>" : escaped(names(of: $0.causes)),
                    ]
                }))
    }

    private func names(of causes: [Detection.Cause]) -> String {
        causes.map { cause in plan.steps.first { $0.id == cause.step }?.act.name ?? cause.step }.joined(separator: ", ")
    }

    private var authentication: String {
        let rows = report.metrics.handshakes.sorted { $0.key < $1.key }.map { key, value in
            let failures = value.failuresByReason.sorted { $0.key < $1.key }.map { "\($0.value)× \(escaped($0.key))" }
            let times = value.latency.map { [$0.p50Nanoseconds, $0.p90Nanoseconds, $0.p99Nanoseconds, $0.maxNanoseconds] } ?? []
            return [escaped(key), "\(value.attempts)", "\(value.accepted)"]
                + (times.isEmpty ? ["–", "–", "–", "–"] : times.map { readable(.nanoseconds(Int64($0))) }) + [
                    failures.joined(separator: "<br>")
                ]
        }
        let histograms = HTMLHistogram(journal: journal, faults: faults).svg
        return section(
            "Authentication", table(["Pair", "Attempts", "Accepted", "p50", "p90", "p99", "max", "Failures"], rows) + histograms)
    }

    private var devices: String {
        let rows = plan.devices.map { device in
            let room = report.metrics.rooms[device.name]
            let lockedOut = report.lockedOut?.first { $0.device == device.name }.map {
                "locked out by its operator since \(readable($0.since - .start))"
            }
            return [
                escaped(device.name), escaped(device.product), escaped(device.network),
                [report.metrics.availability[device.name].map(percent) ?? (lockedOut == nil ? "–" : nil), lockedOut]
                    .compactMap(\.self).joined(separator: "; "),
                room.map { "\(Double($0.maximumMillicelsius / 100) / 10) °C, too warm for \(readable(.seconds($0.tooWarmSeconds)))" } ?? "",
            ]
        }
        return section("Devices", table(["Device", "Product", "Network", "Exchanges that succeeded", "Cold room"], rows))
    }

    /// Who is there at the end, and who is not.
    private var fleet: String {
        let rotations = (report.rotations ?? []).map { rotation in
            [
                escaped("\(rotation.title) (\(rotation.step))"), readable(rotation.at - .start),
                "\(rotation.followed) of \(rotation.devices)",
                rotation.lastNanoseconds.map { readable(.nanoseconds($0)) } ?? "–", escaped(rotation.missing.joined(separator: ", ")),
            ]
        }
        let absent = (report.fleetEnd?.absent ?? []).map { device in
            [
                escaped(device.name), device.state.rawValue, device.last.map { readable($0 - .start) } ?? "never", escaped(device.reason),
                escaped(device.remedy),
            ]
        }
        let lapses = (report.lapses ?? []).map { lapse in
            [lapse.role, readable(lapse.from - .start), lapse.to.map { readable($0 - .start) } ?? "not before the end"]
        }
        return (rotations.isEmpty ? "" : section("Rotations", table(["What", "At", "Followed", "Last after", "Not"], rotations)))
            + (lapses.isEmpty ? "" : section("What ran out", table(["Of the service", "At", "Replaced"], lapses)))
            + (absent.isEmpty
                ? "" : section("Not there at the end", table(["Device", "State", "There until", "What it met", "What helps"], absent)))
    }

    private var reproduce: String {
        let command = plan.kind.map { "compare --kinds \($0.rawValue)" } ?? "run"
        return section(
            "Reproduce",
            "<pre>orrery \(command) \(escaped(report.file)) --seed \(report.seed)\(report.clock == .wall ? " --clock wall" : "")</pre><p>Digest of the journal: <code>\(report.digest)</code></p>"
        )
    }

    static let style = """
        :root{--ink:#1c2530;--soft:#5b6b7c;--line:#d9e0e7;--good:#1d7f4e;--bad:#b3261e;--unsure:#8a6100;--paper:#fff}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:#f4f6f8;max-width:1080px;margin:0 auto;padding:24px}
        h1{margin:0;font-size:28px}h2{font-size:18px;margin:0 0 12px}header p{color:var(--soft);margin:4px 0 20px}
        section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:18px 20px;margin:16px 0;overflow-x:auto}
        .cards{display:flex;gap:12px;flex-wrap:wrap}.card{flex:1 1 130px;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:14px}
        .card b{display:block;font-size:22px}.card span{color:var(--soft);font-size:13px}.card.good b{color:var(--good)}.card.bad b{color:var(--bad)}
        table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);font-weight:600;font-size:13px}
        td,th{padding:6px 10px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}tr:last-child td{border-bottom:0}
        .badge{border-radius:10px;padding:1px 9px;color:#fff;font-size:12px;font-weight:600;white-space:nowrap}
        .badge.good{background:var(--good)}.badge.bad{background:var(--bad)}.badge.unsure{background:var(--unsure)}
        .note{background:#fff4d6;border:1px solid #e6c566;border-radius:8px;padding:10px 14px}
        .legend{margin:4px 0 12px}summary{cursor:pointer;color:var(--soft)}td:first-child{white-space:nowrap}
        svg{display:block;width:100%;min-width:640px;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .soft{fill:var(--soft)}
        @media(max-width:640px){body{padding:12px}th{display:none}table,tr,td{display:block}tr{border-bottom:1px solid var(--line);padding:8px 0}
        td{border:0;padding:1px 0}td:not([data-head=""]):not(:empty)::before{content:attr(data-head) ": ";color:var(--soft);font-size:13px}}
        pre,code{font:13px ui-monospace,monospace;background:#eef2f5;border-radius:4px;padding:2px 5px}pre{padding:10px}
        """
}

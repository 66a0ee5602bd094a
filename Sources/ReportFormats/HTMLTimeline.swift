import Catalogue
import Fabric
import Judging
import Planning
import Wire

/// Faults and attacks over the share of exchanges that succeeded, on one axis of time.
struct HTMLTimeline {
    let plan: Plan
    let journal: ObservationLog
    let faults: ActList<FaultDescription>
    let alerts: [Detection.Alert]
    let end: Int64

    private static let width = 1000.0
    private static let left = 190.0
    private static let bins = 96

    private func x(_ nanoseconds: Int64) -> Double {
        Self.left + (Self.width - Self.left - 10) * Double(nanoseconds) / Double(max(1, end))
    }

    /// It is over as soon as it is done.
    private func isMoment(_ step: Step) -> Bool {
        switch step.act {
        case .update, .operate: true
        case .fault: faults[step]?.isMoment ?? false
        case .attack: false
        }
    }

    var svg: String {
        guard end > 0 else { return "" }
        var body = ""
        var y = 4.0
        for step in plan.steps where step.at.nanoseconds < end {
            let stop = min(end, isMoment(step) ? step.at.nanoseconds : step.end.nanoseconds)
            let targets = step.aim
            body += "<text x=\"0\" y=\"\(y + 12)\">\(escaped(step.act.name))</text>"
            body += rectangle(
                x(step.at.nanoseconds), y, max(3, x(stop) - x(step.at.nanoseconds)), 15, colour(step.act), targets)
            y += 20
        }
        if !alerts.isEmpty {
            body += "<text x=\"0\" y=\"\(y + 12)\">alerts</text>"
            for alert in alerts {
                body +=
                    "<circle cx=\"\(x(alert.at.nanoseconds))\" cy=\"\(y + 8)\" r=\"4\" fill=\"\(alert.isFalse ? "#b3261e" : "#33475b")\">"
                body += "<title>\(escaped("\(alert.rule.rawValue) \(alert.subject): \(alert.evidence)"))</title></circle>"
            }
            y += 20
        }
        y += 6
        let top = y
        body += "<text x=\"0\" y=\"\(top + 14)\">exchanges that</text><text x=\"0\" y=\"\(top + 30)\">succeeded</text>"
        for (bin, share) in availability.enumerated() {
            guard let share else { continue }
            let from = x(end / Int64(Self.bins) * Int64(bin))
            let breadth = (Self.width - Self.left - 10) / Double(Self.bins)
            // The whole column is the bin; what failed stands red on top.
            body += rectangle(from, top, breadth - 1, 80, "#e9b9b6", "\(percent(1 - share)) failed")
            body += rectangle(from, top + 80 * (1 - share), breadth - 1, 80 * share, "#5aa57f", percent(share))
        }
        for mark in 0...6 {
            let at = end / 6 * Int64(mark)
            let anchor = mark == 0 ? "start" : mark == 6 ? "end" : "middle"
            body +=
                "<text class=\"soft\" x=\"\(x(at))\" y=\"\(top + 98)\" text-anchor=\"\(anchor)\">\(mark == 0 ? "0" : readable(.nanoseconds(at)))</text>"
        }
        return "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(top) + 106)\" role=\"img\">\(body)</svg>"
    }

    private func colour(_ act: Step.Act) -> String {
        switch act {
        case .attack: "#b3261e"
        case .fault: "#c98a00"
        case .update, .operate: "#2f6fab"
        }
    }

    private func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ fill: String, _ title: String) -> String {
        "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(max(0.5, width))\" height=\"\(max(0, height))\" fill=\"\(fill)\"><title>\(escaped(title))</title></rect>"
    }

    /// The share of exchanges that succeeded in each stretch of time; nil where there were none.
    private var availability: [Double?] {
        var counts = [(good: Int, all: Int)](repeating: (0, 0), count: Self.bins)
        for observation in journal where observation.fact.kind == .exchange {
            let bin = min(Self.bins - 1, max(0, Int(observation.at.nanoseconds / max(1, end / Int64(Self.bins)))))
            counts[bin].all += 1
            if observation.fact.text(.result) == "accepted" { counts[bin].good += 1 }
        }
        return counts.map { $0.all == 0 ? nil : Double($0.good) / Double($0.all) }
    }
}

/// How long handshakes took, by pair.
struct HTMLHistogram {
    let journal: ObservationLog
    let faults: ActList<FaultDescription>

    private static let bins = 40

    var svg: String {
        var durations: [String: [Int64]] = [:]
        for observation in journal where observation.fact.kind == .handshake && observation.fact.text(.role) == "client" {
            guard let took = observation.fact.number(.durationNanoseconds), observation.fact.text(.result) == "accepted",
                observation.fact.number(.port) != Int64(ServicePort.updates)
            else { continue }
            durations["\(observation.fact.text(.pair) ?? "") \(observation.fact.text(.mode) ?? "")", default: []].append(took)
        }
        let longest = durations.values.flatMap { $0 }.max() ?? 0
        guard longest > 0 else { return "" }
        var body = ""
        var y = 24.0
        for (pair, values) in durations.sorted(by: { $0.key < $1.key }) {
            var counts = [Int](repeating: 0, count: Self.bins)
            for value in values {
                let share = Double(max(0, value)) / Double(longest)
                counts[min(Self.bins - 1, Int(share * Double(Self.bins)))] += 1
            }
            let most = Double(counts.max() ?? 1)
            body += "<text x=\"0\" y=\"\(y + 34)\">\(escaped(pair))</text>"
            for (bin, count) in counts.enumerated() where count > 0 {
                let height = max(2, 44 * Double(count) / most)
                body +=
                    "<rect x=\"\(200 + Double(bin) * 19.5)\" y=\"\(y + 44 - height)\" width=\"18\" height=\"\(height)\" fill=\"#4678a8\"><title>\(count)</title></rect>"
            }
            y += 56
        }
        body += "<text class=\"soft\" x=\"200\" y=\"\(y + 6)\">0</text>"
        body += "<text class=\"soft\" x=\"980\" y=\"\(y + 6)\" text-anchor=\"end\">\(readable(.nanoseconds(longest)))</text>"
        return
            "<svg viewBox=\"0 0 1000 \(Int(y) + 12)\" role=\"img\"><text class=\"soft\" x=\"0\" y=\"14\">How long handshakes took</text>\(body)</svg>"
    }
}

/// Networks as boxes of devices, coloured by how well each got through.
struct HTMLTopology {
    let plan: Plan
    let report: Report

    private static let perRow = 8

    var svg: String {
        var body = ""
        var y = 0.0
        for network in plan.networks {
            let names =
                plan.devices.filter { $0.network == network.name }.map { $0.name }
                + (plan.serviceNetwork == network.name ? [ServiceNode.maker] : [])
                + (plan.successor?.network == network.name ? [ServiceNode.successor] : [])
            let shown = Array(names.prefix(64))
            let rows = max(1, (shown.count + Self.perRow - 1) / Self.perRow)
            let height = Double(rows) * 34 + 34
            var facts = "\(readable(.nanoseconds(network.latencyNanoseconds)))"
            if network.lossRatio > 0 { facts += ", \(percent(network.lossRatio)) loss" }
            if let rate = network.bitsPerSecond { facts += ", \(Double(rate / 100_000) / 10) Mbit/s" }
            body += "<rect x=\"1\" y=\"\(y + 1)\" width=\"998\" height=\"\(height)\" rx=\"8\" fill=\"#f7f9fb\" stroke=\"#d9e0e7\"/>"
            body += "<text x=\"12\" y=\"\(y + 20)\"><tspan font-weight=\"600\">\(escaped(network.name))</tspan> · \(facts)</text>"
            for (index, name) in shown.enumerated() {
                let x = 12 + Double(index % Self.perRow) * 122
                let top = y + 30 + Double(index / Self.perRow) * 34
                body += "<rect x=\"\(x)\" y=\"\(top)\" width=\"114\" height=\"26\" rx=\"5\" fill=\"\(colour(name))\"/>"
                body += "<text x=\"\(x + 57)\" y=\"\(top + 17)\" text-anchor=\"middle\" style=\"fill:#fff\">\(escaped(name))</text>"
            }
            if names.count > shown.count {
                body += "<text class=\"soft\" x=\"880\" y=\"\(y + 20)\">and \(names.count - shown.count) more</text>"
            }
            y += height + 10
        }
        let links = plan.links.map { $0.joined(separator: " – ") }.joined(separator: ", ")
        body += "<text class=\"soft\" x=\"0\" y=\"\(y + 14)\">Links: \(escaped(links))</text>"
        return "<svg viewBox=\"0 0 1000 \(Int(y) + 22)\" role=\"img\">\(body)</svg>"
    }

    private func colour(_ name: String) -> String {
        guard !plan.serviceNodes.contains(name) else { return "#33475b" }
        guard let share = report.metrics.availability[name] else { return "#8a97a5" }
        return share >= 0.99 ? "#1d7f4e" : share >= 0.9 ? "#c98a00" : "#b3261e"
    }
}

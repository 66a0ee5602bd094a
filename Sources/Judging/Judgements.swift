import Catalogue
import Planning
import Wire

/// Whether an expectation held.
public struct Judgement: Sendable, Equatable, Codable {
    public enum Result: String, Sendable, Codable { case held, broken, unknown }
    public var text: String
    public var result: Result
    public var reason: String
}

/// What a run came to, for judging what was expected of it.
struct Evidence {
    var plan: Plan
    var journal: ObservationLog
    var verdicts: [Verdict]
    var metrics: Metrics
    var releases: [ReleaseMetrics]
    var detection: Detection
    var inventory: InventoryHistory
}

extension Judgement {
    static func judge(_ evidence: Evidence) -> [Judgement] {
        evidence.plan.expectations.map { expectation in
            let limit = expectation.withinNanoseconds.map { Instant(nanoseconds: $0) } ?? .never
            let missing = missing(evidence, within: limit)
            let (result, reason) = judge(expectation, evidence, limit: limit, missing: missing)
            return Judgement(text: expectation.text, result: result, reason: reason)
        }
    }

    /// A run that ended early, or before the time that was allowed was over, cannot tell what would have happened.
    private static func missing(_ evidence: Evidence, within limit: Instant) -> Result {
        let end = evidence.journal.last?.at ?? .start
        return end < evidence.plan.stop || limit != .never && end < limit ? .unknown : .broken
    }

    private static func judge(
        _ expectation: Expectation, _ evidence: Evidence, limit: Instant, missing: Result
    ) -> (Result, String) {
        let (plan, journal) = (evidence.plan, evidence.journal)
        switch expectation.claim {
        case .attested(let devices):
            let late = devices.filter { device in
                !journal.contains {
                    $0.node == device && $0.at <= limit && $0.fact.kind == .attestation && $0.fact.text(.result) == "accepted"
                }
            }
            return late.isEmpty ? (.held, "\(devices.count) of \(devices.count)") : (missing, "not: \(late.joined(separator: ", "))")
        case .mutuallyAuthenticated(let from, let to):
            return mutual(plan, journal, from: from, to: to, limit: limit, missing: missing)
        case .verdict(let step, let wanted):
            guard let verdict = evidence.verdicts.first(where: { $0.step == step }) else { return (.unknown, "no such attack") }
            // What was not there to be attacked has neither held nor broken.
            let result: Result = verdict.outcome == wanted ? .held : verdict.outcome.isKnown ? .broken : .unknown
            return (result, "\(verdict.outcome.rawValue): \(verdict.reason)")
        case .detected(let step):
            guard let verdict = evidence.verdicts.first(where: { $0.step == step }) else { return (.unknown, "no such attack") }
            guard let after = verdict.detectedAfterNanoseconds, let rule = verdict.detectedBy else {
                let begin = evidence.plan.steps.first { $0.id == step }?.at ?? .start
                let limit = expectation.withinNanoseconds.map { begin + .nanoseconds($0) } ?? .never
                return (Judgement.missing(evidence, within: limit), "no alert is about it")
            }
            let isSoon = after <= expectation.withinNanoseconds ?? .max
            return (isSoon ? .held : .broken, "\(rule.rawValue) after \(readable(.nanoseconds(after)))")
        case .falseAlarms(let limit):
            let count = evidence.detection.falseAlarms
            let first = evidence.detection.alerts.first(where: \.isFalse).map { ", the first \($0.rule.rawValue) of \($0.subject)" } ?? ""
            return (count <= limit ? .held : .broken, "\(count)\(first)")
        case .availability(let devices, let ratio): return availability(expectation, evidence, devices, ratio, missing)
        case .installed(let step, _, let ratio): return installed(expectation, evidence, step: step, ratio: ratio)
        case .bricked(let devices, let limit):
            let found = ReleaseMetrics.bricked(plan, journal).filter(devices.contains)
            return (found.count <= limit ? .held : .broken, found.isEmpty ? "none" : found.joined(separator: ", "))
        case .rollout(let step, let wanted):
            guard let release = evidence.releases.first(where: { $0.step == step }) else { return (.unknown, "no such release") }
            return (release.rollout == wanted ? .held : release.rollout.isOpen ? missing : .broken, release.rolloutWords)
        }
    }

    private static func availability(
        _ expectation: Expectation, _ evidence: Evidence, _ devices: [String], _ ratio: Double, _ missing: Result
    ) -> (Result, String) {
        var shares = evidence.metrics.availability
        if let window = expectation.window {
            let inside = evidence.journal.lazy.filter { $0.at >= window.from && $0.at < window.to }
            shares = Metrics(inside, without: evidence.inventory.isKeptOut).availability
        }
        // Whom his operator has kept out all the while has shown nothing.
        let window = expectation.window ?? Expectation.Window(from: .start, to: .never)
        let keptOut = devices.filter { shares[$0] == nil && evidence.inventory.isKeptOut($0, from: window.from, to: window.to) }
        if !keptOut.isEmpty, keptOut.count == devices.count { return (.unknown, "locked out: \(keptOut.joined(separator: ", "))") }
        let devices = devices.filter { !keptOut.contains($0) }
        let low = devices.filter { (shares[$0] ?? 0) < ratio }
        if low.isEmpty { return (.held, "lowest \(percent(devices.compactMap { shares[$0] }.min() ?? 0))") }
        return (
            missing == .unknown ? .unknown : .broken, low.map { "\($0) \(percent(shares[$0] ?? 0))" }.joined(separator: ", ")
        )
    }

    private static func installed(
        _ expectation: Expectation, _ evidence: Evidence, step: String, ratio: Double
    ) -> (Result, String) {
        guard let release = evidence.releases.first(where: { $0.step == step }),
            let start = evidence.plan.steps.first(where: { $0.id == step })?.at
        else { return (.unknown, "no such release") }
        let limit = expectation.withinNanoseconds.map { start + .nanoseconds($0) } ?? .never
        let count = release.changes.filter { $0.at <= limit }.reduce(0) { $0 + $1.change }
        let text = "\(count) of \(release.devices)"
        if Double(count) >= Double(release.devices) * ratio { return (.held, text) }
        return (Judgement.missing(evidence, within: limit), "\(text); rollout \(release.rolloutWords)")
    }

    private static func mutual(
        _ plan: Plan, _ journal: ObservationLog, from: [String], to: [String], limit: Instant, missing: Result
    ) -> (Result, String) {
        let hosts = Set(to.flatMap { plan.hosts(of: $0) })
        let callers = plan.devices.filter { device in from.contains(device.name) && device.calls.contains { to.contains($0) } }
        let late = callers.map(\.name).filter { device in
            !journal.contains {
                $0.node == device && $0.at <= limit && $0.fact.kind == .handshake && $0.fact.text(.role) == "client"
                    && $0.fact.text(.result) == "accepted" && $0.fact.text(.mode) == "mutual"
                    && hosts.contains($0.fact.text(.peer) ?? "")
            }
        }
        if callers.isEmpty { return (.unknown, "nobody calls anybody") }
        return late.isEmpty ? (.held, "\(callers.count) of \(callers.count)") : (missing, "not: \(late.joined(separator: ", "))")
    }
}

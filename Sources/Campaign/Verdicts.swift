public import Wire

/// How an attack ended, judged from the journal, with the observation that proves it.
public struct Verdict: Sendable, Equatable, Codable {
    public enum Outcome: String, Sendable, Codable, CaseIterable {
        /// It was tried and did not reach its goal.
        case defended
        /// It reached its goal.
        case compromised
        /// It did not reach its goal, but targets lost what they need to work.
        case degraded
        /// Targets were kept on an old version (updates).
        case frozen
        /// Nothing shows that it was tried.
        case unknown
    }

    public var step: String
    public var attack: String
    public var targets: [String]
    public var outcome: Outcome
    public var reason: String
    /// When the proof was observed.
    public var at: Instant?
}

extension Verdict {
    public static func judge(_ plan: Plan, _ journal: [Observation]) -> [Verdict] {
        plan.steps.compactMap { step in
            guard case .attack(let attack) = step.act else { return nil }
            return judge(step, attack, journal)
        }
    }

    private static func judge(_ step: Step, _ attack: AttackName, _ journal: [Observation]) -> Verdict {
        var verdict = Verdict(
            step: step.id, attack: attack.rawValue, targets: step.nodes, outcome: .unknown,
            reason: "the attack met nothing that it could act on", at: nil)
        let own = journal.filter { $0.fact.text(.instance) == step.id }
        if let success = own.first(where: { $0.fact.kind == .attackSucceeded }) {
            verdict.outcome = .compromised
            verdict.reason = success.fact.text(.evidence) ?? ""
            verdict.at = success.at
            return verdict
        }
        let end = step.duration.map { step.at + $0 } ?? .never
        let attempts = own.filter { $0.fact.kind == .attackStep } + attempts(of: step, attack, journal)
        guard let attempt = attempts.first else { return verdict }
        verdict.outcome = .defended
        verdict.reason = reasons(attempts)
        verdict.at = attempt.at
        if let lost = journal.first(where: {
            $0.fact.kind == .certificateExpired && step.nodes.contains($0.node) && $0.at >= step.at && $0.at < end
        }) {
            verdict.outcome = .degraded
            verdict.reason = "\(lost.node) lost its certificates meanwhile; \(verdict.reason)"
            verdict.at = lost.at
        }
        return verdict
    }

    /// What shows that an attack was tried, beside its own word: its devices' failures, its victims' refusals.
    private static func attempts(of step: Step, _ attack: AttackName, _ journal: [Observation]) -> [Observation] {
        switch attack {
        case .clonedDevice:
            let clones = Set(step.nodes.map { $0 + "-clone" })
            return journal.filter {
                clones.contains($0.node)
                    && ($0.fact.kind == .refusal || $0.fact.kind == .attestation && $0.fact.text(.result) == "failed")
            }
        case .recordTamper:
            let end = step.duration.map { step.at + $0 } ?? .never
            return journal.filter {
                $0.at >= step.at && $0.at < end && $0.fact.kind == .handshake && $0.fact.text(.result) == "failed"
                    && step.nodes.contains($0.node)
            }
        case .tlsInterception, .rogueDevice, .dnsSpoof, .recordReplay: return []
        }
    }

    private static func reasons(_ attempts: [Observation]) -> String {
        var seen: [String] = []
        for attempt in attempts {
            let reason = attempt.fact.text(.reason) ?? attempt.fact.text(.step) ?? ""
            if !reason.isEmpty && !seen.contains(reason) { seen.append(reason) }
        }
        return "\(attempts.count) attempt\(attempts.count == 1 ? "" : "s") failed: \(seen.prefix(3).joined(separator: "; "))"
    }
}

/// Whether an expectation held.
public struct Judgement: Sendable, Equatable, Codable {
    public enum Result: String, Sendable, Codable { case held, broken, unknown }
    public var text: String
    public var result: Result
    public var reason: String
}

extension Judgement {
    public static func judge(
        _ plan: Plan, _ journal: [Observation], _ verdicts: [Verdict], _ metrics: Metrics
    ) -> [Judgement] {
        let end = journal.last?.at ?? .start
        return plan.expectations.map { expectation in
            let limit = expectation.withinNanoseconds.map { Instant(nanoseconds: $0) } ?? .never
            // A run that ended early cannot tell what would have happened.
            let missing: Result = end < min(limit, plan.stop) ? .unknown : .broken
            switch expectation.claim {
            case .attested(let devices):
                let late = devices.filter { device in
                    !journal.contains {
                        $0.node == device && $0.at <= limit && $0.fact.kind == .attestation
                            && $0.fact.text(.result) == "accepted"
                    }
                }
                return late.isEmpty
                    ? Judgement(text: expectation.text, result: .held, reason: "\(devices.count) of \(devices.count)")
                    : Judgement(text: expectation.text, result: missing, reason: "not: \(late.joined(separator: ", "))")
            case .mutuallyAuthenticated(let from, let to):
                return mutual(expectation, plan, journal, from: from, to: to, limit: limit, missing: missing)
            case .verdict(let step, let wanted):
                guard let verdict = verdicts.first(where: { $0.step == step }) else {
                    return Judgement(text: expectation.text, result: .unknown, reason: "no such attack")
                }
                let result: Result = verdict.outcome == wanted ? .held : verdict.outcome == .unknown ? .unknown : .broken
                return Judgement(
                    text: expectation.text, result: result, reason: "\(verdict.outcome.rawValue): \(verdict.reason)")
            case .availability(let devices, let ratio):
                let low = devices.filter { (metrics.availability[$0] ?? 0) < ratio }
                return Judgement(
                    text: expectation.text, result: low.isEmpty ? .held : missing == .unknown ? .unknown : .broken,
                    reason: low.isEmpty
                        ? "lowest \(percent(devices.compactMap { metrics.availability[$0] }.min() ?? 0))"
                        : low.map { "\($0) \(percent(metrics.availability[$0] ?? 0))" }.joined(separator: ", "))
            }
        }
    }

    private static func mutual(
        _ expectation: Expectation, _ plan: Plan, _ journal: [Observation], from: [String], to: [String],
        limit: Instant, missing: Result
    ) -> Judgement {
        let hosts = Set(to.map(plan.names.host))
        let callers = plan.devices.filter { device in from.contains(device.name) && device.calls.contains { to.contains($0) } }
        let late = callers.map(\.name).filter { device in
            !journal.contains {
                $0.node == device && $0.at <= limit && $0.fact.kind == .handshake && $0.fact.text(.role) == "client"
                    && $0.fact.text(.result) == "accepted" && $0.fact.text(.mode) == "mutual"
                    && hosts.contains($0.fact.text(.peer) ?? "")
            }
        }
        if callers.isEmpty { return Judgement(text: expectation.text, result: .unknown, reason: "nobody calls anybody") }
        return late.isEmpty
            ? Judgement(text: expectation.text, result: .held, reason: "\(callers.count) of \(callers.count)")
            : Judgement(text: expectation.text, result: missing, reason: "not: \(late.joined(separator: ", "))")
    }
}

/// A share as people read it: `99.5 %`.
func percent(_ ratio: Double) -> String {
    let value = (ratio * 1000).rounded() / 10
    return value == value.rounded() ? "\(Int(value)) %" : "\(value) %"
}

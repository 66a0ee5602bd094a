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
    /// When the service noticed, since the attack began; nil if it did not.
    public var detectedAfterNanoseconds: Int64?
    public var detectedBy: DetectionRule?
    /// How far code of the attacker's came in the targets, layer by layer, and what kept it from the others.
    public var reached: [String] = []
    public var keptFrom: [String] = []
}

extension Verdict {
    public static func judge(_ plan: Plan, _ journal: [Observation], _ detection: Detection) -> [Verdict] {
        plan.steps.compactMap { step in
            guard case .attack(let attack) = step.act else { return nil }
            var verdict = judge(step, attack, plan, journal)
            if let alert = detection.first(of: step.id) {
                verdict.detectedAfterNanoseconds = (alert.at - step.at).nanoseconds
                verdict.detectedBy = alert.rule
            }
            (verdict.reached, verdict.keptFrom) = layers(step, journal)
            return verdict
        }
    }

    /// A layer counts as reached if it was on one of the targets, at any time.
    private static func layers(_ step: Step, _ journal: [Observation]) -> (reached: [String], keptFrom: [String]) {
        var (reached, keptFrom): ([String], [(level: String, reason: String)]) = ([], [])
        for observation in journal where observation.fact.kind == .attackStep && observation.fact.text(.instance) == step.id {
            guard let level = observation.fact.text(.level) else { continue }
            if observation.fact.text(.result) == "reached" {
                if !reached.contains(level) { reached.append(level) }
            } else if !keptFrom.contains(where: { $0.level == level }) {
                keptFrom.append((level, observation.fact.text(.reason) ?? level))
            }
        }
        return (reached, keptFrom.filter { !reached.contains($0.level) }.map(\.reason))
    }

    private static func judge(_ step: Step, _ attack: AttackName, _ plan: Plan, _ journal: [Observation]) -> Verdict {
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
        if let (outcome, proof, reason) = Oracle.success(step, attack, plan, journal) {
            verdict.outcome = outcome
            verdict.reason = reason
            verdict.at = proof.at
            return verdict
        }
        let end = step.end
        let attempts = own.filter { $0.fact.kind == .attackStep } + Oracle.attempts(step, attack, journal)
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

    private static func reasons(_ attempts: [Observation]) -> String {
        var seen: [String] = []
        for attempt in attempts {
            let reason = attempt.fact.text(.reason) ?? attempt.fact.text(.step) ?? ""
            if !reason.isEmpty && !seen.contains(reason) { seen.append(reason) }
        }
        return "\(attempts.count) attempt\(attempts.count == 1 ? "" : "s") failed: \(seen.prefix(3).joined(separator: "; "))"
    }
}

import Catalogue
public import Planning
public import Wire

/// How an attack ended, judged from the journal for each of its targets; it is as bad as the worst of them.
public struct Verdict: Sendable, Equatable, Codable {
    public typealias Outcome = AttackOutcome

    /// What shows that an attack was stopped, or that it was not.
    public struct Witness: Sendable, Equatable, Codable {
        public var at: Instant
        public var node: String
        /// The kind of the observation, and its code if it has one.
        public var kind: String
        public var code: String?
        public var words: String
    }

    public struct Target: Sendable, Equatable, Codable {
        public var name: String
        public var outcome: Outcome
        /// The defence's observation, or the proof of success; nil where nothing shows anything.
        public var witness: Witness?
        public var attempts: Int
        public var reason: String
    }

    public var step: String
    public var attack: String
    public var targets: [Target]
    public var outcome: Outcome
    public var reason: String
    /// When the proof was observed.
    public var at: Instant?
    /// When the service noticed, since the attack began; nil if it did not.
    public var detectedAfterNanoseconds: Int64?
    public var detectedBy: DetectionRule?
    /// Alerts that the attack caused.
    public var alerts: Int
    /// How far code of the attacker's came in the targets, layer by layer, and what kept it from the others.
    public var reached: [String] = []
    public var keptFrom: [String] = []

    /// It was tried on one of its targets at least.
    public var wasTried: Bool { targets.contains { $0.attempts > 0 || $0.outcome.isHarm } }
}

extension Verdict {
    static func judge(_ plan: Plan, _ truth: GroundTruth, _ detection: Detection, _ catalogue: ActCatalogue) -> [Verdict] {
        plan.steps.compactMap { step in
            guard case .attack(let name) = step.act, let attack = catalogue.attacks[name] else { return nil }
            let targets = step.nodes.map { TargetJudge(step, $0, attack, plan, truth).target }
            let worst = targets.max { $0.outcome.severity < $1.outcome.severity }
            let alerts = detection.alerts.filter { $0.isOf(step.id) }
            let (reached, keptFrom) = layers(truth.own[step.id] ?? [])
            return Verdict(
                step: step.id, attack: name.rawValue, targets: targets, outcome: worst?.outcome ?? .untried,
                reason: worst?.reason ?? "it has no target", at: worst?.witness?.at,
                detectedAfterNanoseconds: alerts.first.map { ($0.at - step.at).nanoseconds }, detectedBy: alerts.first?.rule,
                alerts: alerts.count, reached: reached, keptFrom: keptFrom)
        }
    }

    /// A layer counts as reached if it was on one of the targets, at any time.
    private static func layers(_ own: [Observation]) -> (reached: [String], keptFrom: [String]) {
        var (reached, keptFrom): ([String], [(level: String, reason: String)]) = ([], [])
        for observation in own where observation.fact.kind == .attackStep {
            guard let level = observation.fact.text(.level) else { continue }
            if observation.fact.text(.result) == "reached" {
                if !reached.contains(level) { reached.append(level) }
            } else if !keptFrom.contains(where: { $0.level == level }) {
                keptFrom.append((level, observation.fact.text(.reason) ?? level))
            }
        }
        return (reached, keptFrom.filter { !reached.contains($0.level) }.map(\.reason))
    }
}

/// The judge of one attack on one target. Each way in which it was tried needs a witness of its own: one that was refused says
/// nothing of another at which nobody was there.
private struct TargetJudge {
    let step: Step
    let name: String
    let attack: AttackDescription
    let plan: Plan
    let truth: GroundTruth
    let trial: Trial

    init(_ step: Step, _ target: String, _ attack: AttackDescription, _ plan: Plan, _ truth: GroundTruth) {
        (self.step, name, self.attack, self.plan, self.truth) = (step, target, attack, plan, truth)
        let begin = truth.journal.partitioningIndex { $0.at >= step.at }
        trial = Trial(
            step: step, target: target, address: plan.devices.first { $0.name == target }?.address, journal: truth.journal[begin...],
            before: truth.journal[..<begin], own: truth.own[step.id]?.filter { ($0.fact.text(.target) ?? target) == target } ?? [],
            marks: truth.marks(of: step.id, on: target), everywhere: truth.marks(of: step.id))
    }

    var target: Verdict.Target {
        let ways = ways
        let attempts = ways.values.reduce(0) { $0 + $1.count }
        func came(_ outcome: Verdict.Outcome, _ observation: Observation?, _ words: String) -> Verdict.Target {
            Verdict.Target(
                name: name, outcome: outcome, witness: observation.map { witness($0, words) }, attempts: attempts, reason: words)
        }
        if let success = trial.own.first(where: { $0.fact.kind == .attackSucceeded }) {
            return came(.compromised, success, success.fact.text(.evidence) ?? "")
        }
        // What happens to a target that it never tried anything on is somebody else's doing.
        if !ways.isEmpty, let proof = attack.judge.proof(trial) {
            let outcome: Verdict.Outcome =
                switch proof.harm {
                case .compromised: .compromised
                case .frozen: .frozen
                case .degraded: .degraded
                }
            return came(outcome, proof.observation, proof.words)
        }
        if truth.end < step.at { return came(.unknown, nil, "the run ended before it began") }
        if step.end != .never, truth.end < step.end { return came(.unknown, nil, "the run ended before it did") }
        if ways.isEmpty { return came(.untried, nil, reasonForNothing) }
        if let lost = trial.during.first(where: { $0.fact.kind == .certificateExpired && $0.node == name }), isToBlame(for: lost) {
            return came(.degraded, lost, "\(name) lost its certificates meanwhile")
        }
        var first: Observation?
        for (way, tries) in ways.sorted(by: { $0.key < $1.key }) {
            guard let seen = defence(against: tries) else {
                if let obstacle, obstacle != .noWayOut { return came(.untried, nil, "\(name) \(obstacle.words(attack))") }
                let why = tries.compactMap { $0.fact.text(.reason) }.first.map { ": \($0)" } ?? ""
                return came(.unreached, nil, "\(way): nobody was seen to stop it\(why)")
            }
            if (first.map { seen.at < $0.at }) ?? true { first = seen }
        }
        return came(.defended, first, first.map(words) ?? "")
    }

    /// Whether the target lost its certificates by the attack: it has set the clock, or stood on the way while they were to be
    /// renewed, and no fault did.
    private func isToBlame(for lost: Observation) -> Bool {
        let issued = truth.journal.last {
            $0.at <= lost.at && $0.node == name && ($0.fact.kind == .certificateIssued || $0.fact.kind == .certificateRestored)
        }
        guard let issued else { return false }
        if truth.unixSeconds(at: lost.at) < issued.fact.number(.notAfterSeconds) ?? .max {
            return truth.wrongClock(of: name, at: lost.at)?.step == step.id
        }
        let network = plan.devices.first { $0.name == name }?.network ?? ""
        let isHitByFault = plan.steps.contains { other in
            guard let fault = truth.faults[other] else { return false }
            return other.at <= lost.at && other.end >= issued.at
                && (other.nodes.contains(name) || other.networks.contains(network) || fault.place == .service)
        }
        return !isHitByFault && marked.contains { $0.at > issued.at && $0.at <= lost.at }
    }

    /// What was tried, by the way in which it was.
    private var ways: [String: [Observation]] {
        var ways: [String: [Observation]] = [:]
        for observation in trial.own where observation.fact.kind == .attackStep {
            ways[observation.fact.text(.step) ?? "what it tried", default: []].append(observation)
        }
        guard attack.judge.countsMarks else { return ways }
        for mark in marked where mark.fact[.code] == nil {
            ways[TargetJudge.way(of: mark), default: []].append(mark)
        }
        return ways
    }

    /// What the network knows that it has left on the target or on its connections.
    private var marked: [Observation] {
        (truth.traces[step.id] ?? []).filter { observation in
            let isConnection = observation.fact.text(.connection) != nil
            return observation.fact.text(.target) == name
                || isConnection && (observation.fact.text(.name) == name || observation.fact.text(.peer) == name)
        }
    }

    private var obstacle: Obstacle? { plan.obstacles(name, for: step, attack, truth.faults).first }

    private var reasonForNothing: String {
        if let obstacle { return "\(name) \(obstacle.words(attack))" }
        if let uses = step.uses { return "what it needs was not obtained by '\(uses)'" }
        let connections = Set(marked.compactMap { $0.fact.text(.connection) }).count
        return connections == 0
            ? "nothing was tried on \(name)" : "it held \(connections) connections of \(name)'s, and tried nothing on them"
    }

    /// Connections to each port are a way of their own: what was said at one says nothing of another.
    private static func way(of mark: Observation) -> String {
        mark.fact.text(.connection)?.split(separator: ">").last.map { "connections to port \($0)" } ?? "what it left"
    }

    /// The first observation that shows that one of these attempts was stopped by somebody.
    private func defence(against tries: [Observation]) -> Observation? {
        var marks = Marks()
        for observation in tries { marks.take(observation.fact) }
        // Where the attempt itself names nothing, what bears a mark on this target is about it.
        let isNameless = marks == Marks()
        // Who got nowhere on the network, or met somebody who could not, was stopped by nobody, whatever was said of other ways.
        let codes = tries.map { Code(rawValue: $0.fact.text(.code) ?? "") }
        if codes.allSatisfy({ $0?.isIncapacity == true }) || isNameless && codes.allSatisfy({ $0?.isOfNetworks == true }) { return nil }
        if isNameless { marks = trial.marks }
        let seen = truth.refusals.first { observation in
            let fact = observation.fact
            guard observation.at >= step.at, fact.text(.instance) != step.id else { return false }
            return truth.bears(marks, fact, of: step.id) || marks.matchDigest(fact) && isOfTarget(observation)
                || isNameless && isByAddress(observation)
        }
        // What the defence says itself is better than what the attacker has heard from it.
        return seen ?? trial.journal.first { attack.judge.isWitness(trial, $0) }
            ?? tries.first { Code(rawValue: $0.fact.text(.code) ?? "")?.isToldByPeer == true }
    }

    /// An attacker's address alone is about this target where the defence says so.
    private func isByAddress(_ observation: Observation) -> Bool {
        (isOfTarget(observation) || observation.fact.text(.peer) == name)
            && truth.bears(truth.marks(of: step.id), observation.fact, of: step.id)
    }

    private func isOfTarget(_ observation: Observation) -> Bool {
        observation.node == name || observation.fact.text(.device) == name
    }

    private func witness(_ observation: Observation, _ words: String) -> Verdict.Witness {
        Verdict.Witness(
            at: observation.at, node: observation.node, kind: observation.fact.kind.rawValue, code: observation.fact.text(.code),
            words: words)
    }

    private func words(_ observation: Observation) -> String {
        let fact = observation.fact
        let what = fact.text(.reason) ?? Code(rawValue: fact.text(.code) ?? "")?.words ?? fact.text(.result) ?? ""
        if fact.text(.instance) == step.id { return "the attacker was told: \(what)" }
        return "\(observation.node): \(fact.kind.rawValue)\(what.isEmpty ? "" : ", \(what)")"
    }
}

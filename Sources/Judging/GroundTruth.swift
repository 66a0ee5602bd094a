import Catalogue
import Planning
import Wire

/// What really happened in a run, as the journal has it from those who know: whose doing each connection, address, image and
/// nonce was, and which observations are refusals of somebody who was there to refuse.
struct GroundTruth {
    let journal: ObservationLog
    let faults: ActList<FaultDescription>
    /// Facts of each attack's own, by its step.
    private(set) var own: [String: [Observation]] = [:]
    /// What each attack has left its mark on, by its step.
    private(set) var traces: [String: [Observation]] = [:]
    /// Observations by which somebody of the fleet has refused something.
    private(set) var refusals: [Observation] = []
    /// Clocks that attacks and faults have set wrong, by device.
    private(set) var wrongClocks: [String: [WrongClock]] = [:]
    /// Connections that a device has refused by a wrong clock, with the step that has set it.
    private var refusedByClock: [String: String] = [:]
    /// Connections that an attacker's node answers, whomever they were meant for, with the step that it belongs to.
    private var answeredByAttackers: [String: String] = [:]
    /// Addresses of attackers' nodes, with the step that they belong to.
    private var addressesOfAttackers: [String: String] = [:]
    /// Connections on which a fault has changed bytes: what cannot be read there nobody has refused.
    private var spoilt: Set<String> = []
    /// By device: from when on it belonged to a new owner, or no longer, as its policy had it when it started.
    private var ownership: [String: [(at: Instant, isHeirs: Bool)]] = [:]
    private let fleet: Set<String>
    private let epochSeconds: Int64
    private let attacks: [Step]
    /// Digests of images that the service has published so far.
    private var released: Set<String> = []
    private var byStep: [String: Marks] = [:]
    private var byTarget: [String: [String: Marks]] = [:]

    var end: Instant { journal.last?.at ?? .start }

    /// A clock that shows what an attack or a fault wants.
    struct WrongClock {
        let step: String
        let from: Instant
        /// What sets it right before that is undone: a drift goes on.
        let rightFrom: Instant
        var to = Instant.never
    }

    init(_ plan: Plan, _ journal: ObservationLog, _ faults: ActList<FaultDescription>) {
        self.journal = journal
        self.faults = faults
        epochSeconds = plan.epochSeconds
        attacks = plan.steps.filter(\.act.isAttack)
        let handOver = plan.handOver?.release
        fleet = Set(plan.devices.map(\.name) + plan.gateways.map(\.name) + plan.serviceNodes + ["network"])
        for step in plan.steps {
            guard let wrong = faults[step]?.wrongClock else { continue }
            let rightFrom: Instant =
                switch wrong {
                case .jump: step.at
                case .drift: step.end
                case .lost: .never
                }
            let clock = WrongClock(step: step.id, from: step.at, rightFrom: rightFrom)
            for node in step.nodes { wrongClocks[node, default: []].append(clock) }
        }
        for observation in journal {
            let fact = observation.fact
            if let step = fact.text(.instance) { take(observation, of: step) }
            if fact.kind == .clockSet { takeClock(observation) }
            if fact.kind == .imageAdded, let digest = fact.text(.digest) { released.insert(digest) }
            if fact.kind == .updateInstalled { takeForged(observation) }
            if fact.kind == .bootStage, let handOver, handOver.concerns(fact) {
                ownership[observation.node, default: []].append((observation.at, handOver.isReached(by: fact)))
            }
            let setter = clockSetter(of: observation)
            if let setter {
                byStep[setter, default: Marks()].take(fact)
                if let connection = fact.text(.connection) { refusedByClock[connection] = setter }
            }
            if setter == nil, isRefusal(observation) { refusals.append(observation) }
        }
    }

    private mutating func take(_ observation: Observation, of step: String) {
        let fact = observation.fact
        switch fact.kind {
        case .trace:
            traces[step, default: []].append(observation)
            if fact[.answeredBy] != nil, let connection = fact.text(.connection) { answeredByAttackers[connection] = step }
            if let fault = fact.text(.fault), faults[fault]?.spoils == true, let connection = fact.text(.connection) {
                spoilt.insert(connection)
            }
            if let address = fact.text(.address) { addressesOfAttackers[address] = step }
            byStep[step, default: Marks()].take(fact)
            for key in [Fact.Detail.target, .name, .peer] {
                if let target = fact.text(key) { byTarget[step, default: [:]][target, default: Marks()].take(fact) }
            }
        case .attackStep, .attackSucceeded:
            own[step, default: []].append(observation)
            byStep[step, default: Marks()].take(fact)
            if let target = fact.text(.target) { byTarget[step, default: [:]][target, default: Marks()].take(fact) }
        // Released images are known by what the service has published.
        case .imageAdded: byStep[step, default: Marks()].take(fact)
        default: break
        }
    }

    /// What nobody has released is of whoever was on the way to the update server then.
    private mutating func takeForged(_ observation: Observation) {
        guard let digest = observation.fact.text(.digest), !released.contains(digest) else { return }
        let (node, at) = (observation.node, observation.at)
        let step = attacks.last { step in
            step.nodes.contains(node) && step.at <= at
                && traces[step.id]?.contains { $0.fact.text(.name) == node && $0.fact[.answeredBy] != nil } == true
        }
        guard let step else { return }
        byStep[step.id, default: Marks()].digests.insert(digest)
        byTarget[step.id, default: [:]][node, default: Marks()].digests.insert(digest)
    }

    /// A device takes the time from somebody: from an attack, or from whoever sets right what was wrong.
    private mutating func takeClock(_ observation: Observation) {
        let clocks = wrongClocks[observation.node] ?? []
        for (index, clock) in clocks.enumerated() where clock.to == .never && clock.rightFrom < observation.at {
            wrongClocks[observation.node]?[index].to = observation.at
        }
        for step in own.keys.sorted() where byStep[step]?.match(observation.fact) == true {
            let clock = WrongClock(step: step, from: observation.at, rightFrom: observation.at)
            wrongClocks[observation.node, default: []].append(clock)
        }
    }

    /// Who has set the clock by which something was refused; nil where it was refused for another reason, or a right clock would
    /// have refused it too.
    private func clockSetter(of observation: Observation) -> String? {
        let fact = observation.fact
        guard Code(rawValue: fact.text(.code) ?? "")?.isByClock == true else { return nil }
        let now = unixSeconds(at: observation.at)
        let (end, begin) = (fact.number(.notAfterSeconds) ?? .max, fact.number(.notBeforeSeconds) ?? .min)
        return now >= end || now < begin ? nil : wrongClock(of: observation.node, at: observation.at)?.step
    }

    /// Whether a device belonged to whoever the fleet was handed over to.
    func isHeirs(_ device: String, at instant: Instant = .never) -> Bool {
        ownership[device]?.last { $0.at <= instant }?.isHeirs ?? false
    }

    func wrongClock(of node: String, at instant: Instant) -> WrongClock? {
        wrongClocks[node]?.last { $0.from <= instant && instant <= $0.to }
    }

    /// What a right clock shows.
    func unixSeconds(at instant: Instant) -> Int64 { epochSeconds + instant.nanoseconds / 1_000_000_000 }

    /// Who has set the clock by which all connections were refused that something names.
    func clockSetter(behind fact: Fact) -> String? {
        let setters = Set((fact.text(.connection) ?? "").split(separator: " ").map { refusedByClock[String($0)] })
        return setters.count == 1 ? setters.first ?? nil : nil
    }

    /// Whether something bears a mark that exists once, and is not about a connection that another attack has an end of: what is
    /// refused there is that one.
    func bears(_ marks: Marks, _ fact: Fact, of step: String) -> Bool {
        marks.matchUnique(fact) { connection in
            let client = String(connection.prefix { $0 != ":" })
            let owners = [addressesOfAttackers[client], answeredByAttackers[String(connection)]].compactMap(\.self)
            return owners.isEmpty || owners.contains(step)
        }
    }

    func marks(of step: String) -> Marks { byStep[step] ?? Marks() }
    func marks(of step: String, on target: String) -> Marks { byTarget[step]?[target] ?? Marks() }

    /// Whether somebody of the fleet has refused something, and was not only left by a network, told so by an attacker, or
    /// unable to do otherwise.
    private func isRefusal(_ observation: Observation) -> Bool {
        let fact = observation.fact
        guard fleet.contains(observation.node) else { return false }
        switch fact.kind {
        case .refusal, .handshake, .exchange, .attestation, .updateCheck, .evidenceAppraised, .appStopped:
            guard let code = Code(rawValue: fact.text(.code) ?? ""), !code.isOfNetworks, !code.isIncapacity else { return false }
            let connection = fact.text(.connection) ?? ""
            if code.isOfDamage, spoilt.contains(connection) { return false }
            return !code.isToldByPeer || answeredByAttackers[connection] == nil
        case .bootFallback, .portClosed: return true
        default: return false
        }
    }
}

extension ObservationLog {
    /// The first index at which a predicate holds that holds from there on.
    func partitioningIndex(where holds: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

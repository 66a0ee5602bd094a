import Wire

/// What really happened in a run, as the journal has it from those who know: whose doing each connection, address, image and
/// nonce was, and which observations are refusals of somebody who was there to refuse.
struct GroundTruth {
    let journal: [Observation]
    /// Facts of each attack's own, by its step.
    private(set) var own: [String: [Observation]] = [:]
    /// What each attack has left its mark on, by its step.
    private(set) var traces: [String: [Observation]] = [:]
    /// Observations by which somebody of the fleet has refused something.
    private(set) var refusals: [Observation] = []
    /// Since when a device has had the time from an attack, by its step.
    private(set) var clocksSet: [String: [String: Instant]] = [:]
    private var byStep: [String: Marks] = [:]
    private var byTarget: [String: [String: Marks]] = [:]

    var end: Instant { journal.last?.at ?? .start }

    init(_ journal: [Observation]) {
        self.journal = journal
        for observation in journal {
            let fact = observation.fact
            if let step = fact.text(.instance) { take(observation, of: step) }
            if GroundTruth.isRefusal(fact) { refusals.append(observation) }
            takeClock(observation)
        }
    }

    private mutating func take(_ observation: Observation, of step: String) {
        let fact = observation.fact
        switch fact.kind {
        case .trace:
            traces[step, default: []].append(observation)
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

    /// A device that takes its time from an attack refuses others by it from then on: those connections are its doing too.
    private mutating func takeClock(_ observation: Observation) {
        let fact = observation.fact
        switch fact.kind {
        case .clockSet:
            for step in own.keys where byStep[step]?.match(fact) == true && clocksSet[step]?[observation.node] == nil {
                clocksSet[step, default: [:]][observation.node] = observation.at
            }
        case .handshake where fact.text(.code) == Code.certificateRefused.rawValue:
            for step in clocksSet.keys where clocksSet[step]?[observation.node] != nil { byStep[step, default: Marks()].take(fact) }
        default: break
        }
    }

    func marks(of step: String) -> Marks { byStep[step] ?? Marks() }
    func marks(of step: String, on target: String) -> Marks { byTarget[step]?[target] ?? Marks() }

    /// Whether a fact says that somebody has refused something, and was not only left by a network.
    private static func isRefusal(_ fact: Fact) -> Bool {
        let code = Code(rawValue: fact.text(.code) ?? "")
        switch fact.kind {
        case .refusal, .handshake, .exchange, .attestation, .updateCheck, .evidenceAppraised, .appStopped:
            return code.map { !$0.isOfNetworks && !$0.isIncapacity } ?? false
        case .bootFallback, .portClosed: return true
        default: return false
        }
    }
}

extension Array {
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

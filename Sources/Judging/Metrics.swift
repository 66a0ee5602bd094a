import Histogram
public import Wire

/// What a run measured: a pure function of its journal, so that old runs can be judged again (DESIGN §11).
public struct Metrics: Sendable, Equatable, Codable {
    public struct Latency: Sendable, Equatable, Codable {
        public var count: Int
        public var p50Nanoseconds: UInt64
        public var p90Nanoseconds: UInt64
        public var p99Nanoseconds: UInt64
        public var maxNanoseconds: UInt64
    }

    /// Handshakes of one kind, as the side that called saw them.
    public struct Handshakes: Sendable, Equatable, Codable {
        public var attempts = 0
        public var accepted = 0
        public var failuresByReason: [String: Int] = [:]
        public var latency: Latency?
    }

    public struct Room: Sendable, Equatable, Codable {
        public var maximumMillicelsius: Int64
        public var tooWarmSeconds: Int64
    }

    /// By pair and mode: `device-device mutual`, `device-service mutual`, `device-service one-sided`.
    public var handshakes: [String: Handshakes] = [:]
    /// What servers refused, by pair and reason.
    public var refusalsByServers: [String: [String: Int]] = [:]
    public var attestationsAccepted = 0
    public var attestationFailuresByReason: [String: Int] = [:]
    public var devicesAttested = 0
    public var certificatesIssued = 0
    /// Issued to a device that had been given some before.
    public var certificateRenewals = 0
    /// The greatest age that a certificate in use reached.
    public var oldestCertificateSeconds: Int64 = 0
    public var certificatesRestored = 0
    public var certificatesExpired = 0
    public var errorReports = 0
    public var bootFallbacks = 0
    public var bootFailures = 0
    /// Devices whose flash was filled anew in recovery mode, and attempts at that which failed.
    public var recoveries = 0
    public var recoveriesFailed = 0
    /// Share of exchanges (telemetry, reports, peer calls) that succeeded, by device, 0…1.
    public var availability: [String: Double] = [:]
    public var exchanges = 0
    public var exchangesAccepted = 0
    public var rooms: [String: Room] = [:]
    public var processesLost = 0
    public var framesRefused = 0
    public var effectsDropped: Int64 = 0
    /// What each device has used in all its lives; nil where the plan did not ask for it.
    public var use: [String: ResourceUse]?

    public init(_ journal: some Sequence<Observation>) { self.init(journal) { _ in false } }

    /// - Parameter isKeptOut: Exchanges that tell nothing of how well anybody is there.
    init(_ journal: some Sequence<Observation>, without isKeptOut: (Observation) -> Bool) {
        var end = Instant.start
        var histograms: [String: Histogram<UInt64>] = [:]
        var calls: [String: (all: Int, good: Int)] = [:]
        var attested: Set<String> = []
        var issuedAt: [String: Instant] = [:]
        for observation in journal {
            let fact = observation.fact
            end = observation.at
            switch fact.kind {
            case .handshake: add(handshake: fact, &histograms)
            case .exchange where !isKeptOut(observation):
                let good = fact.text(.result) == "accepted"
                calls[observation.node, default: (0, 0)].all += 1
                if good { calls[observation.node]?.good += 1 }
            case .attestation:
                if fact.text(.result) == "accepted" {
                    attestationsAccepted += 1
                    attested.insert(observation.node)
                } else {
                    attestationFailuresByReason[fact.text(.reason) ?? "", default: 0] += 1
                }
            case .certificateIssued:
                certificatesIssued += 1
                if let before = issuedAt.updateValue(observation.at, forKey: observation.node) {
                    certificateRenewals += 1
                    note(age: observation.at - before)
                }
            case .certificateRestored: certificatesRestored += 1
            case .certificateExpired: certificatesExpired += 1
            case .errorReported: errorReports += 1
            case .bootFallback: bootFallbacks += 1
            case .bootFailed: bootFailures += 1
            case .recovery:
                // A rescue shell that nobody uses recovers nothing.
                if fact.text(.result) == "complete" { recoveries += 1 }
                if fact.text(.result) == "failed" { recoveriesFailed += 1 }
            case .processLost: processesLost += 1
            case .frameRefused: framesRefused += 1
            case .runEnded: effectsDropped = fact.number(.count) ?? 0
            case .resourcesUsed:
                guard let used = ResourceUse(fact), let name = fact.text(.name) else { break }
                use = (use ?? [:]).merging([name: used], uniquingKeysWith: +)
            case .temperature: add(temperature: observation)
            default: break
            }
        }
        for instant in issuedAt.values { note(age: end - instant) }
        devicesAttested = attested.count
        exchanges = calls.values.reduce(0) { $0 + $1.all }
        exchangesAccepted = calls.values.reduce(0) { $0 + $1.good }
        availability = calls.mapValues { Double($0.good) / Double(max(1, $0.all)) }
        for (key, histogram) in histograms {
            handshakes[key]?.latency = Latency(
                count: Int(histogram.totalCount), p50Nanoseconds: histogram.valueAtPercentile(50),
                p90Nanoseconds: histogram.valueAtPercentile(90), p99Nanoseconds: histogram.valueAtPercentile(99),
                maxNanoseconds: histogram.max)
        }
    }

    private mutating func note(age: Duration) {
        oldestCertificateSeconds = max(oldestCertificateSeconds, min(age.components.seconds, 24 * 3600))
    }

    private mutating func add(handshake fact: Fact, _ histograms: inout [String: Histogram<UInt64>]) {
        // The update port is plain HTTP by design: nobody authenticates there.
        guard fact.number(.port) != Int64(ServicePort.updates) else { return }
        let pair = fact.text(.pair) ?? ""
        let accepted = fact.text(.result) == "accepted"
        guard fact.text(.role) == "client" else {
            if !accepted { refusalsByServers[pair, default: [:]][fact.text(.reason) ?? "", default: 0] += 1 }
            return
        }
        // Where no handshake ended, the port tells what was attempted.
        let isEnrolment = fact.number(.port) == Int64(ServicePort.enrolment)
        let mode = fact.text(.mode) ?? (isEnrolment ? "one-sided" : "mutual")
        let key = "\(pair) \(mode)"
        handshakes[key, default: Handshakes()].attempts += 1
        guard accepted else {
            handshakes[key]?.failuresByReason[fact.text(.reason) ?? "", default: 0] += 1
            return
        }
        handshakes[key]?.accepted += 1
        if let took = fact.number(.durationNanoseconds), took >= 0 {
            histograms[key, default: Histogram(numberOfSignificantValueDigits: .three)].record(UInt64(took))
        }
    }

    private mutating func add(temperature observation: Observation) {
        let value = observation.fact.number(.temperatureMillicelsius) ?? 0
        var room = rooms[observation.node] ?? Room(maximumMillicelsius: value, tooWarmSeconds: 0)
        room.maximumMillicelsius = max(room.maximumMillicelsius, value)
        room.tooWarmSeconds = observation.fact.number(.tooWarmSeconds) ?? 0
        rooms[observation.node] = room
    }
}

/// One typed, timed fact that a node reports. The journal is all of them in order.
public struct Observation: WireValue {
    public var at: Instant
    public var node: String
    public var sequence: UInt64
    public var fact: Fact

    public init(at: Instant, node: String, sequence: UInt64, fact: Fact) {
        self.at = at
        self.node = node
        self.sequence = sequence
        self.fact = fact
    }

    /// The order of the journal: time, source, source sequence. Never arrival.
    public static func inJournalOrder(_ a: Observation, _ b: Observation) -> Bool {
        if a.at != b.at { return a.at < b.at }
        if a.node != b.node { return a.node < b.node }
        return a.sequence < b.sequence
    }

    public func write(to writer: inout ByteWriter) {
        at.write(to: &writer)
        writer.string(node)
        writer.integer(sequence)
        fact.write(to: &writer)
    }

    public init(from reader: inout ByteReader) throws(WireError) {
        at = try Instant(from: &reader)
        node = try reader.string()
        sequence = try reader.integer()
        fact = try Fact(from: &reader)
    }
}

/// What happened, with its details in the order of their names.
public struct Fact: WireValue {
    public var kind: Kind
    public private(set) var details: [(key: Detail, value: Value)]

    public init(_ kind: Kind, _ details: [Detail: Value] = [:]) {
        self.kind = kind
        self.details = details.map { ($0.key, $0.value) }.sorted { $0.key.rawValue < $1.key.rawValue }
    }

    public subscript(_ key: Detail) -> Value? { details.first { $0.key == key }?.value }
    public func text(_ key: Detail) -> String? { if case .text(let text)? = self[key] { text } else { nil } }
    public func number(_ key: Detail) -> Int64? { if case .number(let n)? = self[key] { n } else { nil } }

    public static func == (a: Fact, b: Fact) -> Bool {
        a.kind == b.kind && a.details.elementsEqual(b.details) { $0.key == $1.key && $0.value == $1.value }
    }

    public enum Value: Equatable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
        case text(String)
        case number(Int64)
        public init(stringLiteral value: String) { self = .text(value) }
        public init(integerLiteral value: Int64) { self = .number(value) }
    }

    public func write(to writer: inout ByteWriter) {
        writer.string(kind.rawValue)
        writer.list(details) { writer, detail in
            writer.string(detail.key.rawValue)
            switch detail.value {
            case .text(let text):
                writer.integer(UInt8(0))
                writer.string(text)
            case .number(let number):
                writer.integer(UInt8(1))
                writer.integer(number)
            }
        }
    }

    public init(from reader: inout ByteReader) throws(WireError) {
        let name = try reader.string()
        guard let kind = Kind(rawValue: name) else { throw .malformed("unknown observation '\(name)'") }
        self.kind = kind
        details = try reader.list { (reader) throws(WireError) in
            let name = try reader.string()
            guard let key = Detail(rawValue: name) else { throw .malformed("unknown detail '\(name)'") }
            switch try reader.integer(UInt8.self) {
            case 0: return (key, .text(try reader.string()))
            case 1: return (key, .number(try reader.integer()))
            case let tag: throw .unknownKind(tag)
            }
        }
    }
}

extension Fact {
    /// The kinds of fact, by the part that reports them.
    public enum Kind: String, Sendable, CaseIterable {
        // The run and its processes
        case runStarted = "run-started"
        case runEnded = "run-ended"
        case processStarted = "process-started"
        case processKilled = "process-killed"
        case processLost = "process-lost"
        case frameRefused = "frame-refused"
        case gatewayOpen = "gateway-open"
        // Faults and attacks, as the injector knows them (the truth)
        case faultStarted = "fault-started"
        case faultEnded = "fault-ended"
        case attackStarted = "attack-started"
        case attackStep = "attack-step"
        case attackSucceeded = "attack-succeeded"
        case attackEnded = "attack-ended"
        /// What an attack or a fault has left its mark on: a connection, an address, an image, a nonce, a node.
        case trace
        /// What a life of a device has used, when it is over; only where the plan asks for it.
        case resourcesUsed = "resources-used"
        /// A running host has nobody at a port that was knocked at.
        case portClosed = "port-closed"
        // A device
        case bootStage = "boot-stage"
        case bootFallback = "boot-fallback"
        case bootFailed = "boot-failed"
        case bootConsole = "boot-console"
        case osReady = "os-ready"
        case appStarted = "app-started"
        case appStopped = "app-stopped"
        case appLog = "app-log"
        case attestation
        case certificateIssued = "certificate-issued"
        case certificateRestored = "certificate-restored"
        case certificateExpired = "certificate-expired"
        case refusal
        case temperature
        case attachment
        case debugPort = "debug-port"
        case restRequest = "rest-request"
        case sideload
        case powerLost = "power-lost"
        case rebooted
        case recovery
        case clockSet = "clock-set"
        case bootRepaired = "boot-repaired"
        // A device's updates
        case updateCheck = "update-check"
        case updateEvent = "update-event"
        case updateInstalled = "update-installed"
        case updateProven = "update-proven"
        case updateReverted = "update-reverted"
        // Anybody with a peer
        case handshake
        case exchange
        // The service
        case serviceStarted = "service-started"
        case deviceClaimed = "device-claimed"
        case deviceLockedOut = "device-locked-out"
        case deviceReadmitted = "device-readmitted"
        case deviceMoved = "device-moved"
        case evidenceAppraised = "evidence-appraised"
        case certificateSigned = "certificate-signed"
        case errorReported = "error-reported"
        case messageReceived = "message-received"
        case imageAdded = "image-added"
        case rolloutStarted = "rollout-started"
        case rolloutBatch = "rollout-batch"
        case rolloutHalted = "rollout-halted"
        case rolloutComplete = "rollout-complete"
        case rolloutSuperseded = "rollout-superseded"
        case rolloutWithdrawn = "rollout-withdrawn"
        case updateReported = "update-reported"
        case keysRotated = "keys-rotated"
        case authorityRenewed = "authority-renewed"
        /// A fleet has another owner: as the former one's service tells of it, and as the new one's does.
        case fleetHandedOver = "fleet-handed-over"
        case fleetTakenOver = "fleet-taken-over"
        case alert
    }

    /// The details a fact may have. Units stand in the names.
    public enum Detail: String, Sendable, CaseIterable {
        case address, app, attack, bytes, catalog, clock, component, count, device, fault, generation, image
        case instance, label, level, mode, name, network, operation, pair, path, peer, port, product, reason
        case result, role, seed, slot, stage, status, step, subject, target, text, topology, version, wanted
        case certificate, evidence, rule, technique, digest, code, connection, nonce
        /// What something was before: the group that a device leaves.
        case former
        /// Of evidence that is no PSA token.
        case mediaType = "media_type"
        /// The attacker's node that answers a connection.
        case answeredBy = "answered_by"
        case durationNanoseconds = "duration_ns"
        case temperatureMillicelsius = "temperature_mC"
        case dutyPercent = "duty_percent"
        case tooWarmSeconds = "too_warm_s"
        case notAfterSeconds = "not_after_s"
        case notBeforeSeconds = "not_before_s"
        case delayNanoseconds = "delay_ns"
        case cpuNanoseconds = "cpu_ns"
        case sentBytes = "sent_bytes"
        case receivedBytes = "received_bytes"
        case erasedSectors = "erased_sectors"
        case programmedBytes = "programmed_bytes"
        case mostErasures = "most_erasures"
        /// Unix seconds.
        case sinceSeconds = "since_s"
    }
}

extension String {
    /// As much of a digest in hex as the journal keeps: 64 bits.
    public var digestHead: String { String(prefix(16)) }
}

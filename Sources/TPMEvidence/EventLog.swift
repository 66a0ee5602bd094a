import SecureChannel

/// TCG event types (PC Client Platform Firmware Profile 1.05, section 10.4.1), as far as they are used here.
public enum EventType {
    public static let postCode: UInt32 = 0x01
    public static let noAction: UInt32 = 0x03
    public static let separator: UInt32 = 0x04
    public static let action: UInt32 = 0x05
    public static let eventTag: UInt32 = 0x06
    public static let crtmContents: UInt32 = 0x07
    public static let crtmVersion: UInt32 = 0x08
    public static let platformConfigFlags: UInt32 = 0x0A
    public static let compactHash: UInt32 = 0x0C
    public static let initialProgramLoader: UInt32 = 0x0D
    public static let initialProgramLoaderData: UInt32 = 0x0E
}

/// Why bytes are no event log.
public enum EventLogRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// It begins with something else than the header of a crypto-agile log.
    case header
    /// It ends within this event, counted from 0 behind the header.
    case short(event: Int)
    /// The event is about a register that there is not.
    case register(event: Int, UInt32)
    /// The event's digests are not those of the header's algorithms, each once.
    case digests(event: Int)
    /// There is no bank for SHA-256.
    case noSHA256

    public var description: String {
        switch self {
        case .header: "it does not begin with a Spec ID event"
        case .short(let event): "it ends within event \(event)"
        case .register(let event, let register): "event \(event) is about register \(register)"
        case .digests(let event): "event \(event) has other digests than the header says"
        case .noSHA256: "it has no SHA-256"
        }
    }
}

/// What was measured, in order: a log in the TCG's crypto-agile form (PC Client Platform Firmware Profile, section 10.2), as the
/// kernel's `binary_bios_measurements` is. Numbers are little-endian.
public struct EventLog: Hashable, Sendable {
    /// TCG_PCR_EVENT2, with the digest for the SHA-256 bank.
    public struct Event: Hashable, Sendable {
        public var register: Int
        public var type: UInt32
        /// What the register was extended with, 32 bytes.
        public var digest: [UInt8]
        public var data: [UInt8]

        public init(register: Int, type: UInt32, digest: [UInt8], data: [UInt8]) {
            (self.register, self.type, self.digest, self.data) = (register, type, digest, data)
        }
    }

    public var events: [Event]

    public init(_ events: [Event] = []) { self.events = events }

    // MARK: Writing

    private static let signature = Array("Spec ID Event03\0".utf8)

    /// With one bank, SHA-256.
    public var encoded: [UInt8] {
        var w = LittleEndian()
        // TCG_EfiSpecIDEvent: platform class client, version 2.0 errata 0, UINTN of 32 bits, one algorithm, no vendor's data.
        var specification = LittleEndian()
        specification.bytes += EventLog.signature
        specification.u32(0)
        specification.bytes += [0, 2, 0, 1]
        specification.u32(1)
        specification.u16(TPMAlgorithm.sha256)
        specification.u16(32)
        specification.bytes.append(0)
        // TCG_PCClientPCREvent: it extends nothing, and its digest is zero.
        w.u32(0)
        w.u32(EventType.noAction)
        w.bytes += [UInt8](repeating: 0, count: 20)
        w.u32(UInt32(specification.bytes.count))
        w.bytes += specification.bytes
        for event in events {
            w.u32(UInt32(truncatingIfNeeded: event.register))
            w.u32(event.type)
            w.u32(1)
            w.u16(TPMAlgorithm.sha256)
            w.bytes += event.digest.prefix(32) + [UInt8](repeating: 0, count: max(0, 32 - event.digest.count))
            w.u32(UInt32(event.data.count))
            w.bytes += event.data
        }
        return w.bytes
    }

    private struct LittleEndian {
        var bytes: [UInt8] = []
        mutating func u16(_ value: UInt16) { bytes += [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }
        mutating func u32(_ value: UInt32) {
            for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
    }

    // MARK: Reading

    /// Reads a log with any banks, of which SHA-256 is one.
    public init(_ bytes: [UInt8]) throws(EventLogRefusal) {
        var reader = Reader(rest: bytes[...])
        let algorithms = try reader.header()
        guard let sha256 = algorithms[TPMAlgorithm.sha256] else { throw .noSHA256 }
        guard sha256 == 32 else { throw .header }
        events = []
        while !reader.rest.isEmpty {
            let index = events.count
            guard let register = reader.u32(), let type = reader.u32(), let count = reader.u32() else { throw .short(event: index) }
            guard register < 24 else { throw .register(event: index, register) }
            guard count == UInt32(algorithms.count) else { throw .digests(event: index) }
            var digests: [UInt16: [UInt8]] = [:]
            for _ in 0..<count {
                guard let algorithm = reader.u16() else { throw .short(event: index) }
                guard let size = algorithms[algorithm], digests[algorithm] == nil else { throw .digests(event: index) }
                guard let digest = reader.take(size) else { throw .short(event: index) }
                digests[algorithm] = digest
            }
            guard let size = reader.u32(), let data = reader.take(Int(size)), let digest = digests[TPMAlgorithm.sha256] else {
                throw .short(event: index)
            }
            events.append(Event(register: Int(register), type: type, digest: digest, data: data))
        }
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func take(_ count: Int) -> [UInt8]? {
            guard count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }

        mutating func u16() -> UInt16? { take(2).map { UInt16($0[0]) | UInt16($0[1]) << 8 } }
        mutating func u32() -> UInt32? { take(4).map { $0.reversed().reduce(0) { $0 << 8 | UInt32($1) } } }

        /// The sizes of the digests, by algorithm.
        mutating func header() throws(EventLogRefusal) -> [UInt16: Int] {
            guard u32() == 0, u32() == EventType.noAction, take(20) == [UInt8](repeating: 0, count: 20), let size = u32(),
                let event = take(Int(size))
            else { throw .header }
            var inner = Reader(rest: event[...])
            guard inner.take(16) == EventLog.signature, inner.take(8) != nil, let count = inner.u32(), (1...16).contains(count) else {
                throw .header
            }
            var algorithms: [UInt16: Int] = [:]
            for _ in 0..<count {
                guard let algorithm = inner.u16(), let size = inner.u16(), algorithms[algorithm] == nil else { throw .header }
                algorithms[algorithm] = Int(size)
            }
            guard let vendor = inner.take(1), inner.rest.count == Int(vendor[0]) else { throw .header }
            return algorithms
        }
    }

    // MARK: Replay

    /// The registers as this log leaves them, from a reset on: what a quote beside it must agree with.
    public var values: PCRValues {
        var values = PCRValues.atReset
        for event in events {
            guard event.type == EventType.noAction else {
                values.extend(event.register, event.digest)
                continue
            }
            // Register 0 begins with the locality that the TPM was started from (section 10.4.5.3).
            let name = Array("StartupLocality\0".utf8)
            if event.register == 0, event.data.count == 17, event.data.starts(with: name) {
                values[0] = [UInt8](repeating: 0, count: 31) + [event.data[16]]
            }
        }
        return values
    }

    /// Events of types whose digest is of their data (section 10.4.1), where it is of something else: what the log tells is not
    /// what was measured. For other types the digest is of what was run, which the log does not hold.
    public var falseEvents: [Int] {
        let types: Set = [
            EventType.separator, EventType.action, EventType.crtmVersion, EventType.platformConfigFlags, EventType.eventTag,
        ]
        return events.indices.filter { types.contains(events[$0].type) && events[$0].digest != sha256(events[$0].data) }
    }
}

/// CBOR (RFC 8949) with items of definite length, written in the deterministic encoding of section 4.2.
public indirect enum CBOR: Equatable, Sendable {
    case integer(Int64)
    /// An integer beyond `Int64`: this value, or if it is negative, -1 less it.
    case wide(UInt64, isNegative: Bool)
    case bytes([UInt8])
    case text(String)
    case array([CBOR])
    case map([(key: CBOR, value: CBOR)])
    case tagged(UInt64, CBOR)
    case bool(Bool)
    case null
    /// Another simple value (section 3.3).
    case simple(UInt8)
    /// A floating-point number as it stands there: 2, 4 or 8 bytes, big-endian.
    case float([UInt8])

    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case truncated, unsupported(UInt8), notShortest, tooDeep, trailingBytes, duplicateKey, badText

        public var description: String {
            switch self {
            case .truncated: "it ends too early"
            case .unsupported(let head): "an item begins with \(head)"
            case .notShortest: "a number is longer than it must be"
            case .tooDeep: "items lie too deep in each other"
            case .trailingBytes: "something follows it"
            case .duplicateKey: "a key stands there twice"
            case .badText: "a text is not UTF-8"
            }
        }
    }

    public static func == (a: CBOR, b: CBOR) -> Bool { a.encoded() == b.encoded() }

    public subscript(key: Int64) -> CBOR? {
        guard case .map(let entries) = self else { return nil }
        return entries.first { $0.key == .integer(key) }?.value
    }
    public var asBytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    public var asText: String? { if case .text(let text) = self { text } else { nil } }
    public var asInteger: Int64? { if case .integer(let integer) = self { integer } else { nil } }
    public var asArray: [CBOR]? { if case .array(let array) = self { array } else { nil } }

    public func encoded() -> [UInt8] {
        switch self {
        case .integer(let n): n >= 0 ? CBOR.head(0, UInt64(n)) : CBOR.head(1, UInt64(-(n + 1)))
        case .wide(let value, let isNegative): CBOR.head(isNegative ? 1 : 0, value)
        case .bytes(let bytes): CBOR.head(2, UInt64(bytes.count)) + bytes
        case .text(let text): CBOR.head(3, UInt64(text.utf8.count)) + Array(text.utf8)
        case .array(let items): CBOR.head(4, UInt64(items.count)) + items.flatMap { $0.encoded() }
        case .map(let entries):
            CBOR.head(5, UInt64(entries.count))
                + entries.map { ($0.key.encoded(), $0.value.encoded()) }
                .sorted { $0.0.lexicographicallyPrecedes($1.0) }.flatMap { $0.0 + $0.1 }
        case .tagged(let tag, let item): CBOR.head(6, tag) + item.encoded()
        case .bool(let bool): [bool ? 0xF5 : 0xF4]
        case .null: [0xF6]
        case .simple(let value): value < 24 ? [0xE0 | value] : [0xF8, value]
        case .float(let bytes): [bytes.count == 2 ? 0xF9 : bytes.count == 4 ? 0xFA : 0xFB] + bytes
        }
    }

    /// - Parameter takesVariations: Whether numbers may be longer than they must be (section 4.1's opposite). Nothing of
    ///   indefinite length is taken either way.
    public init(_ bytes: [UInt8], takesVariations: Bool = false) throws(Failure) {
        var reader = Reader(bytes: bytes, takesVariations: takesVariations)
        self = try reader.item(depth: 0)
        guard reader.position == bytes.count else { throw .trailingBytes }
    }

    private static func head(_ major: UInt8, _ value: UInt64) -> [UInt8] {
        let top = major << 5
        switch value {
        case 0..<24: return [top | UInt8(value)]
        case 24...0xFF: return [top | 24, UInt8(value)]
        case 0x100...0xFFFF: return [top | 25] + UInt16(value).littleEndianBytes.reversed()
        case 0x1_0000...0xFFFF_FFFF: return [top | 26] + UInt32(value).littleEndianBytes.reversed()
        default: return [top | 27] + value.littleEndianBytes.reversed()
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        let takesVariations: Bool
        var position = 0

        mutating func take(_ count: UInt64) throws(Failure) -> ArraySlice<UInt8> {
            guard count <= UInt64(bytes.count - position) else { throw .truncated }
            defer { position += Int(count) }
            return bytes[position..<position + Int(count)]
        }

        mutating func argument(_ low: UInt8) throws(Failure) -> UInt64 {
            guard low >= 24 else { return UInt64(low) }
            guard low <= 27 else { throw .unsupported(low) }
            let width = 1 << (low - 24)
            let value = try take(UInt64(width)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let least: UInt64 = [24, 0x100, 0x1_0000, 0x1_0000_0000][Int(low - 24)]
            guard value >= least || takesVariations else { throw .notShortest }
            return value
        }

        mutating func item(depth: Int) throws(Failure) -> CBOR {
            guard depth < 16 else { throw .tooDeep }
            let first = try take(1).first ?? 0
            let low = first & 31
            if first >> 5 == 7 {
                switch low {
                case 20, 21: return .bool(low == 21)
                case 22: return .null
                case 0..<20, 23: return .simple(low)
                case 24:
                    // Section 3.3: below 32, a simple value has one form only.
                    guard let value = try take(1).first, value >= 32 else { throw .unsupported(first) }
                    return .simple(value)
                case 25...27: return .float(Array(try take(1 << UInt64(low - 24))))
                default: throw .unsupported(first)
                }
            }
            let value = try argument(low)
            switch first >> 5 {
            case 0, 1:
                guard value <= UInt64(Int64.max) else { return .wide(value, isNegative: first >> 5 == 1) }
                return .integer(first >> 5 == 0 ? Int64(value) : -1 - Int64(value))
            case 2: return .bytes(Array(try take(value)))
            case 3:
                guard let text = String(validating: try take(value), as: UTF8.self) else { throw .badText }
                return .text(text)
            case 4:
                guard value <= UInt64(bytes.count - position) else { throw .truncated }
                var items: [CBOR] = []
                for _ in 0..<value { items.append(try item(depth: depth + 1)) }
                return .array(items)
            case 5:
                guard value <= UInt64(bytes.count - position) else { throw .truncated }
                var entries: [(key: CBOR, value: CBOR)] = []
                var seen: Set<[UInt8]> = []
                for _ in 0..<value {
                    let key = try item(depth: depth + 1)
                    guard seen.insert(key.encoded()).inserted else { throw .duplicateKey }
                    entries.append((key, try item(depth: depth + 1)))
                }
                return .map(entries)
            default: return .tagged(value, try item(depth: depth + 1))
            }
        }
    }
}

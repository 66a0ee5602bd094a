import FoundationEssentials
import SecureChannel

/// JSON (RFC 8259) with nothing thrown away, so that fields that nobody here knows still count when a signature
/// is checked (TUF 1.0.34 section 4).
public indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public subscript(key: String) -> JSONValue? { if case .object(let fields) = self { fields[key] } else { nil } }
    public var asString: String? { if case .string(let text) = self { text } else { nil } }
    public var asInteger: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var asBool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    public var asArray: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var asObject: [String: JSONValue]? { if case .object(let fields) = self { fields } else { nil } }

    /// Nil for bytes that are no JSON, and for numbers with a fraction, which canonical JSON does not have.
    public init?(bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    /// Canonical JSON (OLPC; securesystemslib's reading of it): keys in the order of their code points, no white
    /// space, only `"` and `\` escaped. What signatures are over.
    public var canonical: [UInt8] { canonical(escapesControls: false) }

    /// What the same value may be signed as: OLPC's form, and the one that is JSON (RFC 8259 section 7) too, as Uptane's
    /// repositories write it. They differ where a string has control characters, as a PEM has; no two values have a form in
    /// common, since OLPC's never has a letter after a backslash, nor the other a control character.
    var canonicalForms: [[UInt8]] {
        let olpc = canonical
        return olpc.contains { $0 < 0x20 } ? [olpc, canonical(escapesControls: true)] : [olpc]
    }

    private func canonical(escapesControls: Bool) -> [UInt8] {
        switch self {
        case .null: Array("null".utf8)
        case .bool(let bool): Array((bool ? "true" : "false").utf8)
        case .integer(let number): Array(String(number).utf8)
        case .string(let text): JSONValue.quoted(text, escapesControls)
        case .array(let items): [0x5B] + items.map { $0.canonical(escapesControls: escapesControls) }.joined(separator: [0x2C]) + [0x5D]
        case .object(let fields):
            [0x7B]
                + fields.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { JSONValue.quoted($0.key, escapesControls) + [0x3A] + $0.value.canonical(escapesControls: escapesControls) }
                .joined(separator: [0x2C]) + [0x7D]
        }
    }

    private static func quoted(_ text: String, _ escapesControls: Bool) -> [UInt8] {
        var bytes: [UInt8] = [0x22]
        for byte in text.utf8 {
            if escapesControls && byte < 0x20 {
                bytes += escapes[byte] ?? Array("\\u00\([byte].hex)".utf8)
                continue
            }
            if byte == 0x22 || byte == 0x5C { bytes.append(0x5C) }
            bytes.append(byte)
        }
        return bytes + [0x22]
    }

    private static let escapes: [UInt8: [UInt8]] = [
        0x08: Array("\\b".utf8), 0x09: Array("\\t".utf8), 0x0A: Array("\\n".utf8), 0x0C: Array("\\f".utf8), 0x0D: Array("\\r".utf8),
    ]
}

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let fields = try? container.decode([String: JSONValue].self) {
            self = .object(fields)
        } else if let items = try? container.decode([JSONValue].self) {
            self = .array(items)
        } else if let bool = try? container.decode(Bool.self) {
            self = .bool(bool)
        } else {
            self = .integer(try container.decode(Int64.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let items): try container.encode(items)
        case .object(let fields): try container.encode(fields)
        }
    }
}

/// JSON (RFC 8259) with nothing thrown away: for formats of which each field has a refusal of its own, and for those in which
/// fields that nobody here knows still count when a signature is checked.
public indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// What is no integer of 64 bits.
    case fraction(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public subscript(key: String) -> JSONValue? { if case .object(let fields) = self { fields[key] } else { nil } }
    public var asString: String? { if case .string(let text) = self { text } else { nil } }
    public var asInteger: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var asBool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    public var asArray: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    public var asObject: [String: JSONValue]? { if case .object(let fields) = self { fields } else { nil } }

    /// An array of strings; nil if it is none.
    var strings: [String]? {
        guard let items = asArray else { return nil }
        let strings = items.compactMap(\.asString)
        return strings.count == items.count ? strings : nil
    }
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
        } else if let number = try? container.decode(Int64.self) {
            self = .integer(number)
        } else {
            self = .fraction(try container.decode(Double.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let bool): try container.encode(bool)
        case .integer(let number): try container.encode(number)
        case .fraction(let fraction): try container.encode(fraction)
        case .string(let text): try container.encode(text)
        case .array(let items): try container.encode(items)
        case .object(let fields): try container.encode(fields)
        }
    }
}

public import Formats
import FoundationEssentials
import SecureChannel

extension JSONValue {
    /// Nil for bytes that are no JSON, and for numbers with a fraction, which canonical JSON does not have.
    public init?(bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)), value.isCanonical else { return nil }
        self = value
    }

    private var isCanonical: Bool {
        switch self {
        case .null, .bool, .integer, .string: true
        case .fraction: false
        case .array(let items): items.allSatisfy(\.isCanonical)
        case .object(let fields): fields.values.allSatisfy(\.isCanonical)
        }
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
        case .fraction(let number): Array("\(number)".utf8)  // none comes from `init(bytes:)`
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

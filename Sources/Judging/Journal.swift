public import Wire

/// The journal as lines of JSON (NDJSON): one observation each, keys in order, times in nanoseconds; before them a header.
public enum Journal {
    /// The first line: which form the others have.
    public static let header = "{\"at_ns\":0,\"node\":\"orrery\",\"kind\":\"journal\",\"schema\":\(Schema.journal)}"

    public static func line(_ observation: Observation) -> String {
        var text = "{\"at_ns\":\(observation.at.nanoseconds),\"node\":\(quoted(observation.node))"
        text += ",\"kind\":\"\(observation.fact.kind.rawValue)\""
        for (key, value) in observation.fact.details {
            switch value {
            case .text(let string): text += ",\"\(key.rawValue)\":\(quoted(string))"
            case .number(let number): text += ",\"\(key.rawValue)\":\(number)"
            }
        }
        return text + "}"
    }

    /// A JSON string (RFC 8259 section 7).
    private static func quoted(_ string: String) -> String {
        var out = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

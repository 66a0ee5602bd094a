import FoundationEssentials

/// RFC 4648 section 4.
public enum Base64 {
    public static func encode(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// Folded or not: EST clients differ.
    public static func decode(_ text: [UInt8]) -> [UInt8]? {
        Data(base64Encoded: Data(text), options: .ignoreUnknownCharacters).map(Array.init)
    }

    /// Folded at 900 characters: strongSwan refuses 64 and 76, libest lines above 1,024 (standards, EST).
    public static func folded(_ bytes: [UInt8]) -> [UInt8] {
        let text = Array(encode(bytes).utf8)
        return Array(
            stride(from: 0, to: text.count, by: 900).map { text[$0..<min($0 + 900, text.count)] }
                .joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
    }
}

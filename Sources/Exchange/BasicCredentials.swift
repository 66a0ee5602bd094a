public import Wire

/// HTTP Basic credentials (RFC 7617).
extension Base64 {
    public static func basic(user: String, password: String) -> String {
        "Basic " + encode(Array("\(user):\(password)".utf8))
    }

    /// The name of the scheme in any case (RFC 9110 section 11.1).
    public static func parseBasic(_ header: String?) -> (user: String, password: String)? {
        guard let words = header?.split(separator: " "), words.count == 2, words[0].lowercased() == "basic",
            let bytes = decode(Array(words[1].utf8))
        else { return nil }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1).map(String.init)
        return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
}

/// What may be a name: a label of a host's name (RFC 1123 section 2.1), a folder, a part of a certificate and of a URI at once.
enum NameGrammar {
    static let longest = 63
    /// Names that the testbed gives itself, or that mean something where names are used.
    static let reserved: Set = [
        "all", "authority", "bench", "coordinator", "factory", "internal", "latest", "localhost", "network", "operator", "orrery",
        "outside", "plan", "releases", "resolver", "service", "successor", "threat", "unknown",
    ]

    /// Why a text is no name; nil if it is one.
    static func mistake(in text: String) -> String? {
        let isGood =
            text.first.map { $0.isASCII && $0.isLetter } ?? false
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") } && text.utf8.count <= longest
        guard isGood else {
            let shown = text.unicodeScalars.count > longest ? text.unicodeScalars.prefix(longest).map(String.init).joined() + "…" : text
            return "'\(shown)' is no name: a letter, then letters, digits and '-', at most \(longest) characters"
        }
        return reserved.contains(text.lowercased()) ? "'\(text)' is a name that the testbed uses itself" : nil
    }

    /// What an attacker's copies of a device are called.
    static let copies = ["-clone", "-double"]
}

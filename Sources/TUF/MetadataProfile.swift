import FoundationEssentials
import SecureChannel

/// Whose rules metadata follows, and in which shapes it may come.
///
/// Uptane (2.1.0 section 5.2) leaves the encoding open. What its public repositories and test vectors have in common is TUF's
/// JSON of 2017: `_type` with a capital letter and no `spec_version`; keys without `scheme`; signatures in base64 or hex, with a
/// `method` beside them; signatures and hashes of metadata over a canonical form (see `JSONValue.canonicalForms`).
public enum MetadataProfile: Equatable, Sendable {
    /// TUF 1.0.34 to the letter.
    case tuf
    /// Uptane's image repository: all four roles, and delegations.
    case uptaneImages
    /// Uptane's director. Public ones serve root and targets only; they may, if their root names neither a timestamp nor a
    /// snapshot role: what its own keys have signed, nobody on the way can bring about.
    case uptaneDirector

    var isUptane: Bool { self != .tuf }

    /// A signature that is not in hexadecimal digits.
    func signature(_ text: String) -> [UInt8]? { isUptane ? Data(base64Encoded: text).map(Array.init) : nil }

    /// As what a key may sign. The signature's `method` is not asked: it is not signed, and what counts is what verifies.
    func kinds(type: String, scheme: String?) -> [(type: String, scheme: String)] {
        guard isUptane else { return [(type, scheme ?? "")] }
        let name = type.lowercased()
        let family = name == "ecprime256v1" ? "ecdsa" : name
        if let scheme { return [(family, scheme.lowercased())] }
        switch family {
        case "ed25519": return [("ed25519", "ed25519")]
        case "ecdsa", "ecdsa-sha2-nistp256": return [("ecdsa", "ecdsa-sha2-nistp256")]
        case "rsa": return [("rsa", "rsassa-pss-sha256"), ("rsa", "rsassa-pss-sha512")]
        default: return []
        }
    }

    static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

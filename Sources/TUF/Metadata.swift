public import Formats
import FoundationEssentials
import SecureChannel

/// A signed file before anybody has looked at its signatures.
struct Envelope {
    let signed: JSONValue
    let signatures: [(key: String, signature: [UInt8])]
    private let profile: MetadataProfile
    /// What the signatures are over, each in one of these forms.
    var messages: [[UInt8]] { profile.isUptane ? signed.canonicalForms : [signed.canonical] }

    init(_ bytes: [UInt8], role: String, type: String, profile: MetadataProfile) throws(TUFRefusal) {
        guard let file = JSONValue(bytes: bytes), let signed = file["signed"], let list = file["signatures"]?.asArray else {
            throw .malformed(role: role, "not a signed JSON object")
        }
        let stated = signed["_type"]?.asString
        guard (profile.isUptane ? stated?.lowercased() : stated) == type else { throw .wrongType(role: role) }
        if !profile.isUptane || signed["spec_version"] != nil {
            guard let version = signed["spec_version"]?.asString, version.hasPrefix("1.") else {
                throw .malformed(role: role, "spec_version is not 1")
            }
        }
        var signatures: [(String, [UInt8])] = []
        var seen: Set<String> = []
        for item in list {
            guard let key = item["keyid"]?.asString, let text = item["sig"]?.asString else {
                throw .malformed(role: role, "a signature without key or value")
            }
            guard seen.insert(key).inserted else { throw .repeatedSignature(role: role) }
            signatures.append((key, [UInt8](hex: text) ?? profile.signature(text) ?? []))
        }
        self.signed = signed
        self.signatures = signatures
        self.profile = profile
    }
}

/// The fields that all roles have.
public struct MetadataHead: Equatable, Sendable {
    public let version: Int64
    /// Unix seconds.
    public let expires: Int64

    init(_ signed: JSONValue, role: String) throws(TUFRefusal) {
        guard let version = signed["version"]?.asInteger, version > 0 else { throw .malformed(role: role, "version") }
        guard let text = signed["expires"]?.asString, let expires = TUFTime.unixSeconds(text) else {
            throw .malformed(role: role, "expires")
        }
        self.version = version
        self.expires = expires
    }

    /// Of a file that is one's own: nobody looks at its signatures.
    public init(ownFile bytes: [UInt8]) throws(TUFRefusal) {
        guard let signed = JSONValue(bytes: bytes)?["signed"] else { throw .malformed(role: "root", "not a signed JSON object") }
        try self.init(signed, role: "root")
    }
}

/// ISO 8601 in UTC with seconds, as TUF writes it: `2030-01-31T12:00:00Z`.
public enum TUFTime {
    public static func unixSeconds(_ text: String) -> Int64? {
        guard text.utf8.count == 20, text.hasSuffix("Z") else { return nil }
        // A day that no month has (RFC 3339 section 5.7) is another when it is written again.
        return (try? Date(text, strategy: .iso8601)).map { Int64($0.timeIntervalSince1970) }.flatMap { self.text($0) == text ? $0 : nil }
    }

    public static func text(_ unixSeconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(unixSeconds)).formatted(.iso8601)
    }
}

/// Whose signatures a role needs, and how many.
public struct RoleKeys: Equatable, Sendable {
    public let keys: [String]
    public let threshold: Int

    /// - Parameters:
    ///   - role: The one whose keys they are.
    ///   - delegator: The one in whose file they are named.
    init(_ value: JSONValue?, of role: String, delegator: String) throws(TUFRefusal) {
        guard let list = value?["keyids"]?.asArray, let threshold = value?["threshold"]?.asInteger
        else { throw .malformed(role: delegator, "keys or threshold of \(role)") }
        guard (1...1024).contains(threshold) else { throw .illegalThreshold(role: role, delegator: delegator) }
        keys = list.compactMap(\.asString)
        guard keys.count == list.count, Set(keys).count == keys.count else { throw .malformed(role: delegator, "keyids") }
        self.threshold = Int(threshold)
    }
}

/// The public keys of a root or a delegation, by key ID.
struct KeyRing {
    /// More than one where the scheme is not stated: it is the signer's choice.
    private let keys: [String: [VerificationKey]]

    init(_ value: JSONValue?, role: String, profile: MetadataProfile) throws(TUFRefusal) {
        guard let fields = value?.asObject else { throw .malformed(role: role, "keys") }
        var keys: [String: [VerificationKey]] = [:]
        for (id, field) in fields {
            let scheme = field["scheme"]?.asString
            guard let type = field["keytype"]?.asString, let text = field["keyval"]?["public"]?.asString, scheme != nil || profile.isUptane
            else { throw .malformed(role: role, "a key without type, scheme or value") }
            // A key of a kind that we do not know signs nothing for us, but does no harm.
            keys[id] = profile.kinds(type: type, scheme: scheme).compactMap { kind in
                VerificationKey(type: kind.type, scheme: kind.scheme, text: profile.isUptane ? MetadataProfile.trimmed(text) : text)
            }
        }
        self.keys = keys
    }

    /// How many different keys of the role have signed.
    func count(_ envelope: Envelope, _ role: RoleKeys) -> Int {
        let messages = envelope.messages
        var signers: Set<[UInt8]> = []
        for (id, signature) in envelope.signatures where role.keys.contains(id) {
            let signer = keys[id]?.first { key in messages.contains { key.isValid(signature: signature, message: $0) } }
            if let signer { signers.insert(signer.encoded) }
        }
        return signers.count
    }

    /// What a key ID stands for, so that a key under another ID is the same; keys of unknown kinds are their IDs.
    func identity(of id: String) -> [UInt8] { keys[id]?.first?.encoded ?? Array(id.utf8) }

    func check(_ envelope: Envelope, _ role: RoleKeys, name: String) throws(TUFRefusal) {
        let valid = count(envelope, role)
        guard valid >= role.threshold else { throw .signatures(role: name, valid: valid, threshold: role.threshold) }
    }
}

public struct RootMetadata {
    public static let roles = ["root", "timestamp", "snapshot", "targets"]
    public let head: MetadataHead
    public let isConsistentSnapshot: Bool
    let keys: KeyRing
    let roles: [String: RoleKeys]
    /// Only a director may do without (see `MetadataProfile.uptaneDirector`), and only as its root says.
    var hasSnapshot: Bool { roles["snapshot"] != nil }

    init(_ signed: JSONValue, profile: MetadataProfile) throws(TUFRefusal) {
        head = try MetadataHead(signed, role: "root")
        isConsistentSnapshot = signed["consistent_snapshot"]?.asBool ?? false
        keys = try KeyRing(signed["keys"], role: "root", profile: profile)
        let listed = signed["roles"]
        let isShort = profile == .uptaneDirector && listed?["timestamp"] == nil && listed?["snapshot"] == nil
        var roles: [String: RoleKeys] = [:]
        for name in isShort ? ["root", "targets"] : RootMetadata.roles {
            roles[name] = try RoleKeys(listed?[name], of: name, delegator: "root")
        }
        self.roles = roles
    }

    func keys(of role: String) throws(TUFRefusal) -> RoleKeys {
        guard let found = roles[role] else { throw .malformed(role: "root", "no role \(role)") }
        return found
    }

    /// Whether a key that signed for a role under this root may do so no more under the next.
    func loses(keyOf role: String, to next: RootMetadata) -> Bool {
        func identities(_ root: RootMetadata) -> Set<[UInt8]> { Set((root.roles[role]?.keys ?? []).map(root.keys.identity)) }
        return !identities(self).isSubset(of: identities(next))
    }
}

/// What one role says of another's file.
public struct MetaFile: Equatable, Sendable {
    public let version: Int64
    public let length: Int?
    public let hashes: [String: [UInt8]]?

    init(_ value: JSONValue?, role: String) throws(TUFRefusal) {
        guard let version = value?["version"]?.asInteger, version > 0 else { throw .malformed(role: role, "meta") }
        self.version = version
        length = try MetaFile.length(value?["length"], role: role)
        hashes = try MetaFile.hashes(value?["hashes"], role: role)
    }

    static func length(_ value: JSONValue?, role: String) throws(TUFRefusal) -> Int? {
        guard let value else { return nil }
        guard let length = value.asInteger, length >= 0 else { throw .malformed(role: role, "length") }
        return Int(length)
    }

    static func hashes(_ value: JSONValue?, role: String) throws(TUFRefusal) -> [String: [UInt8]]? {
        guard let value else { return nil }
        guard let fields = value.asObject, !fields.isEmpty else { throw .malformed(role: role, "hashes") }
        var hashes: [String: [UInt8]] = [:]
        for (name, field) in fields {
            guard let digest = field.asString.flatMap([UInt8].init(hex:)) else { throw .malformed(role: role, "hashes") }
            hashes[name] = digest
        }
        return hashes
    }

    func check(_ bytes: [UInt8], file: String, profile: MetadataProfile) throws(TUFRefusal) {
        do throws(TUFRefusal) {
            try check(bytes, lengths: [bytes.count], file: file)
        } catch {
            // Uptane's repositories state hashes, and some the length, of the canonical form of what they serve with white space.
            guard profile.isUptane, let value = JSONValue(bytes: bytes) else { throw error }
            let isRight = value.canonicalForms.contains { form in
                (try? check(form, lengths: [form.count, bytes.count], file: file)) != nil
            }
            guard isRight else { throw error }
        }
    }

    private func check(_ bytes: [UInt8], lengths: [Int], file: String) throws(TUFRefusal) {
        if let length, !lengths.contains(length) { throw .length(file: file, limitBytes: length) }
        if let hashes { try TargetFile.check(hashes, bytes, file: file) }
    }
}

public struct TimestampMetadata: Sendable {
    public let head: MetadataHead
    public let snapshot: MetaFile

    init(_ signed: JSONValue) throws(TUFRefusal) {
        head = try MetadataHead(signed, role: "timestamp")
        snapshot = try MetaFile(signed["meta"]?["snapshot.json"], role: "timestamp")
    }
}

public struct SnapshotMetadata: Sendable {
    public let head: MetadataHead
    /// By file name without version, such as `targets.json`.
    public let meta: [String: MetaFile]

    init(_ signed: JSONValue) throws(TUFRefusal) {
        head = try MetadataHead(signed, role: "snapshot")
        guard let fields = signed["meta"]?.asObject else { throw .malformed(role: "snapshot", "meta") }
        var meta: [String: MetaFile] = [:]
        for (name, value) in fields { meta[name] = try MetaFile(value, role: "snapshot") }
        self.meta = meta
    }
}

/// What a targets role says of a file.
public struct TargetFile: Equatable, Sendable {
    public let length: Int
    public let hashes: [String: [UInt8]]
    public let custom: JSONValue?

    init(_ value: JSONValue, role: String) throws(TUFRefusal) {
        guard let length = try MetaFile.length(value["length"], role: role),
            let hashes = try MetaFile.hashes(value["hashes"], role: role)
        else { throw .malformed(role: role, "a target without length or hashes") }
        self.length = length
        self.hashes = hashes
        custom = value["custom"]
    }

    public var sha256: [UInt8]? { hashes["sha256"] }

    public func check(_ bytes: [UInt8], file: String) throws(TUFRefusal) {
        guard bytes.count == length else { throw .length(file: file, limitBytes: length) }
        try TargetFile.check(hashes, bytes, file: file)
    }

    /// Every hash that is stated must be one that we can compute, and right.
    static func check(_ hashes: [String: [UInt8]], _ bytes: [UInt8], file: String) throws(TUFRefusal) {
        for (name, digest) in hashes {
            guard SecureChannel.digest(name, bytes) == digest else { throw .hash(file: file) }
        }
    }
}

public struct TargetsMetadata {
    struct Delegation {
        var name: String
        var keys: RoleKeys
        var isTerminating: Bool
        var paths: [String]
        var hashPrefixes: [String]

        /// TUF 1.0.34 section 4.5: a pattern of shell wildcards that do not cross `/`, or prefixes of the path's
        /// SHA-256.
        func covers(_ path: String) -> Bool {
            if !hashPrefixes.isEmpty {
                let hash = SecureChannel.sha256(Array(path.utf8)).hex
                return hashPrefixes.contains { hash.hasPrefix($0) }
            }
            return paths.contains { Glob.matches($0, path) }
        }
    }

    public let head: MetadataHead
    public let targets: [String: TargetFile]
    let keys: KeyRing?
    let delegations: [Delegation]

    init(_ signed: JSONValue, role: String, profile: MetadataProfile) throws(TUFRefusal) {
        head = try MetadataHead(signed, role: role)
        guard let fields = signed["targets"]?.asObject else { throw .malformed(role: role, "targets") }
        var targets: [String: TargetFile] = [:]
        for (name, value) in fields { targets[name] = try TargetFile(value, role: role) }
        self.targets = targets
        guard let section = signed["delegations"], !(profile.isUptane && section == .null) else {
            (keys, delegations) = (nil, [])
            return
        }
        keys = try KeyRing(section["keys"], role: role, profile: profile)
        var delegations: [Delegation] = []
        for item in section["roles"]?.asArray ?? [] {
            guard let name = item["name"]?.asString, !name.isEmpty, !RootMetadata.roles.contains(name) else {
                throw .malformed(role: role, "a delegation without a name of its own")
            }
            let paths = item["paths"]?.asArray?.compactMap(\.asString)
            let prefixes = item["path_hash_prefixes"]?.asArray?.compactMap(\.asString)
            guard (paths == nil) != (prefixes == nil) else { throw .malformed(role: role, "a delegation needs paths or prefixes") }
            delegations.append(
                Delegation(
                    name: name, keys: try RoleKeys(item, of: name, delegator: role), isTerminating: item["terminating"]?.asBool ?? false,
                    paths: paths ?? [], hashPrefixes: prefixes ?? []))
        }
        self.delegations = delegations
    }
}

/// Shell wildcards: `*` and `?` within one part of a path.
enum Glob {
    static func matches(_ pattern: String, _ path: String) -> Bool {
        let patterns = pattern.split(separator: "/", omittingEmptySubsequences: false)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return patterns.count == parts.count && zip(patterns, parts).allSatisfy { part(Array($0), Array($1)) }
    }

    /// Goes back to the last star where the rest does not fit: linear in practice, quadratic at worst.
    private static func part(_ pattern: [Character], _ text: [Character]) -> Bool {
        var (p, t, star, mark) = (0, 0, -1, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t], pattern[p] != "*" {
                (p, t) = (p + 1, t + 1)
            } else if p < pattern.count, pattern[p] == "*" {
                (star, mark, p) = (p, t, p + 1)
            } else if star >= 0 {
                (p, mark, t) = (star + 1, mark + 1, mark + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}

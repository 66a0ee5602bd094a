public import Formats
import FoundationEssentials
public import SecureChannel

/// A key that signs metadata, with the ID that metadata calls it by.
public struct TUFSigningKey {
    public let key: any SigningKey
    public let id: String
    let value: JSONValue

    public init(_ key: any SigningKey) {
        self.key = key
        value = TUFSigningKey.value(key.publicKey)
        id = sha256(value.canonical).hex
    }

    static func value(_ key: P256PublicKey) -> JSONValue {
        .object([
            "keytype": .string("ecdsa"), "scheme": .string("ecdsa-sha2-nistp256"),
            "keyval": .object(["public": .string(key.pem)]),
        ])
    }
}

/// The repository's side: metadata of each role, and signatures under it.
public enum TUFDocument {
    /// Whose signatures a role needs.
    public struct Role {
        public var keys: [P256PublicKey]
        public var threshold: Int
        public init(keys: [P256PublicKey], threshold: Int) {
            self.keys = keys
            self.threshold = threshold
        }
    }

    /// A file and what is to be said of it.
    public struct Target: Equatable, Sendable {
        public var length: Int
        public var sha256: [UInt8]
        public var custom: [String: JSONValue]
        public init(length: Int, sha256: [UInt8], custom: [String: JSONValue] = [:]) {
            self.length = length
            self.sha256 = sha256
            self.custom = custom
        }
    }

    private static func head(_ type: String, _ version: Int64, _ expires: Int64, _ more: [String: JSONValue]) -> JSONValue {
        let head: [String: JSONValue] = [
            "_type": .string(type), "spec_version": .string("1.0.34"), "version": .integer(version),
            "expires": .string(TUFTime.text(expires)),
        ]
        return .object(head.merging(more) { _, new in new })
    }

    /// - Parameter expires: Unix seconds.
    public static func root(version: Int64, expires: Int64, roles: [String: Role]) -> JSONValue {
        var keys: [String: JSONValue] = [:]
        var entries: [String: JSONValue] = [:]
        for (name, role) in roles {
            let ids = role.keys.map { key in
                let value = TUFSigningKey.value(key)
                let id = sha256(value.canonical).hex
                keys[id] = value
                return JSONValue.string(id)
            }
            entries[name] = .object(["keyids": .array(ids), "threshold": .integer(Int64(role.threshold))])
        }
        return head(
            "root", version, expires,
            ["consistent_snapshot": .bool(true), "keys": .object(keys), "roles": .object(entries)])
    }

    public static func timestamp(version: Int64, expires: Int64, snapshotVersion: Int64, snapshot: [UInt8]) -> JSONValue {
        let meta = JSONValue.object([
            "version": .integer(snapshotVersion), "length": .integer(Int64(snapshot.count)),
            "hashes": .object(["sha256": .string(sha256(snapshot).hex)]),
        ])
        return head("timestamp", version, expires, ["meta": .object(["snapshot.json": meta])])
    }

    public static func snapshot(version: Int64, expires: Int64, targetsVersion: Int64, targets: [UInt8]) -> JSONValue {
        let meta = JSONValue.object([
            "version": .integer(targetsVersion), "length": .integer(Int64(targets.count)),
            "hashes": .object(["sha256": .string(sha256(targets).hex)]),
        ])
        return head("snapshot", version, expires, ["meta": .object(["targets.json": meta])])
    }

    public static func targets(version: Int64, expires: Int64, targets: [String: Target]) -> JSONValue {
        let files = targets.mapValues { target in
            var fields: [String: JSONValue] = [
                "length": .integer(Int64(target.length)), "hashes": .object(["sha256": .string(target.sha256.hex)]),
            ]
            if !target.custom.isEmpty { fields["custom"] = .object(target.custom) }
            return JSONValue.object(fields)
        }
        return head("targets", version, expires, ["targets": .object(files)])
    }

    /// The file of a role: the document, and a signature by each key.
    public static func file(_ document: JSONValue, signedBy keys: [TUFSigningKey]) -> [UInt8] {
        let digest = sha256(document.canonical)
        let signatures = keys.map { key in
            JSONValue.object(["keyid": .string(key.id), "sig": .string(derSignature(key.key.sign(digest: digest)).hex)])
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = JSONValue.object(["signatures": .array(signatures), "signed": document])
        return (try? encoder.encode(file)).map(Array.init) ?? []
    }
}

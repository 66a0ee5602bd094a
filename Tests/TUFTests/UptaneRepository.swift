import Formats
import Foundation
import SecureChannel

@testable import TUF

/// A repository in the shapes of the public Uptane vectors: roles with capital letters and no `spec_version`, keys without
/// scheme under the hash of their text, signatures in base64, JSON with white space and hashes of it without.
struct UptaneRepository {
    typealias Fields = [String: JSONValue]

    let isDirector: Bool
    var keys: [String: [P256PrivateKey]] = [:]
    /// Other than the role's keys.
    var signers: [String: [P256PrivateKey]] = [:]
    var versions: [String: Int64] = [:]
    var targets: Fields = [:]
    /// Targets of delegated roles.
    var delegated: [String: Fields] = [:]
    /// Unix seconds; 5000 unless it is here.
    var expires: [String: Int64] = [:]
    /// What is done to a role before it is signed.
    var edits: [String: @Sendable (inout Fields) -> Void] = [:]
    /// Files that are not served, and what is served in place of the right ones.
    var replaced: [String: [UInt8]?] = [:]

    init(isDirector: Bool) {
        self.isDirector = isDirector
        for role in roles + ["vendor"] { keys[role] = [P256PrivateKey()] }
    }

    private var roles: [String] { isDirector ? ["root", "targets"] : RootMetadata.roles }

    static func id(_ key: P256PrivateKey) -> String { sha256(JSONValue.string(key.publicKey.pem).canonical).hex }

    private static func ring(_ keys: [P256PrivateKey]) -> JSONValue {
        .object(
            Dictionary(
                keys.map { key in
                    let value: Fields = ["keytype": .string("ecdsa"), "keyval": .object(["public": .string(key.publicKey.pem + "\n")])]
                    return (id(key), .object(value))
                }, uniquingKeysWith: { first, _ in first }))
    }

    private func role(_ name: String) -> Fields {
        let keys = keys[name] ?? []
        return ["keyids": .array(keys.map { .string(Self.id($0)) }), "threshold": .integer(Int64(keys.count))]
    }

    /// The delegation of all targets to a role.
    func delegation(to name: String) -> JSONValue {
        let fields = role(name).merging(["name": .string(name), "paths": .array([.string("*")])]) { old, _ in old }
        return .object(["keys": Self.ring(keys[name] ?? []), "roles": .array([.object(fields)])])
    }

    private func file(_ name: String, type: String, _ fields: Fields) -> [UInt8] {
        let signed = signed(name, type: type, fields)
        let messages = signed.canonicalForms
        let signatures = (signers[name] ?? keys[name] ?? []).map { key in
            JSONValue.object([
                "keyid": .string(Self.id(key)), "method": .string("ecdsa"),
                "sig": .string(Data(derSignature(key.sign(digest: sha256(messages.last ?? [])))).base64EncodedString()),
            ])
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return (try? encoder.encode(JSONValue.object(["signatures": .array(signatures), "signed": signed]))).map(Array.init) ?? []
    }

    private func signed(_ name: String, type: String, _ more: Fields) -> JSONValue {
        var fields = more
        fields["_type"] = .string(type)
        fields["version"] = .integer(versions[name] ?? 1)
        fields["expires"] = .string(TUFTime.text(expires[name] ?? 5000))
        edits[name]?(&fields)
        return .object(fields)
    }

    private static func meta(_ file: [UInt8], version: Int64, isHashed: Bool) -> JSONValue {
        var fields: Fields = ["version": .integer(version)]
        if isHashed, let canonical = JSONValue(bytes: file)?.canonicalForms.last {
            fields["length"] = .integer(Int64(file.count))
            fields["hashes"] = .object(["sha256": .string(sha256(canonical).hex)])
        }
        return .object(fields)
    }

    var root: [UInt8] {
        let entries = roles.map { ($0, JSONValue.object(role($0))) }
        let fields: Fields = [
            "consistent_snapshot": .bool(false), "keys": Self.ring(roles.flatMap { keys[$0] ?? [] }),
            "roles": .object(Dictionary(uniqueKeysWithValues: entries)),
        ]
        return file("root", type: "Root", fields)
    }

    /// What is served besides a first root.
    var files: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        let targets = file("targets", type: "Targets", ["targets": .object(targets)])
        files["targets.json"] = targets
        if !isDirector {
            var named = ["targets.json": Self.meta(targets, version: versions["targets"] ?? 1, isHashed: true)]
            for (name, targets) in delegated {
                let file = file(name, type: "Targets", ["targets": .object(targets)])
                files["delegations/\(name).json"] = file
                named["\(name).json"] = Self.meta(file, version: versions[name] ?? 1, isHashed: false)
            }
            let snapshot = file("snapshot", type: "Snapshot", ["meta": .object(named)])
            files["snapshot.json"] = snapshot
            let meta = Self.meta(snapshot, version: versions["snapshot"] ?? 1, isHashed: true)
            files["timestamp.json"] = file("timestamp", type: "Timestamp", ["meta": .object(["snapshot.json": meta])])
        }
        for (name, bytes) in replaced { files[name] = bytes }
        return files
    }
}

/// Both repositories, with one image for one ECU, and a device that asks them.
struct UptanePair {
    static let content = Array("wat wat wat".utf8)
    static let target = "file.txt"
    static let ecu = UptaneClient.ECU(id: "ecu-1", hardware: "hw-1")
    /// The director's custom fields of an image for it.
    static let forUs = ["ecuIdentifiers": custom(ecu)]

    var director = UptaneRepository(isDirector: true)
    var images = UptaneRepository(isDirector: false)
    var ecus = [ecu]
    var counters: [String: Int64] = [:]
    /// What the device starts from; nil: the roots as they are.
    var trusted: (director: [String: [UInt8]], images: [String: [UInt8]])?

    init() {
        director.targets = [Self.target: Self.described(Self.forUs)]
        images.targets = [Self.target: Self.described(["hardwareIds": .array([.string("hw-0"), .string("hw-1")])])]
    }

    static func custom(_ ecus: UptaneClient.ECU...) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: ecus.map { ($0.id, .object(["hardwareId": .string($0.hardware)])) }))
    }

    static func described(_ custom: [String: JSONValue], _ content: [UInt8] = content, length: Int? = nil) -> JSONValue {
        let hashes: [String: JSONValue] = [
            "sha256": .string(sha256(content).hex), "sha512": .string((digest("sha512", content) ?? []).hex),
        ]
        return .object([
            "length": .integer(Int64(length ?? content.count)), "hashes": .object(hashes), "custom": .object(custom),
        ])
    }

    enum End: Equatable {
        case done([String])
        case refused(UptaneRefusal)
    }

    struct Run {
        var end: End
        var installs: [UptaneClient.Install] = []
        var trusted: (director: [String: [UInt8]], images: [String: [UInt8]])
        var asked: [String] = []
    }

    func run(now: Int64 = 0) -> Run {
        let start = trusted ?? (["root.json": director.root], ["root.json": images.root])
        var run = Run(end: .done([]), trusted: start)
        do throws(UptaneRefusal) {
            var client = try UptaneClient(ecus: ecus, director: start.director, images: start.images, counters: counters)
            let served: [UptaneRefusal.Repository: [String: [UInt8]]] = [.director: director.files, .images: images.files]
            var step = client.begin(now: now)
            while true {
                let changes = client.takeChanges()
                for (name, bytes) in changes.director { run.trusted.director[name] = bytes }
                for (name, bytes) in changes.images { run.trusted.images[name] = bytes }
                switch step {
                case .fetch(let repository, let path, let limit):
                    run.asked.append("\(repository.rawValue)/\(path)")
                    let bytes = served[repository]?[path]
                    guard (bytes?.count ?? 0) <= limit else {
                        throw client.failed(.metadata(.length(file: path, limitBytes: limit)))
                    }
                    step = client.received(bytes, now: now)
                case .done(let installs):
                    run.installs = installs
                    run.end = .done(installs.map(\.target))
                    for install in installs { try install.check(Self.content) }
                    return run
                case .refused(let refusal): throw refusal
                }
            }
        } catch {
            run.end = .refused(error)
        }
        return run
    }
}

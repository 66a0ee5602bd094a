import Formats
import SecureChannel
import Testing

@testable import TUF

/// A repository of one target, with two keys for its targets role.
struct Repository {
    let keys: [String: [TUFSigningKey]] = [
        "root": [.init(P256PrivateKey())], "timestamp": [.init(P256PrivateKey())], "snapshot": [.init(P256PrivateKey())],
        "targets": [.init(P256PrivateKey()), .init(P256PrivateKey())],
    ]
    var versions: [String: Int64] = ["timestamp": 1, "snapshot": 1, "targets": 1]
    var expires: [String: Int64] = ["timestamp": 1000, "snapshot": 2000, "targets": 3000]
    var targets = ["a": TUFDocument.Target(length: 1, sha256: sha256([7]))]
    var signers: [TUFSigningKey]?

    var root: [UInt8] {
        let roles = keys.mapValues { TUFDocument.Role(keys: $0.map(\.key.publicKey), threshold: $0.count) }
        return TUFDocument.file(TUFDocument.root(version: 1, expires: 9000, roles: roles), signedBy: keys["root"]!)
    }

    var files: [String: [UInt8]] {
        func sign(_ role: String, _ document: JSONValue) -> [UInt8] { TUFDocument.file(document, signedBy: keys[role]!) }
        let targets = TUFDocument.file(
            TUFDocument.targets(version: versions["targets"]!, expires: expires["targets"]!, targets: targets),
            signedBy: signers ?? keys["targets"]!)
        let snapshot = sign(
            "snapshot",
            TUFDocument.snapshot(
                version: versions["snapshot"]!, expires: expires["snapshot"]!, targetsVersion: versions["targets"]!, targets: targets))
        let timestamp = sign(
            "timestamp",
            TUFDocument.timestamp(
                version: versions["timestamp"]!, expires: expires["timestamp"]!, snapshotVersion: versions["snapshot"]!,
                snapshot: snapshot))
        return [
            "timestamp.json": timestamp, "\(versions["snapshot"]!).snapshot.json": snapshot,
            "\(versions["targets"]!).targets.json": targets,
        ]
    }

    /// How a refresh with these files ends, and what was asked for.
    func refresh(
        _ trusted: [String: [UInt8]]? = nil, files: [String: [UInt8]]? = nil, rules: TrustedMetadata.Rules = .init(), now: Int64 = 0
    ) throws -> (end: TUFClient.Step, client: TUFClient, asked: [String]) {
        let served = files ?? self.files
        var client = try TUFClient(files: trusted ?? ["root.json": root], rules: rules)
        var asked: [String] = []
        func follow(_ first: TUFClient.Step) -> TUFClient.Step {
            var step = first
            while case .fetch(let path, let limit) = step {
                asked.append(path)
                let bytes = served[path]
                step = (bytes?.count ?? 0) > limit ? .refused(.length(file: path, limitBytes: limit)) : client.received(bytes, now: now)
            }
            return step
        }
        var step = follow(client.begin())
        if step == .done { step = follow(client.find("a", now: now)) }
        return (step, client, asked)
    }
}

/// Each rule, and what becomes of it when its control is off. (That python-tuf agrees is a test of the real executable.)
@Suite struct TUFTests {
    @Test func whatIsRightIsTrusted() throws {
        let (end, client, _) = try Repository().refresh()
        #expect(end == .done)
        #expect(client.found?.sha256 == sha256([7]))
        #expect(client.files.keys.sorted() == ["root.json", "snapshot.json", "targets.json", "timestamp.json"])
        #expect(client.location(of: "dir/x y", client.found!) == "dir/\(sha256([7]).hex).x%20y")
    }

    @Test func oneOfTwoKeysIsNotEnough() throws {
        var repository = Repository()
        repository.signers = [repository.keys["targets"]![0]]
        #expect(try repository.refresh().end == .refused(.signatures(role: "targets", valid: 1, threshold: 2)))
        #expect(try repository.refresh(rules: .init(signatures: false)).end == .done)
    }

    @Test func whatHasExpiredIsRefused() throws {
        let repository = Repository()
        #expect(try repository.refresh(now: 1000).end == .refused(.expired(role: "timestamp", at: 1000)))
        #expect(try repository.refresh(rules: .init(freshness: false), now: 1000).end == .done)
        // What was trusted before does not make it fresh.
        let trusted = try repository.refresh().client.files
        #expect(try repository.refresh(trusted, now: 1000).end == .refused(.expired(role: "timestamp", at: 1000)))
    }

    /// What has expired at hand has expired at the repository too, which names the same version: one refusal, no second try.
    @Test func aRefusalIsNotAnsweredByAskingAgain() throws {
        var repository = Repository()
        repository.expires = ["timestamp": 9000, "snapshot": 9000, "targets": 3000]
        let trusted = try repository.refresh().client.files
        let later = try repository.refresh(trusted, now: 5000)
        #expect(later.end == .refused(.expired(role: "targets", at: 3000)))
        #expect(later.asked == ["2.root.json", "timestamp.json"])
        // Nor does a target that nobody names send the client round again.
        repository.targets = [:]
        repository.versions = ["timestamp": 2, "snapshot": 2, "targets": 2]
        let nameless = try repository.refresh(trusted)
        #expect(nameless.end == .refused(.unknownTarget("a")))
        #expect(try repository.refresh(nameless.client.files).asked == ["2.root.json", "timestamp.json"])
    }

    @Test func versionsNeverFall() throws {
        var repository = Repository()
        let old = repository.files
        repository.versions = ["timestamp": 3, "snapshot": 2, "targets": 2]
        let trusted = try repository.refresh().client.files
        #expect(try repository.refresh(trusted, files: old).end == .refused(.rollback(role: "timestamp", offered: 1, trusted: 3)))
        #expect(try repository.refresh(trusted, files: old, rules: .init(versions: false)).end == .done)
    }

    /// A timestamp and snapshot of today with the targets of yesterday.
    @Test func whatDoesNotBelongTogetherIsRefused() throws {
        var repository = Repository()
        let old = repository.files["1.targets.json"]!
        repository.versions = ["timestamp": 2, "snapshot": 2, "targets": 2]
        var mixed = repository.files
        mixed["2.targets.json"] = old
        guard case .refused(let refusal) = try repository.refresh(files: mixed).end else {
            Issue.record("mixed metadata was accepted")
            return
        }
        // Signatures differ in length by a byte now and then, and then it is the length that gives it away.
        #expect(["hash", "length"].contains(refusal.kind))
        #expect(try repository.refresh(files: mixed, rules: .init(freshness: false)).end == .done)
    }

    /// Any file with a byte changed, cut short or grown is refused or is the same; nothing traps.
    @Test func garbageIsRefused() throws {
        let repository = Repository()
        let trusted = ["root.json": repository.root]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            var files = repository.files
            let name = files.keys.sorted().randomElement(using: &random)!
            var bytes = files[name]!
            switch UInt8.random(in: 0..<3, using: &random) {
            case 0: bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            case 1: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
            default: bytes += [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: 100)
            }
            files[name] = bytes
            let (end, client, _) = try repository.refresh(trusted, files: files)
            if case .done = end { #expect(client.found?.sha256 == sha256([7])) }
        }
        #expect(throws: TUFRefusal.self) { try TUFClient(files: [:]) }
        #expect(throws: TUFRefusal.self) { try TUFClient(files: ["root.json": Array(#"{"signed":[],"signatures":{}}"#.utf8)]) }
    }

    @Test func canonicalJSONIsAsSecuresystemslibWritesIt() throws {
        let value = try #require(JSONValue(bytes: Array(#"{"b":[1,true,null],"a":"q\"\\\né","A":{}}"#.utf8)))
        #expect(String(decoding: value.canonical, as: UTF8.self) == "{\"A\":{},\"a\":\"q\\\"\\\\\né\",\"b\":[1,true,null]}")
        #expect(JSONValue(bytes: Array("1.5".utf8)) == nil)
    }

    @Test(arguments: [
        ("*.bin", "a.bin", true), ("*.bin", "a/b.bin", false), ("img/*", "img/", true), ("a?c*d", "abcxxd", true),
        ("a?c*d", "abcxx", false),
        ("*", "", true), ("**a", "bba", true), ("", "x", false),
    ]) func wildcards(pattern: String, path: String, matches: Bool) { #expect(Glob.matches(pattern, path) == matches) }
}

import Formats
import SecureChannel
import Testing

@testable import TUF

/// One thing that is wrong, and how it must be refused (Uptane 2.1.0; kinds and names as the public vectors have them).
struct UptaneFault: CustomTestStringConvertible, Sendable {
    let name: String
    let repository: UptaneRefusal.Repository
    let code: String
    let clause: String
    let make: @Sendable (inout UptanePair) -> Void
    var testDescription: String { name }

    init(
        _ name: String, _ repository: UptaneRefusal.Repository, _ code: String, _ clause: String,
        _ make: @escaping @Sendable (inout UptanePair) -> Void
    ) {
        self.name = name
        self.repository = repository
        self.code = code
        self.clause = clause
        self.make = make
    }

    /// The same for each role of each repository.
    private static func each(
        _ name: String, _ code: String, _ clauses: [String: String],
        _ make: @escaping @Sendable (inout UptaneRepository, _ role: String) -> Void
    ) -> [UptaneFault] {
        let places = [(UptaneRefusal.Repository.director, ["root", "targets"]), (.images, RootMetadata.roles)]
        return places.flatMap { repository, roles in
            roles.map { role in
                UptaneFault("\(repository) \(role) \(name)", repository, code, clauses[role] ?? "") { pair in
                    if repository == .director { make(&pair.director, role) } else { make(&pair.images, role) }
                }
            }
        }
    }

    private static func clauses(_ root: String, _ timestamp: String, _ snapshot: String, _ targets: String) -> [String: String] {
        ["root": root, "timestamp": timestamp, "snapshot": snapshot, "targets": targets]
    }

    private static let signatures = clauses("5.4.4.3 step 2.3", "5.4.4.4 step 2", "5.4.4.5 step 3", "5.4.4.6 step 3")

    static let ofRoles: [UptaneFault] =
        each("expired", "expired", clauses("5.4.4.3 step 3", "5.4.4.4 step 4", "5.4.4.5 step 7", "5.4.4.6 step 5")) {
            $0.expires[$1] = 0
        }
        + each("unsigned", "unmet-threshold", signatures) { $0.signers[$1] = [] }
        + each("signed by a stranger", "unmet-threshold", signatures) { $0.signers[$1] = [P256PrivateKey()] }
        + each("with an unmet threshold", "unmet-threshold", signatures) { repository, role in
            repository.signers[role] = repository.keys[role]
            repository.keys[role]?.append(P256PrivateKey())
        }
        + each("signed twice by one key", "repeated-signature", signatures) { repository, role in
            repository.signers[role] = (repository.keys[role] ?? []) + (repository.keys[role] ?? [])
        }
        + each("of another type", "wrong-type", clauses("5.2.2", "5.2.5", "5.2.4", "5.2.3")) { repository, role in
            repository.edits[role] = { $0["_type"] = .string("invalidrole") }
        }
        + each("with a threshold of zero", "illegal-threshold", clauses("5.2.2", "5.2.2", "5.2.2", "5.2.2")) { repository, role in
            repository.edits["root"] = { root in
                guard var roles = root["roles"]?.asObject, var entry = roles[role]?.asObject else { return }
                entry["threshold"] = .integer(0)
                roles[role] = .object(entry)
                root["roles"] = .object(roles)
            }
        }
        + each("with a key under a wrong name", "unmet-threshold", signatures) { repository, role in
            let id = UptaneRepository.id(repository.keys[role]![0])
            repository.edits["root"] = { root in
                guard var keys = root["keys"]?.asObject, let key = keys.removeValue(forKey: id) else { return }
                keys["00" + id.dropFirst(2)] = key
                root["keys"] = .object(keys)
            }
        }

    static let ofTargets: [UptaneFault] = [
        .init("length differs at the director", .images, "target-mismatch", "5.4.4.2 step 10.2.1") {
            $0.director.targets[UptanePair.target] = UptanePair.described(UptanePair.forUs, length: 10)
        },
        .init("hashes differ at the image repository", .images, "target-mismatch", "5.4.4.2 step 10.2.1") {
            $0.images.targets[UptanePair.target] = UptanePair.described(["hardwareId": .string("hw-1")], Array("wat wat wut".utf8))
        },
        .init("both say it is shorter", .images, "image-length", "5.4.2.4") {
            $0.director.targets[UptanePair.target] = UptanePair.described(UptanePair.forUs, length: 10)
            $0.images.targets[UptanePair.target] = UptanePair.described(["hardwareId": .string("hw-1")], length: 10)
        },
        .init("both have other hashes", .images, "image-hash", "5.4.2.4") {
            let other = Array("wat wat wut".utf8)
            $0.director.targets[UptanePair.target] = UptanePair.described(UptanePair.forUs, other)
            $0.images.targets[UptanePair.target] = UptanePair.described(["hardwareId": .string("hw-1")], other)
        },
        .init("no such target at the image repository", .images, "unknown-target", "5.4.4.2 step 10.1") { $0.images.targets = [:] },
        .init("other hardware by the director", .director, "hardware", "5.4.3.4 step 3") {
            $0.director.targets[UptanePair.target] = UptanePair.described([
                "ecuIdentifiers": UptanePair.custom(.init(id: "ecu-1", hardware: "hw-9"))
            ])
        },
        .init("other hardware by the image repository", .images, "hardware", "5.4.4.2 step 10.2.2") {
            $0.images.targets[UptanePair.target] = UptanePair.described(["hardwareIds": .array([.string("hw-9")])])
        },
        .init("no hardware by the image repository", .images, "hardware", "5.4.4.2 step 10.2.2") {
            $0.images.targets[UptanePair.target] = UptanePair.described([:])
        },
        .init("another device's ECU", .director, "unknown-ecu", "5.4.4.6 step 8") {
            $0.director.targets["other"] = UptanePair.described([
                "ecuIdentifiers": UptanePair.custom(.init(id: "ecu-9", hardware: "hw-1"))
            ])
        },
        .init("no ECU", .director, "no-ecu", "5.2.3.1") { $0.director.targets[UptanePair.target] = UptanePair.described([:]) },
        .init("two targets for one ECU", .director, "repeated-ecu", "5.4.4.6 step 7") {
            $0.director.targets["alt.txt"] = $0.director.targets[UptanePair.target]
        },
        .init("a director that delegates", .director, "director-delegation", "5.4.4.6 step 6") { pair in
            let delegation = pair.director.delegation(to: "vendor")
            pair.director.edits["targets"] = { $0["delegations"] = delegation }
        },
        .init("a release counter that falls", .images, "release-counter", "5.4.4.2 step 10.2.3") {
            $0.counters = ["ecu-1": 8]
            $0.count(director: 7, images: 7)
        },
        .init("a release counter that is gone", .images, "release-counter", "5.4.4.2 step 10.2.3") { $0.counters = ["ecu-1": 8] },
        .init("a release counter that only the director has", .images, "release-counter-mismatch", "5.4.4.2 step 10.2.2") {
            $0.count(director: 9, images: nil)
        },
        .init("release counters that differ", .images, "release-counter-mismatch", "5.4.4.2 step 10.2.2") {
            $0.count(director: 9, images: 7)
        },
    ]

    static let ofFiles: [UptaneFault] = [
        .init("director without targets", .director, "missing", "5.4.4.6 step 1") { $0.director.replaced["targets.json"] = .some(nil) },
        .init("image repository without timestamp", .images, "missing", "5.4.4.4 step 1") {
            $0.images.replaced["timestamp.json"] = .some(nil)
        },
        .init("image repository without snapshot", .images, "missing", "5.4.4.5 step 1") {
            $0.images.replaced["snapshot.json"] = .some(nil)
        },
        .init("image repository without targets", .images, "missing", "5.4.4.6 step 1") { $0.images.replaced["targets.json"] = .some(nil) },
        .init("targets of another version than the snapshot names", .images, "version-mismatch", "5.4.4.6 step 2") { pair in
            pair.images.edits["snapshot"] = { $0["meta"] = .object(["targets.json": .object(["version": .integer(2)])]) }
        },
        .init("another snapshot than the timestamp names", .images, "hash", "5.4.4.5 step 2") { pair in
            var other = pair.images
            other.expires["snapshot"] = 6000
            pair.images.replaced["snapshot.json"] = other.files["snapshot.json"]
            // Signatures differ in length now and then.
            pair.images.edits["timestamp"] = { timestamp in
                guard var meta = timestamp["meta"]?["snapshot.json"]?.asObject else { return }
                meta["length"] = nil
                timestamp["meta"] = .object(["snapshot.json": .object(meta)])
            }
        },
        .init("director's targets too large", .director, "length", "5.4.4.6 step 1") {
            $0.director.replaced["targets.json"] = [UInt8](repeating: 0x20, count: 6_000_000)
        },
        .init("image repository's targets too large", .images, "length", "5.4.4.6 step 1") {
            $0.images.replaced["targets.json"] = [UInt8](repeating: 0x20, count: 6_000_000)
        },
        .init("a root that does not parse", .images, "malformed", "5.2.2") { $0.images.replaced["2.root.json"] = Array("{".utf8) },
    ]

    static let ofDelegations: [UptaneFault] = [
        .init("unsigned", .images, "unmet-threshold", "5.4.4.6 step 3") { $0.images.signers["vendor"] = [] },
        .init("expired", .images, "expired", "5.4.4.6 step 5") { $0.images.expires["vendor"] = 0 },
        .init("not there", .images, "missing", "5.4.4.6 step 1") { $0.images.replaced["delegations/vendor.json"] = .some(nil) },
        .init("without the target", .images, "unknown-target", "5.4.4.2 step 10.1") { $0.images.delegated["vendor"] = [:] },
        .init("signed twice by one key", .images, "repeated-signature", "5.4.4.6 step 3") { pair in
            pair.images.signers["vendor"] = (pair.images.keys["vendor"] ?? []) + (pair.images.keys["vendor"] ?? [])
        },
        .init("not named by the snapshot", .images, "missing", "5.4.4.6 step 1") { pair in
            pair.images.edits["snapshot"] = { $0["meta"] = .object(["targets.json": .object(["version": .integer(1)])]) }
        },
        .init("newer at the snapshot", .images, "version-mismatch", "5.4.4.6 step 2") { pair in
            pair.images.edits["snapshot"] = { snapshot in
                let named = ["targets.json": 1, "vendor.json": 2].mapValues { JSONValue.object(["version": .integer($0)]) }
                snapshot["meta"] = .object(named)
            }
        },
        .init("for other paths", .images, "unknown-target", "5.4.4.2 step 10.1") { $0.delegate { $0["paths"] = .array([.string("no")]) } },
        .init("with a threshold of zero", .images, "illegal-threshold", "5.2.3.2") { $0.delegate { $0["threshold"] = .integer(0) } },
        .init("with an unmet threshold", .images, "unmet-threshold", "5.4.4.6 step 3") { $0.delegate { $0["threshold"] = .integer(2) } },
        .init("with a key that is not there", .images, "unmet-threshold", "5.4.4.6 step 3") {
            $0.delegate { $0["keyids"] = .array([.string("00")]) }
        },
    ]
}

extension UptanePair {
    mutating func count(director: Int64?, images: Int64?) {
        func fields(_ counter: Int64?) -> [String: JSONValue] { counter.map { ["releaseCounter": .integer($0)] } ?? [:] }
        self.director.targets[Self.target] = Self.described(fields(director).merging(["ecuIdentifiers": Self.custom(Self.ecu)]) { $1 })
        self.images.targets[Self.target] = Self.described(fields(images).merging(["hardwareIds": .array([.string("hw-1")])]) { $1 })
    }

    /// The image repository leaves its target to `vendor`, which is changed so.
    mutating func delegate(_ change: @escaping @Sendable (inout [String: JSONValue]) -> Void = { _ in }) {
        if images.delegated.isEmpty { (images.delegated, images.targets) = (["vendor": images.targets], [:]) }
        let section = images.delegation(to: "vendor")
        images.edits["targets"] = { targets in
            guard var fields = section.asObject, var role = fields["roles"]?.asArray?.first?.asObject else { return }
            change(&role)
            fields["roles"] = .array([.object(role)])
            targets["delegations"] = .object(fields)
        }
    }
}

/// Full verification as a primary does it, against repositories in the shapes of the public vectors.
@Suite struct UptaneTests {
    private func expect(_ fault: UptaneFault, _ pair: UptanePair, now: Int64 = 1) {
        guard case .refused(let refusal) = pair.run(now: now).end else {
            Issue.record("\(fault.name) was accepted")
            return
        }
        #expect((refusal.repository, refusal.code, refusal.clause) == (fault.repository, fault.code, fault.clause), "\(refusal)")
    }

    @Test func whatBothNameIsInstalled() throws {
        let run = UptanePair().run(now: 1)
        #expect(run.end == .done(["file.txt"]))
        let install = try #require(run.installs.first)
        #expect(install.ecus == [UptanePair.ecu] && install.location == "file.txt" && install.length == 11)
        #expect(run.trusted.director.keys.sorted() == ["root.json", "targets.json"])
        #expect(run.trusted.images.keys.sorted() == ["root.json", "snapshot.json", "targets.json", "timestamp.json"])
        let asked = ["director/2.root.json", "director/targets.json"]
        #expect(run.asked == asked + ["2.root.json", "timestamp.json", "snapshot.json", "targets.json"].map { "image_repo/\($0)" })
    }

    @Test(arguments: UptaneFault.ofRoles + UptaneFault.ofTargets + UptaneFault.ofFiles)
    func eachFaultIsRefusedByItsClause(_ fault: UptaneFault) {
        var pair = UptanePair()
        fault.make(&pair)
        expect(fault, pair)
    }

    @Test(arguments: UptaneFault.ofDelegations) func soIsEachOfADelegation(_ fault: UptaneFault) {
        var pair = UptanePair()
        pair.delegate()
        fault.make(&pair)
        expect(fault, pair)
    }

    @Test func delegatedTargetsAreInstalled() {
        var pair = UptanePair()
        pair.delegate()
        let run = pair.run(now: 1)
        #expect(run.end == .done(["file.txt"]))
        // First where TUF has it, then where some of Uptane's repositories do.
        #expect(run.asked.suffix(2) == ["image_repo/vendor.json", "image_repo/delegations/vendor.json"])
        // What the top-level role names is not looked for below it.
        pair.images.targets = pair.images.delegated["vendor"] ?? [:]
        pair.images.signers["vendor"] = []
        #expect(pair.run(now: 1).end == .done(["file.txt"]))
    }

    /// The image repository is not even asked.
    @Test func nothingToDoIsNoFault() {
        var pair = UptanePair()
        pair.director.targets = [:]
        pair.images.replaced["timestamp.json"] = .some(nil)
        let run = pair.run(now: 1)
        #expect(run.end == .done([]) && run.asked == ["director/2.root.json", "director/targets.json"])
    }

    /// A primary does it for those behind it, too; one image may be for several.
    @Test func aPrimaryAsksForAllItsECUs() {
        var pair = UptanePair()
        pair.ecus.append(.init(id: "ecu-2", hardware: "hw-0"))
        pair.director.targets[UptanePair.target] = UptanePair.described(["ecuIdentifiers": UptanePair.custom(pair.ecus[0], pair.ecus[1])])
        #expect(pair.run(now: 1).installs.first?.ecus == pair.ecus)
        pair.images.targets[UptanePair.target] = UptanePair.described(["hardwareIds": .array([.string("hw-1")])])
        expect(.init("the second one's hardware", .images, "hardware", "5.4.4.2 step 10.2.2") { _ in }, pair)
    }

    @Test func olderShapesOfCustomAreRead() {
        for (director, images) in [
            (["ecuIdentifier": JSONValue.string("ecu-1"), "hardwareId": .string("hw-1")], ["hardwareId": JSONValue.string("hw-1")]),
            (["ecu_serial": .string("ecu-1")], ["hardwareIdentifier": .string("hw-1")]),
            (["ecuIdentifiers": .array([.string("ecu-1")])], ["hardware_ids": .array([.string("hw-1")])]),
        ] {
            var pair = UptanePair()
            pair.director.targets[UptanePair.target] = UptanePair.described(director)
            pair.images.targets[UptanePair.target] = UptanePair.described(images)
            #expect(pair.run(now: 1).end == .done(["file.txt"]), "\(director)")
            pair.ecus = [.init(id: "ecu-1", hardware: "hw-2")]
            #expect(pair.run(now: 1).end != .done(["file.txt"]), "\(director)")
        }
    }

    @Test func releaseCountersRise() {
        var pair = UptanePair()
        pair.count(director: 8, images: 8)
        pair.counters = ["ecu-1": 8, "ecu-2": 9]
        #expect(pair.run(now: 1).installs.first?.releaseCounter == 8)
        // A director may leave it to the image repository, whose counts.
        pair.count(director: nil, images: 7)
        expect(.init("a counter", .images, "release-counter", "5.4.4.2 step 10.2.3") { _ in }, pair)
        pair.images.targets[UptanePair.target] = UptanePair.described(["hardwareId": .string("hw-1"), "releaseCounter": .string("9")])
        expect(.init("a word", .images, "malformed", "5.2.3") { _ in }, pair)
    }

    /// Versions never fall, in the director without a snapshot neither; what has the same version may say something else.
    @Test func versionsNeverFall() {
        var pair = UptanePair()
        pair.director.versions["targets"] = 2
        pair.images.versions = ["timestamp": 2, "snapshot": 2, "targets": 2]
        pair.trusted = pair.run(now: 1).trusted
        var back = pair
        back.director.versions["targets"] = 1
        expect(.init("director", .director, "rollback", "5.4.4.6 step 4") { _ in }, back)
        for (roles, clause) in [
            (["timestamp"], "5.4.4.4 step 3"), (["snapshot"], "5.4.4.4 step 3"), (["targets"], "5.4.4.5 steps 4 to 6"),
        ] {
            back = pair
            for role in roles { back.images.versions[role] = 1 }
            expect(.init("\(roles)", .images, "rollback", clause) { _ in }, back)
        }
        let other = Array("some foobar content".utf8)
        pair.images.targets["file01.txt"] = UptanePair.described(["hardwareIds": .array([.string("hw-1")])], other)
        pair.director.targets = ["file01.txt": UptanePair.described(UptanePair.forUs, other)]
        #expect(pair.run(now: 1).installs.map(\.target) == ["file01.txt"])
    }

    @Test func rootsRotateOneByOne() {
        for isDirector in [true, false] {
            var pair = UptanePair()
            pair.trusted = pair.run(now: 1).trusted
            let repository: UptaneRefusal.Repository = isDirector ? .director : .images
            func next(_ signers: [P256PrivateKey], keys: [P256PrivateKey], version: Int64 = 2) -> UptanePair {
                var changed = pair
                var rotated = isDirector ? pair.director : pair.images
                rotated.keys["root"] = keys
                rotated.signers["root"] = signers
                rotated.versions["root"] = version
                if isDirector {
                    changed.director.replaced["2.root.json"] = rotated.root
                } else {
                    changed.images.replaced["2.root.json"] = rotated.root
                }
                return changed
            }
            let (old, new) = ((isDirector ? pair.director : pair.images).keys["root"]![0], P256PrivateKey())
            #expect(next([old, new], keys: [new]).run(now: 1).end == .done(["file.txt"]))
            let signature = UptaneFault("one set of keys", repository, "unmet-threshold", "5.4.4.3 step 2.3") { _ in }
            expect(signature, next([old], keys: [new]))
            expect(signature, next([new], keys: [new]))
            let version = UptaneFault("a version", repository, "version-mismatch", "5.4.4.3 step 2.4") { _ in }
            expect(version, next([old, new], keys: [new], version: 1))
            expect(version, next([old, new], keys: [new], version: 3))
        }
    }

    /// Only the director's own root can say that it has no snapshot, and only the director's.
    @Test func noRoleIsLeftOutInSilence() {
        let without: @Sendable (inout [String: JSONValue]) -> Void = { root in
            root["roles"] = .object((root["roles"]?.asObject ?? [:]).filter { ["root", "targets"].contains($0.key) })
        }
        var pair = UptanePair()
        pair.images.edits["root"] = without
        expect(.init("an image repository without", .images, "malformed", "5.2.2") { _ in }, pair)
        pair = UptanePair()
        var full = UptaneRepository(isDirector: false)
        full.targets = pair.director.targets
        pair.director = full
        #expect(pair.run(now: 1).end == .done(["file.txt"]))
        pair.director.replaced["timestamp.json"] = .some(nil)
        expect(.init("a director without what it names", .director, "missing", "5.4.4.4 step 1") { _ in }, pair)
    }

    /// TUF itself stays as strict as it was.
    @Test func theseShapesAreUptanesOnly() {
        let root = UptanePair().images.root
        #expect(throws: TUFRefusal.wrongType(role: "root")) { try TUFClient(files: ["root.json": root]) }
    }

    @Test func bothCanonicalFormsAreRead() throws {
        let value = try #require(JSONValue(bytes: Array(#"{"a":"1\n\u0001\t\"\\é"}"#.utf8)))
        #expect(value.canonicalForms.map { String(decoding: $0, as: UTF8.self) }.last == #"{"a":"1\n\u0001\t\"\\é"}"#)
        #expect(value.canonicalForms.count == 2)
        #expect(JSONValue.string("plain").canonicalForms.count == 1)
    }
}

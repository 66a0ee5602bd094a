public import Catalogue
import Exchange
import Formats
import SecureChannel
import TUF
import Wire

extension AttackName { public static let stolenSigningKey = AttackName("stolen-signing-key") }

/// Names an image of its own in both repositories, and signs with keys that it stole.
final class StolenSigningKey: MirrorAttack, Attack {
    static let description = AttackDescription(
        name: .stolenSigningKey,
        summary: "signs an image of its own into the update metadata, with stolen keys",
        mechanism:
            "A mirror in place of the update server names a newer version of an app in both repositories, which is the last release with other content, and signs with what was stolen: all online keys and one of two keys for targets, or (keys: threshold) both.",
        needs: "a position between the targets and the update server; signing keys of the update service",
        oracle: "a target installs an image that nobody released",
        techniques: ["T0862 Supply Chain Compromise"], threats: ["TID-211", "TID-212"],
        controls: [.secureBoot], rules: [.updateRefused], parameters: [Parameter("keys", .word(["one", "threshold"]), isRequired: false)],
        holds: .updates,
        judge: AttackJudge(
            countsMarks: false,
            proof: { trial in
                trial.seen(.updateInstalled, by: trial.target).first { !trial.wasReleased($0.fact.text(.digest) ?? "") }.map {
                    .init(.compromised, $0, "\(trial.target) installed \($0.fact.text(.image) ?? ""), which nobody released")
                }
            }))

    private let hasThreshold: Bool
    private var keys: [String: TUFSigningKey] = [:]
    /// Forged files by path, for each victim.
    private var forged: [String: [String: [UInt8]]] = [:]
    private var marked: Set<String> = []
    private let imageKey = P256PrivateKey()

    private static let base = ServiceAPI.imageRepositoryPath
    private static let leap: Int64 = 1000
    private static let lifeSeconds: Int64 = 86_400

    required init(_ step: Step) {
        hasThreshold = step.word("keys") == "threshold"
        super.init(step)
    }

    override func apply(_ arena: inout Arena) {
        for (name, hex) in arena.loot.updateKeys {
            // The second targets key lies elsewhere: with one theft there is none.
            guard hasThreshold || !name.hasSuffix("targets-2") else { continue }
            keys[name] = [UInt8](hex: hex).flatMap { try? P256PrivateKey(scalar: $0) }.map { TUFSigningKey($0) }
        }
        super.apply(&arena)
    }

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        let director = mirror.directorPath(victim)
        if forged[victim] == nil { forged[victim] = forge(victim, director, now) }
        guard let files = forged[victim], !files.isEmpty else {
            // Nothing to build on has been released yet: look again at the next check.
            forged[victim] = nil
            return .pass
        }
        if path == director + "/timestamp.json" { say("forged metadata shown", victim, connection) }
        // What a target has once trusted stays its measure, also when the attacker is gone.
        if path.hasSuffix("/timestamp.json"), let bytes = files[path], marked.insert(path).inserted {
            said.append(Fact(.trace, [.digest: .text(sha256(bytes).hex.digestHead), .target: .text(victim)]))
        }
        return files[path].map { .serve(Response(200, body: $0)) } ?? .pass
    }

    /// The last release of an app for this victim, with other content, a higher version and new metadata all around.
    private func forge(_ victim: String, _ director: String, _ now: Instant) -> [String: [UInt8]] {
        guard let named = targets(below: director),
            let (name, entry) = named.sorted(by: { $0.key > $1.key }).first(where: { $0.value["custom"]?["imageType"]?.asInteger == 10 }),
            let digest = entry["hashes"]?["sha256"]?.asString, let custom = entry["custom"]?.asObject,
            let original = mirror.recorded["\(Self.base)/targets/\(digest).\(TUFClient.quoted(name))"],
            let image = forgeImage(original)
        else { return [:] }
        let forgedName = "\(name.prefix { $0 != "@" })@\(image.version)"
        let target = TUFDocument.Target(
            length: image.bytes.count, sha256: sha256(image.bytes),
            custom: custom.merging(["version": .integer(Int64(image.version))]) { _, new in new })
        var files = ["\(Self.base)/targets/\(sha256(image.bytes).hex).\(TUFClient.quoted(forgedName))": image.bytes]
        for (repository, path) in [("director", director), ("images", Self.base + "/metadata")] {
            files.merge(sign(repository, path, [forgedName: target], mirror.unixSeconds(now))) { $1 }
        }
        return files
    }

    private func targets(below base: String) -> [String: JSONValue]? {
        mirror.chain(below: base)["targets"].flatMap { mirror.recorded[$0] }.flatMap {
            JSONValue(bytes: $0)?["signed"]?["targets"]?.asObject
        }
    }

    /// Other content under a signature by nobody's key: the production key was not among what was stolen.
    private func forgeImage(_ original: [UInt8]) -> (bytes: [UInt8], version: UInt32)? {
        guard var package = (try? ImagePackage.parse(original))?.package, var files = try? CompressedROM.unpack(package.body) else {
            return nil
        }
        files["version"] = Array("not the vendor's\n".utf8)
        package.body = CompressedROM.pack(files, name: package.name)
        package.securityVersion += 1
        return (package.signedPart + imageKey.sign(digest: sha256(package.signedPart)), package.securityVersion)
    }

    private func sign(_ repository: String, _ path: String, _ targets: [String: TUFDocument.Target], _ now: Int64) -> [String: [UInt8]] {
        func keys(_ names: String...) -> [TUFSigningKey] { names.compactMap { self.keys["\(repository)-\($0)"] } }
        let version = mirror.version(in: mirror.chain(below: path)["targets"]) + Self.leap
        let end = now + Self.lifeSeconds
        let targetsFile = TUFDocument.file(
            TUFDocument.targets(version: version, expires: end, targets: targets), signedBy: keys("targets-1", "targets-2"))
        let snapshot = TUFDocument.file(
            TUFDocument.snapshot(version: version, expires: end, targetsVersion: version, targets: targetsFile), signedBy: keys("snapshot"))
        let timestamp = TUFDocument.file(
            TUFDocument.timestamp(version: version, expires: end, snapshotVersion: version, snapshot: snapshot), signedBy: keys("timestamp")
        )
        return [
            "\(path)/timestamp.json": timestamp, "\(path)/\(version).snapshot.json": snapshot,
            "\(path)/\(version).targets.json": targetsFile,
        ]
    }
}

public import Catalogue
import Exchange
import Forgery
import SecureChannel
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
    private var release = ForgedRelease()
    /// Forged files by path, for each victim.
    private var forged: [String: [String: [UInt8]]] = [:]
    private var marked: Set<String> = []

    required init(_ step: Step) {
        hasThreshold = step.word("keys") == "threshold"
        super.init(step)
    }

    override func apply(_ arena: inout Arena) {
        // The second targets key lies elsewhere: with one theft there is none.
        for (name, key) in arena.loot.updateKeys where hasThreshold || !name.hasSuffix("targets-2") { release.steal(name, key: key) }
        super.apply(&arena)
    }

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        let director = mirror.directorPath(victim)
        if forged[victim] == nil {
            forged[victim] = release.files(
                mirror.recorded, director: director, images: ServiceAPI.imageRepositoryPath, unixSeconds: mirror.unixSeconds(now))
        }
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
}

public import Catalogue
import Exchange
import Forgery
import Wire

extension AttackName { public static let updateMixAndMatch = AttackName("update-mix-and-match") }

/// Passes on new timestamps and snapshots, and gives the targets metadata of before in place of the new.
final class UpdateMixAndMatch: MirrorAttack, Attack {
    static let description = AttackDescription(
        name: .updateMixAndMatch,
        summary: "gives the targets parts of two releases that never belonged together",
        mechanism:
            "A mirror in place of the update server passes on new timestamps and snapshots, and the targets metadata of before under the new name.",
        needs: "a position between the targets and the update server",
        oracle: "a target accepts a set of metadata that was never published",
        techniques: ["T0857 System Firmware"], threats: ["TID-213"],
        controls: [.updateFreshness], rules: [.updateRefused], holds: .updates,
        judge: AttackJudge(
            countsMarks: false,
            proof: { trial in
                trial.acceptedCheck.map {
                    .init(.compromised, $0, "\(trial.target) accepted metadata of two releases as one (\($0.fact.text(.version) ?? ""))")
                }
            }))

    private var old: [String: [UInt8]] = [:]
    private var oldVersion: [String: Int64] = [:]

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        guard path.hasSuffix(".targets.json"), let slash = path.lastIndex(of: "/") else { return .pass }
        let base = String(path[..<slash])
        keep(base)
        guard let bytes = old[base], RecordedRepository.version(in: path) > oldVersion[base] ?? .max else { return .pass }
        say("old targets under a new name", victim, connection)
        return .serve(Response(200, body: bytes))
    }

    /// The targets metadata that was first recorded.
    private func keep(_ base: String) {
        guard old[base] == nil else { return }
        let paths = mirror.recorded.files.keys.filter { $0.hasPrefix(base + "/") && $0.hasSuffix(".targets.json") }
        guard let first = paths.min(by: { RecordedRepository.version(in: $0) < RecordedRepository.version(in: $1) }) else { return }
        old[base] = mirror.recorded[first]
        oldVersion[base] = RecordedRepository.version(in: first)
    }
}

public import Catalogue
import Exchange
import Forgery
import Wire

extension AttackName { public static let updateRollback = AttackName("update-rollback") }

/// Waits until targets have a newer release, and then shows them the one before it again.
final class UpdateRollback: MirrorAttack, Attack {
    static let description = AttackDescription(
        name: .updateRollback,
        summary: "lets the targets install an old release again, after a newer one",
        mechanism:
            "A mirror in place of the update server passes everything on until the targets have the newer release, and from then on serves what it recorded before: metadata that was signed and has not expired.",
        needs: "a position between the targets and the update server",
        oracle: "a target runs an older release than before",
        techniques: ["T0857 System Firmware"], threats: ["TID-216"],
        controls: [.rollbackProtection], rules: [.updateRefused], holds: .updates,
        judge: AttackJudge(
            countsMarks: false,
            proof: { trial in
                // What goes back to its own backup copy installs nothing.
                trial.seen(.updateInstalled, by: trial.target).first {
                    $0.fact.number(.version) ?? .max < trial.versionThatRan(of: $0.fact.text(.image) ?? "", before: $0.at)
                }.map {
                    let was = trial.versionThatRan(of: $0.fact.text(.image) ?? "", before: $0.at)
                    return .init(.compromised, $0, "\(trial.target) went back from version \(was) to \($0.fact.text(.image) ?? "")")
                }
            }))

    /// When a target fetched newer targets than were recorded.
    private var updatedAt: [String: Instant] = [:]
    private static let pause = Duration.seconds(30)

    override func apply(_ arena: inout Arena) {
        super.apply(&arena)
        // The recording is kept fresh for as long as there is nothing newer.
        mirror.pinsFirstRelease = true
        mirror.passed = { [unowned self] victim, path, response, now in
            let base = mirror.directorPath(victim)
            guard response.isSuccess, path.hasPrefix(base), path.hasSuffix(".targets.json"), updatedAt[victim] == nil,
                let old = mirror.recorded.chain(below: base)["targets"],
                RecordedRepository.version(in: path) > RecordedRepository.version(in: old)
            else { return }
            updatedAt[victim] = now
        }
    }

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        guard isMetadata(path), let since = updatedAt[victim], now > since + UpdateRollback.pause else { return .pass }
        if path == mirror.directorPath(victim) + "/timestamp.json" { say("the release before shown again", victim, connection) }
        return recordedOrMissing(path)
    }
}

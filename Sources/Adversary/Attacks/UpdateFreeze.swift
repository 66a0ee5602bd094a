public import Catalogue
import Forgery
import Wire

extension AttackName { public static let updateFreeze = AttackName("update-freeze") }

/// Shows targets what was published when it came, for ever.
final class UpdateFreeze: MirrorAttack, Attack {
    static let description = AttackDescription(
        name: .updateFreeze,
        summary: "keeps showing the targets metadata of before a release",
        mechanism:
            "A mirror in place of the update server serves what it recorded when it came, whatever has been released since.",
        needs: "a position between the targets and the update server",
        oracle: "a target takes metadata that has expired for the newest",
        techniques: ["T0803 Block Command Message"], threats: ["TID-210"],
        controls: [.updateFreshness], rules: [.updateRefused], holds: .updates,
        judge: AttackJudge(
            countsMarks: false,
            proof: { trial in
                trial.acceptedCheck.map { .init(.frozen, $0, "\(trial.target) took metadata that has expired for the newest") }
            }))

    override func apply(_ arena: inout Arena) {
        super.apply(&arena)
        // One recording is all it needs; a timestamp that grows old is the point.
        mirror.keepsRecording = { [unowned self] in mirror.recorded.isEmpty }
    }

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        guard isMetadata(path) else { return .pass }
        if path == mirror.directorPath(victim) + "/timestamp.json", let expires = mirror.recorded.expiry(of: path) {
            // As long as it has not expired, what is old cannot be told from what is new.
            if expires <= mirror.unixSeconds(now) { say("expired metadata shown", victim, connection) }
        }
        return recordedOrMissing(path)
    }
}

public import Catalogue
import Wire

extension AttackName { public static let endlessData = AttackName("endless-data") }

/// Answers requests for metadata with bytes without end.
final class EndlessData: MirrorAttack, Attack {
    static let description = AttackDescription(
        name: .endlessData,
        summary: "answers requests for small files with bytes without end",
        mechanism:
            "A mirror in place of the update server answers every request for metadata with a body that does not end.",
        needs: "a position between the targets and the update server",
        oracle: "a target takes more than a mebibyte for a file of a few kilobytes",
        techniques: ["T0814 Denial of Service"], threats: ["TID-405"],
        controls: [.requestLimits], rules: [.updateRefused], holds: .updates,
        judge: AttackJudge(countsMarks: false))

    override func choose(_ victim: String, _ path: String, _ connection: Connection, _ now: Instant) -> Mirror.Choice {
        path.hasSuffix("timestamp.json") ? .endless : .pass
    }
}

import Exchange
import Wire

/// Waits until targets have a newer release, and then shows them the one before it again.
final class UpdateRollback: MirrorAttack {
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
                let old = mirror.chain(below: base)["targets"], mirror.version(in: path) > mirror.version(in: old)
            else { return }
            updatedAt[victim] = now
        }
    }

    override func choose(_ victim: String, _ path: String, _ now: Instant) -> Mirror.Choice {
        guard isMetadata(path), let since = updatedAt[victim], now > since + UpdateRollback.pause else { return .pass }
        if path == mirror.directorPath(victim) + "/timestamp.json" { say("the release before shown again", victim, "served") }
        return recordedOrMissing(path)
    }
}

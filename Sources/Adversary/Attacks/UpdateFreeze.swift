import TUF
import Wire

/// Shows targets what was published when it came, for ever.
final class UpdateFreeze: MirrorAttack {
    override func apply(_ arena: inout Arena) {
        super.apply(&arena)
        // One recording is all it needs; a timestamp that grows old is the point.
        mirror.keepsRecording = { [unowned self] in mirror.recorded.isEmpty }
    }

    override func choose(_ victim: String, _ path: String, _ now: Instant) -> Mirror.Choice {
        guard isMetadata(path) else { return .pass }
        if path == mirror.directorPath(victim) + "/timestamp.json", let bytes = mirror.recorded[path],
            let expires = JSONValue(bytes: bytes)?["signed"]?["expires"]?.asString.flatMap(TUFTime.unixSeconds)
        {
            let isOver = expires <= mirror.unixSeconds(now)
            say(isOver ? "expired metadata shown" : "old metadata shown", victim, isOver ? "served" : "too early to tell")
        }
        return recordedOrMissing(path)
    }
}

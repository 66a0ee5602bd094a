import Wire

/// Answers requests for metadata with bytes without end.
final class EndlessData: MirrorAttack {
    override func choose(_ victim: String, _ path: String, _ now: Instant) -> Mirror.Choice {
        path.hasSuffix("timestamp.json") ? .endless : .pass
    }
}

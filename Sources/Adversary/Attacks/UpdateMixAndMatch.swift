import Exchange
import Wire

/// Passes on new timestamps and snapshots, and gives the targets metadata of before in place of the new.
final class UpdateMixAndMatch: MirrorAttack {
    private var old: [String: [UInt8]] = [:]
    private var oldVersion: [String: Int64] = [:]

    override func choose(_ victim: String, _ path: String, _ now: Instant) -> Mirror.Choice {
        guard path.hasSuffix(".targets.json"), let slash = path.lastIndex(of: "/") else { return .pass }
        let base = String(path[..<slash])
        keep(base)
        guard let bytes = old[base], mirror.version(in: path) > oldVersion[base] ?? .max else { return .pass }
        if base == mirror.directorPath(victim) { say("old targets under a new name", victim, "served") }
        return .serve(Response(200, body: bytes))
    }

    /// The targets metadata that was first recorded.
    private func keep(_ base: String) {
        guard old[base] == nil else { return }
        let paths = mirror.recorded.keys.filter { $0.hasPrefix(base + "/") && $0.hasSuffix(".targets.json") }
        guard let first = paths.min(by: { mirror.version(in: $0) < mirror.version(in: $1) }) else { return }
        old[base] = mirror.recorded[first]
        oldVersion[base] = mirror.version(in: first)
    }
}

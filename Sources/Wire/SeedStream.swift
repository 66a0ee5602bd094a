/// A stream of pseudo-random numbers for one (seed, node, purpose, generation).
///
/// SplitMix64 (Steele, Lea, Flood 2014). Each stream is keyed by the names alone, so that a node that is
/// added to a topology changes no draw of any other node.
public struct SeedStream: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64, node: String, purpose: String, generation: Int = 0) {
        // FNV-1a over the names; the zero byte keeps ("ab", "c") apart from ("a", "bc").
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Array(node.utf8) + [0] + Array(purpose.utf8) + [0] + Array(String(generation).utf8) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        state = hash ^ seed &* 0x9e37_79b9_7f4a_7c15
        _ = next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A stream of its own, of which any number may be drawn: here that is one draw.
    public mutating func branch() -> SeedStream { SeedStream(state: next()) }

    private init(state: UInt64) { self.state = state }

    /// Uniform in `0 ..< 1`.
    public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Uniform in `0 ... limit`.
    public mutating func duration(upTo limit: Duration) -> Duration {
        .nanoseconds(Int64(unit() * Double(limit.nanoseconds)))
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count + 8)
        while out.count < count {
            var word = next()
            for _ in 0..<8 {
                out.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        return Array(out.prefix(count))
    }
}

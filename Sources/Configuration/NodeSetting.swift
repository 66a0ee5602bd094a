public import Wire

/// What every node knows of the run.
public struct NodeSetting: Sendable, Equatable, Codable {
    public var name: String
    public var seed: UInt64
    public var clock: ClockKind
    /// Unix time, in seconds, at the start of the run.
    public var epochSeconds: Int64
    /// Where a TLS key log goes (NSS format), if the plan asks for one.
    public var keyLogPath: String?

    public init(name: String, seed: UInt64, clock: ClockKind, epochSeconds: Int64, keyLogPath: String? = nil) {
        self.name = name
        self.seed = seed
        self.clock = clock
        self.epochSeconds = epochSeconds
        self.keyLogPath = keyLogPath
    }

    /// What replaces the random source of this node's cryptography in a virtual run; nil on the wall clock, where
    /// the real one stays.
    public func cryptoDraws(generation: UInt32) -> SeedStream? {
        guard clock == .virtual else { return nil }
        return SeedStream(seed: seed, node: name, purpose: "crypto", generation: Int(generation))
    }

    /// The time of day that a perfect clock shows.
    public func unixSeconds(at now: Instant) -> Int64 { epochSeconds + now.nanoseconds / 1_000_000_000 }
}

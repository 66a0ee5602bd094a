import Wire

/// Waits that double from one second to ten minutes, each spread over ±50 %, so that a fleet that lost the
/// service does not come back as one (CL-11).
struct Backoff {
    private var failures = 0
    private var draws: SeedStream
    static let limit = Duration.minutes(10)

    init(draws: SeedStream) { self.draws = draws }

    mutating func next() -> Duration {
        let step = min(Duration.seconds(1) * (1 << min(failures, 12)), Backoff.limit)
        failures += 1
        return step / 2 + draws.duration(upTo: step)
    }

    mutating func reset() { failures = 0 }
}

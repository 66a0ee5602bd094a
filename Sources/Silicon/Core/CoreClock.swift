/// Turns a core's cycles into nanoseconds and back: exact, and independent of where a run was interrupted.
struct CoreClock: Codable, Equatable {
    /// The MT3620's, after reset (mt3620-silicon §3.3).
    static let crystalHertz: Int64 = 26_000_000

    private(set) var hertz: Int64
    private var baseCycles: Int64 = 0
    private var baseNanoseconds: Int64

    init(hertz: Int64, at nanoseconds: Int64) { (self.hertz, baseNanoseconds) = (hertz, nanoseconds) }

    func nanoseconds(at cycles: Int64) -> Int64 {
        let (seconds, rest) = (cycles - baseCycles).quotientAndRemainder(dividingBy: hertz)
        return baseNanoseconds + seconds * 1_000_000_000 + rest * 1_000_000_000 / hertz
    }

    /// The first cycle that is not before an instant; `.max` for never.
    func cycles(reaching nanoseconds: Int64) -> Int64 {
        guard nanoseconds < .max - 1_000_000_000 else { return .max }
        guard nanoseconds > baseNanoseconds else { return baseCycles }
        let (seconds, rest) = (nanoseconds - baseNanoseconds).quotientAndRemainder(dividingBy: 1_000_000_000)
        // More than some 1,400 years at this clock: never.
        guard seconds < Int64.max / 4 / hertz else { return .max }
        return baseCycles + seconds * hertz + (rest * hertz + 999_999_999) / 1_000_000_000
    }

    /// The clock runs at another rate from this cycle on.
    mutating func change(to hertz: Int64, at cycles: Int64) {
        guard hertz != self.hertz else { return }
        baseNanoseconds = nanoseconds(at: cycles)
        baseCycles = cycles
        self.hertz = hertz
    }
}

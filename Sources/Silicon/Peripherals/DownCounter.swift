/// A counter of Arm's design kit, as its timers and its watchdog have it: it counts down at a clock's rate, stays at 0 for one
/// tick, and begins anew at its limit; with nothing to reload, or once only, it stays there (ARM DDI 0479 §3, §4).
struct DownCounter: Codable {
    private let hertz: Int64
    /// Of the clock: one tick takes so many of its cycles.
    private(set) var divisor: Int64 = 1
    private(set) var limit: UInt32
    private(set) var isRunning = false
    private var isOneShot = false
    /// What it held, and when.
    private var start: UInt32
    private var since: Int64 = 0
    /// The tick since then at which it next comes from 1 to 0; `.max` for never.
    private var zeroTick = Int64.max

    init(hertz: Int64, limit: UInt32) { (self.hertz, self.limit, start) = (hertz, limit, limit) }

    /// Whole ticks since it began.
    private func ticks(_ now: Int64) -> Int64 {
        let (seconds, rest) = max(0, now - since).quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds * hertz + rest * hertz / 1_000_000_000) / divisor
    }

    /// The first instant at which so many ticks have passed; `.max` for what no run will see.
    private func instant(_ tick: Int64) -> Int64 {
        let (cycles, isBeyond) = tick.multipliedReportingOverflow(by: divisor)
        guard !isBeyond else { return .max }
        let (seconds, rest) = cycles.quotientAndRemainder(dividingBy: hertz)
        guard seconds < Int64.max / 4_000_000_000 else { return .max }
        return since + seconds * 1_000_000_000 + (rest * 1_000_000_000 + hertz - 1) / hertz
    }

    func value(_ now: Int64) -> UInt32 { isRunning ? value(after: ticks(now)) : start }

    private func value(after ticks: Int64) -> UInt32 {
        if ticks <= Int64(start) { return start - UInt32(ticks) }
        guard !isOneShot, limit > 0 else { return 0 }
        let sinceReload = ticks - Int64(start) - 1
        return limit - UInt32(sinceReload % (Int64(limit) + 1))
    }

    /// When it next reaches 0.
    var zeroAt: Int64 { isRunning && zeroTick != .max ? instant(zeroTick) : .max }
    /// When its value next is another.
    func nextChange(_ now: Int64) -> Int64 { isRunning ? instant(ticks(now) + 1) : .max }

    /// Whether it has reached 0 by now since this was last asked: many times are one.
    mutating func takeZero(_ now: Int64) -> Bool {
        guard zeroAt <= now else { return false }
        if isOneShot || limit == 0 {
            if isOneShot { (isRunning, start) = (false, 0) }
            zeroTick = .max
            return true
        }
        let period = Int64(limit) + 1
        zeroTick += ((ticks(now) - zeroTick) / period + 1) * period
        return true
    }

    // MARK: Changes

    /// Goes on from a value, now.
    mutating func set(_ value: UInt32, _ now: Int64) {
        (start, since) = (value, now)
        zeroTick = value > 0 ? Int64(value) : !isOneShot && limit > 0 ? Int64(limit) + 1 : .max
    }

    mutating func run(isOneShot: Bool, _ now: Int64) {
        if isRunning, self.isOneShot == isOneShot { return }
        let value = value(now)
        self.isOneShot = isOneShot
        if !isRunning || self.isOneShot {
            isRunning = true
            set(value, now)
        } else {
            set(value, now)
        }
    }

    mutating func stop(_ now: Int64) {
        start = value(now)
        (isRunning, zeroTick) = (false, .max)
    }

    /// What it begins anew from; the present round ends as it was.
    mutating func setLimit(_ limit: UInt32, _ now: Int64) {
        rebase(now)
        self.limit = limit
        zeroTick = start > 0 ? Int64(start) : !isOneShot && limit > 0 ? Int64(limit) + 1 : .max
    }

    mutating func setDivisor(_ divisor: Int64, _ now: Int64) {
        let value = value(now)
        self.divisor = divisor
        if isRunning { set(value, now) }
    }

    /// Counts from the tick that was last, so that nothing of it is lost.
    private mutating func rebase(_ now: Int64) {
        guard isRunning else { return }
        let passed = ticks(now)
        (start, since) = (value(after: passed), instant(passed))
    }
}

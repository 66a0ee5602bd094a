import Formats

/// GPT0 and GPT1 count down, once or again and again (IRQ 1); GPT2 runs free at 1 or 32.768 kHz; GPT3 counts
/// microseconds up to an alarm (IRQ 2); GPT4 follows the core's clock (mt3620-silicon §2.4).
struct GeneralPurposeTimers: Peripheral {
    static let type = BlockType("mt3620-gpt", "five timers of a real-time core", interrupts: ["countdown", "alarm"], hasClock: true)
    /// Of the alarm, where that is a pulse.
    private let alarmLine: Int?
    /// A counter that has run at a rate, numerator over denominator in hertz, since an instant.
    private struct Counter: Codable {
        var isRunning = false
        var numerator: Int64
        var denominator: Int64 = 1
        var since: Int64 = 0
        var base: UInt32 = 0

        func value(at now: Int64) -> UInt32 {
            guard isRunning else { return base }
            return base &+ UInt32(truncatingIfNeeded: ticks(now - since))
        }
        /// Whole ticks in so many nanoseconds.
        func ticks(_ nanoseconds: Int64) -> Int64 {
            let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
            return (seconds * numerator + rest * numerator / 1_000_000_000) / denominator
        }
        /// The first instant at which so many ticks have passed.
        func instant(ofTick tick: Int64) -> Int64 {
            let scaled = tick * denominator
            let (seconds, rest) = scaled.quotientAndRemainder(dividingBy: numerator)
            return since + seconds * 1_000_000_000 + (rest * 1_000_000_000 + numerator - 1) / numerator
        }
        func nextChange(_ now: Int64) -> Int64 { isRunning ? instant(ofTick: ticks(now - since) + 1) : .max }
        mutating func start(at now: Int64, from value: UInt32) {
            (isRunning, since, base) = (true, now, value)
        }
        mutating func stop(at now: Int64) { (base, isRunning) = (value(at: now), false) }
    }

    private struct Countdown: Codable {
        var control: UInt32 = 0
        var initial: UInt32 = 0
        var counter = Counter(numerator: 32_768, denominator: 33)
        var expiry: Int64 { counter.isRunning ? counter.instant(ofTick: max(1, Int64(initial))) : .max }
        func left(at now: Int64) -> UInt32 {
            counter.isRunning ? UInt32(max(0, Int64(initial) - counter.ticks(now - counter.since))) : 0
        }
    }

    private var countdowns = [Countdown(), Countdown()]
    private var status: UInt32 = 0
    private var enable: UInt32 = 0
    private var freeControl: UInt32 = 0
    private var free = Counter(numerator: 32_768, denominator: 33)
    /// Where GPT2 begins: written to its count before it is enabled, and good for once.
    private var freeInitial: UInt32 = 0
    private var alarmControl: UInt32 = 0x0019_0000
    private var alarmInitial: UInt32 = 0
    private var alarm = Counter(numerator: 26_000_000, denominator: 26)
    private var alarmAt: UInt32 = .max
    private var alarmIsPending = false
    /// One match is one interrupt, however long the count stays beyond it.
    private var alarmHasCome = false
    private var coreControl: UInt32 = 0
    private var coreInitial: UInt32 = 0
    private var core: Counter

    init(_ block: Block) {
        core = Counter(numerator: block.clockHertz ?? CoreClock.crystalHertz, denominator: 2)
        if case .interrupt(let line) = block.line("alarm") { alarmLine = line } else { alarmLine = nil }
    }

    var lines: UInt32 { (status & enable != 0 ? 1 : 0) | (alarmIsAsserting ? 2 : 0) }
    /// Its line where it is a level. As an edge, which it is at reset, the match is a pulse: a driver need not clear it.
    private var alarmIsAsserting: Bool { alarmIsPending && alarmControl & 0x8000 == 0 }

    private var alarmInstant: Int64 {
        guard alarm.isRunning, !alarmHasCome, alarmAt >= alarm.base else { return .max }
        return alarm.instant(ofTick: Int64(alarmAt - alarm.base))
    }
    var nextEvent: Int64 { min(countdowns[0].expiry, countdowns[1].expiry, alarmInstant) }

    mutating func advance(_ bus: Bus) {
        for index in 0..<2 {
            while countdowns[index].expiry <= bus.now {
                status |= 1 << UInt32(index)
                if countdowns[index].control & 2 != 0 {
                    countdowns[index].counter.since = countdowns[index].expiry
                    // Many periods at once are one interrupt: nobody has looked in between.
                    let passed = countdowns[index].counter.ticks(bus.now - countdowns[index].counter.since)
                    let periods = passed / max(1, Int64(countdowns[index].initial))
                    if periods > 1 {
                        let tick = (periods - 1) * max(1, Int64(countdowns[index].initial))
                        countdowns[index].counter.since = countdowns[index].counter.instant(ofTick: tick)
                    }
                } else {
                    countdowns[index].control &= ~1
                    countdowns[index].counter.stop(at: bus.now)
                }
            }
        }
        if alarmInstant <= bus.now {
            (alarmIsPending, alarmHasCome) = (true, true)
            if let alarmLine { bus.pulse(alarmLine) }
        }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00: return status
        case 0x04: return enable
        case 0x10, 0x20: return countdowns[Int(offset >> 4) - 1].control
        case 0x14, 0x24: return countdowns[Int(offset >> 4) - 1].initial
        case 0x30: return freeControl
        case 0x34: return free.value(at: bus.now)
        case 0x40, 0x44: return countdowns[Int(offset >> 2) & 1].left(at: bus.now)
        case 0x50: return alarmControl
        case 0x54: return alarmInitial
        case 0x58: return alarm.value(at: bus.now)
        case 0x5C: return alarmAt
        case 0x60: return coreControl
        case 0x64: return coreInitial
        case 0x68: return core.value(at: bus.now)
        default:
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        switch offset {
        case 0x34: free.nextChange(now)
        case 0x40, 0x44: countdowns[Int(offset >> 2) & 1].counter.nextChange(now)
        case 0x58: alarm.nextChange(now)
        case 0x68: core.nextChange(now)
        // Status and control change by events, which end a stretch anyway.
        default: nextEvent
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00: status &= ~value
        case 0x04: enable = value & 3
        case 0x10, 0x20: control(Int(offset >> 4) - 1, value, bus.now)
        case 0x14, 0x24: countdowns[Int(offset >> 4) - 1].initial = value
        case 0x30:
            let wasRunning = free.isRunning
            freeControl = value & 3
            free.denominator = value & 2 != 0 ? 1 : 33
            if value & 1 == 0 {
                free.stop(at: bus.now)
            } else if !wasRunning {
                free.start(at: bus.now, from: freeInitial)
                freeInitial = 0
            }
        case 0x34:
            if free.isRunning { free.start(at: bus.now, from: value) } else { (free.base, freeInitial) = (value, value) }
        case 0x50:
            if value & 0x8000 != 0 { alarmIsPending = false }
            let wasRunning = alarm.isRunning
            alarmControl = value
            alarm.denominator = Int64(value >> 16 & 0x3F) + 1
            if value & 1 == 0 {
                alarm.stop(at: bus.now)
            } else if !wasRunning {
                alarm.start(at: bus.now, from: alarmInitial)
                alarmHasCome = false
            }
        case 0x54: alarmInitial = value
        case 0x5C:
            alarmAt = value
            (alarmIsPending, alarmHasCome) = (false, false)
        case 0x60:
            let wasRunning = core.isRunning
            coreControl = value & 3
            core.denominator = value & 2 != 0 ? 1 : 2
            if value & 1 == 0 { core.stop(at: bus.now) } else if !wasRunning { core.start(at: bus.now, from: coreInitial) }
        case 0x64: coreInitial = value
        default: bus.isUnmodelled = true
        }
    }

    private mutating func control(_ index: Int, _ value: UInt32, _ now: Int64) {
        let wasRunning = countdowns[index].counter.isRunning
        countdowns[index].control = value & 7
        countdowns[index].counter.denominator = value & 4 != 0 ? 1 : 33
        if value & 1 == 0 {
            countdowns[index].counter.stop(at: now)
        } else if !wasRunning || value & 8 != 0 {
            countdowns[index].counter.start(at: now, from: 0)
        }
    }

    /// GPT4 goes on at the core's new rate.
    mutating func coreClockChanged(to hertz: Int64, at now: Int64) {
        let value = core.value(at: now)
        core.numerator = hertz
        if core.isRunning { core.start(at: now, from: value) }
    }
}

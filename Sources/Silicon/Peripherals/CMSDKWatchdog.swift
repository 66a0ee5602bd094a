import Formats

/// The APB watchdog of Arm's design kit (ARM DDI 0479 §3.5): the first time that it reaches 0 is an interrupt, the second, with that
/// not cleared, a reset. Its registers can be locked.
struct CMSDKWatchdog: Peripheral {
    static let type = BlockType("cmsdk-apb-watchdog", "watchdog that warns, then resets", interrupts: ["warning"], hasClock: true)
    private static let key: UInt32 = 0x1ACC_E551
    private enum Control {
        static let interrupt: UInt32 = 1 << 0
        static let reset: UInt32 = 1 << 1
    }

    private var control: UInt32 = 0
    private var counter: DownCounter
    private var isPending = false
    private var isExpired = false
    private var isLocked = false
    /// Integration test: the outputs are what the program says.
    private var isTested = false
    private var testOutputs: UInt32 = 0

    init(_ block: Block) { counter = DownCounter(hertz: block.clockHertz ?? 1, limit: .max) }

    private var isWarning: Bool { isPending && control & Control.interrupt != 0 }
    var lines: UInt32 { (isTested ? testOutputs & 2 != 0 : isWarning) ? 1 : 0 }
    var nextEvent: Int64 { counter.zeroAt }

    mutating func advance(_ bus: Bus) {
        guard counter.takeZero(bus.now) else { return }
        if isPending {
            isExpired = true
            counter.stop(bus.now)
        }
        isPending = true
        askForReset(bus)
    }

    private func askForReset(_ bus: Bus) {
        if isTested ? testOutputs & 1 != 0 : isExpired && control & Control.reset != 0 { bus.wantsReset = true }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x000: return counter.limit
        case 0x004: return counter.value(bus.now)
        case 0x008: return control
        case 0x010: return isPending ? 1 : 0
        case 0x014: return isWarning ? 1 : 0
        case 0xC00: return isLocked ? 1 : 0
        case 0xF00: return isTested ? 1 : 0
        default:
            if let value = CMSDKIdentification.read(offset, part: 0x24) { return value }
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x004 ? counter.nextChange(now) : nextEvent }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        if offset == 0xC00 {
            isLocked = value != Self.key
            return
        }
        guard !isLocked else { return }
        switch offset {
        case 0x000:
            counter.setLimit(value, bus.now)
            counter.set(value, bus.now)
        case 0x008:
            let changed = control ^ value
            control = value & 3
            if changed & Control.interrupt != 0 { count(bus) }
        case 0x00C:
            isPending = false
            counter.set(counter.limit, bus.now)
        case 0xF00: isTested = value & 1 != 0
        case 0xF04: testOutputs = value & 3
        default: bus.isUnmodelled = true
        }
        askForReset(bus)
    }

    /// The bit that enables the interrupt enables the counter, too.
    private mutating func count(_ bus: Bus) {
        if control & Control.interrupt != 0 {
            counter.set(counter.limit, bus.now)
            counter.run(isOneShot: false, bus.now)
        } else {
            counter.stop(bus.now)
        }
    }
}

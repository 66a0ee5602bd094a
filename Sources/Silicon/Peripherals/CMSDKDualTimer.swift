import Formats

/// The APB dual timer of Arm's design kit (ARM DDI 0479 §3.3): two counters of 16 or 32 bits, each free-running, periodic or once,
/// with a prescaler.
struct CMSDKDualTimer: Peripheral {
    static let type = BlockType(
        "cmsdk-apb-dualtimer", "two timers of 16 or 32 bits", interrupts: ["timer1", "timer2", "combined"], hasClock: true)

    private enum Control {
        static let oneShot: UInt32 = 1 << 0
        static let is32Bits: UInt32 = 1 << 1
        static let prescale: UInt32 = 3 << 2
        static let interrupt: UInt32 = 1 << 5
        static let periodic: UInt32 = 1 << 6
        static let enable: UInt32 = 1 << 7
        static let all = oneShot | is32Bits | prescale | interrupt | periodic | enable
    }

    private struct Timer: Codable {
        private(set) var control = Control.interrupt
        private var counter: DownCounter
        /// Upper halves that 16 bits leave as they are, and what a free-running counter does not begin from.
        private var load: UInt32 = 0
        private var upper: UInt32 = 0xFFFF_0000
        var isPending = false

        init(hertz: Int64) { counter = DownCounter(hertz: hertz, limit: 0xFFFF) }

        var isAsserting: Bool { isPending && control & Control.interrupt != 0 }
        var zeroAt: Int64 { counter.zeroAt }
        func nextChange(_ now: Int64) -> Int64 { counter.nextChange(now) }
        private var isWide: Bool { control & Control.is32Bits != 0 }
        private var isPeriodic: Bool { control & Control.periodic != 0 }

        mutating func advance(_ now: Int64) { if counter.takeZero(now) { isPending = true } }

        func read(_ offset: UInt32, _ now: Int64) -> UInt32? {
            switch offset {
            case 0x00, 0x18: load
            case 0x04: isWide ? counter.value(now) : upper | counter.value(now) & 0xFFFF
            case 0x08: control
            case 0x10: isPending ? 1 : 0
            case 0x14: isAsserting ? 1 : 0
            default: nil
            }
        }

        /// False for a register that there is not.
        mutating func write(_ offset: UInt32, _ value: UInt32, _ now: Int64) -> Bool {
            switch offset {
            case 0x00:
                (load, upper) = (value, value & 0xFFFF_0000)
                let start = isWide ? value : value & 0xFFFF
                if isPeriodic {
                    if start == 0 { counter.stop(now) }
                    counter.setLimit(start, now)
                }
                counter.set(start, now)
                // One that has been over begins anew.
                if isPeriodic, start > 0, control & Control.enable != 0 { counter.run(isOneShot: control & Control.oneShot != 0, now) }
            case 0x08: setControl(value & Control.all, now)
            case 0x0C: isPending = false
            case 0x18:
                load = value
                if isPeriodic { counter.setLimit(isWide ? value : value & 0xFFFF, now) }
            default: return false
            }
            return true
        }

        private mutating func setControl(_ value: UInt32, _ now: Int64) {
            let changed = control ^ value
            if changed & ~value & Control.enable != 0 { counter.stop(now) }
            if changed & Control.prescale != 0 { counter.setDivisor([1, 16, 256, 256][Int(value & Control.prescale) >> 2], now) }
            if changed & Control.is32Bits != 0 {
                let count = counter.value(now)
                if value & Control.is32Bits == 0 { upper = count & 0xFFFF_0000 }
                control = value
                counter.set(isWide ? upper | count & 0xFFFF : count & 0xFFFF, now)
            }
            control = value
            if changed & (Control.is32Bits | Control.periodic) != 0 {
                let all: UInt32 = isWide ? .max : 0xFFFF
                counter.setLimit(isPeriodic ? load & all : all, now)
            }
            // Also one that was enabled, and over, and now goes on.
            if value & Control.enable != 0 { counter.run(isOneShot: value & Control.oneShot != 0, now) }
        }
    }

    private var timers: [Timer]
    /// Integration test: the outputs are what the program says.
    private var isTested = false
    private var testOutputs: UInt32 = 0

    init(_ block: Block) { timers = [Timer](repeating: Timer(hertz: block.clockHertz ?? 1), count: 2) }

    var lines: UInt32 {
        let each = isTested ? testOutputs : (timers[0].isAsserting ? 1 : 0) | (timers[1].isAsserting ? 2 : 0)
        return each | (each != 0 ? 4 : 0)
    }
    var nextEvent: Int64 { min(timers[0].zeroAt, timers[1].zeroAt) }

    mutating func advance(_ bus: Bus) { for index in timers.indices { timers[index].advance(bus.now) } }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        if offset == 0xF00 { return isTested ? 1 : 0 }
        if let value = CMSDKIdentification.read(offset, part: 0x23) { return value }
        if offset < 0x40, let value = timers[Int(offset >> 5)].read(offset & 0x1F, bus.now) { return value }
        bus.isUnmodelled = true
        return 0
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        offset < 0x40 && offset & 0x1F == 0x04 ? timers[Int(offset >> 5)].nextChange(now) : nextEvent
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0..<0x40 where timers[Int(offset >> 5)].write(offset & 0x1F, value, bus.now): break
        case 0xF00: isTested = value & 1 != 0
        case 0xF04: testOutputs = value & 3
        default: bus.isUnmodelled = true
        }
    }
}

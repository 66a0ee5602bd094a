import Formats

/// The counter of one pin group ("GPIOIF", mt3620-silicon §2.7): counts edges on its first two pins, by direction, up and
/// down, or as a quadrature encoder's, and keeps the count at edges in two FIFOs; the third pin can reset it.
///
/// Which level of the second pin means up is not known; here high does, unless control 3 turns it around. Pulses are never so
/// short that the filter would matter, so its settings are only kept.
struct PinCounter: Peripheral {
    static let type = BlockType("mt3620-gpio-counter", "counts edges on its pins", interrupts: ["counter"], pins: 4...4, watchesPins: true)
    private static let depth = 8
    private enum Status {
        static let lowLimit: UInt32 = 1 << 0
        static let highLimit: UInt32 = 1 << 1
        static let resetByPin: UInt32 = 1 << 2
        static let overflow: UInt32 = 1 << 8
        static let underflow: UInt32 = 1 << 9
        /// Of FIFO 0; FIFO 1 has the next bit.
        static let writtenFull: UInt32 = 1 << 12
        static let notEmpty: UInt32 = 1 << 16
        static let readEmpty: UInt32 = 1 << 24
    }

    private var registers = RegisterFile()
    private var count: UInt32 = 0
    private var captured: [[UInt32]] = [[], []]
    private var status: UInt32 = 0
    private var levels: UInt32 = 0xF

    private var global: UInt32 { registers[0x00] ?? 0 }
    private var settings: UInt32 { registers[0x10C] ?? 0 }
    private var enable: UInt32 { registers[0x110] ?? 0 }
    private var isClocked: Bool { global & 0x9 == 0x9 }
    private var shownStatus: UInt32 {
        status | (captured[0].isEmpty ? 0 : Status.notEmpty) | (captured[1].isEmpty ? 0 : Status.notEmpty << 1)
    }

    /// IRQ 71 and following.
    var lines: UInt32 { shownStatus & (registers[0x130] ?? 0) != 0 ? 1 : 0 }

    // MARK: Pins

    /// Takes in the levels of its group's four pins.
    mutating func pinsAre(_ now: UInt32, _ bus: Bus) {
        let before = levels
        levels = now
        guard isClocked, before != now else { return }
        func edge(_ pin: Int, _ kind: UInt32) -> Bool {
            let (was, isHigh) = (before >> UInt32(pin) & 1 != 0, now >> UInt32(pin) & 1 != 0)
            return was != isHigh && (kind & 3 == 2 || isHigh == (kind & 3 != 1))
        }
        if edge(2, settings & 1 != 0 ? 0 : 1) { resetByPin() }
        if enable & 1 != 0 {
            let kind = settings >> 16
            step(first: edge(0, kind), second: edge(1, kind))
        }
        guard enable & 2 != 0 else { return }
        for pin in 0..<2 where edge(pin, settings >> (8 + 2 * UInt32(pin))) { capture(pin) }
    }

    private mutating func step(first: Bool, second: Bool) {
        let isSecondHigh = levels & 2 != 0
        switch settings >> 18 & 3 {
        case 0: if first { move(up: isSecondHigh != (settings & 1 << 20 != 0)) }
        case 1:
            let isTurned = settings & 1 << 21 != 0
            if first { move(up: !isTurned) }
            if second { move(up: isTurned) }
        // The first pin leads if it rises while the second is low, or falls while it is high.
        default: if first { move(up: ((levels & 1 != 0) != isSecondHigh) != (settings & 1 << 22 != 0)) }
        }
    }

    private mutating func move(up: Bool) {
        let (low, high) = (registers[0x124] ?? 0, registers[0x128] ?? .max)
        let (saturation, interrupts) = (settings >> 28 & 7, settings >> 24 & 3)
        if up && saturation == 2 && count == high || !up && saturation == 1 && count == low { return }
        if up && count == .max { status |= Status.overflow }
        if !up && count == 0 { status |= Status.underflow }
        count = up ? count &+ 1 : count &- 1
        if count == low, interrupts & 1 != 0 { status |= Status.lowLimit }
        if count == high, interrupts & 2 != 0 { status |= Status.highLimit }
        if saturation == 3 && count == low || saturation == 4 && count == high { count = registers[0x120] ?? 0 }
    }

    private mutating func capture(_ pin: Int) {
        if captured[pin].count < PinCounter.depth {
            captured[pin].append(count)
        } else {
            status |= Status.writtenFull << UInt32(pin)
        }
    }

    private mutating func resetByPin() {
        guard settings & 6 != 0 else { return }
        if settings & 4 != 0 { count = registers[0x120] ?? 0 }
        if settings & 2 != 0 { captured = [[], []] }
        status |= Status.resetByPin
    }

    // MARK: Registers

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x138: return shownStatus
        case 0x140: return UInt32(captured[0].count | captured[1].count << 4)
        case 0x144, 0x148:
            let fifo = offset == 0x144 ? 0 : 1
            guard !captured[fifo].isEmpty else {
                status |= Status.readEmpty << UInt32(fifo)
                return 0
            }
            return captured[fifo].removeFirst()
        case 0x14C: return count
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x144 || offset == 0x148 ? .min : .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        switch offset {
        case 0x00:
            // The reset is active low.
            if value & 2 == 0, global & 2 != 0 { self = PinCounter(levels: levels) }
            registers[0x00] = value
        case 0x110:
            if value & 1 << 16 != 0 { count = registers[0x120] ?? 0 }
            if value & 1 << 17 != 0 { captured = [[], []] }
            registers[0x110] = value
        case 0x134: status &= ~value
        default: registers[offset] = value
        }
    }

    init(_ block: Block) {}
    private init(levels: UInt32) { self.levels = levels }
}

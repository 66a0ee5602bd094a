import Formats

/// The FPGA's own registers on Arm's MPS2 board: two LEDs, counters at 1 Hz and 100 Hz, one behind a prescaler (ARM DAI 0386).
/// Buttons are not modelled: nobody presses them.
struct MPS2InputOutput: Peripheral {
    static let type = BlockType("mps2-fpgaio", "LEDs and counters of an MPS2 board", hasClock: true, pins: 2...2)

    private let pins: [Int]
    private let hertz: Int64
    private var leds: UInt32 = 0
    private var prescale: UInt32 = 0
    private var misc: UInt32 = 0
    /// When each slow counter was at 0, in nanoseconds; before the run's start for one that was set.
    private var begun: [Int64] = [0, 0]
    private var counter: UInt32 = 0
    private var prescaler: UInt32 = 0
    private var since: Int64 = 0

    init(_ block: Block) { (pins, hertz) = (block.pins, block.clockHertz ?? 1) }

    private static let periods: [Int64] = [1_000_000_000, 10_000_000]

    private func ticks(_ now: Int64) -> Int64 {
        let (seconds, rest) = max(0, now - since).quotientAndRemainder(dividingBy: 1_000_000_000)
        return seconds * hertz + rest * hertz / 1_000_000_000
    }

    private func instant(_ tick: Int64) -> Int64 {
        let (seconds, rest) = tick.quotientAndRemainder(dividingBy: hertz)
        return since + seconds * 1_000_000_000 + (rest * 1_000_000_000 + hertz - 1) / hertz
    }

    /// The prescaler counts down to 0 and begins anew; the counter counts its rounds.
    private mutating func count(_ now: Int64) {
        let passed = ticks(now)
        let first = Int64(prescaler)
        since = instant(passed)
        guard passed >= first, passed > 0 else {
            prescaler -= UInt32(passed)
            return
        }
        let beyond = passed - first
        if prescale == 0 {
            (prescaler, counter) = (0, counter &+ UInt32(truncatingIfNeeded: beyond))
        } else {
            let (period, place) = (Int64(prescale) + 1, beyond + Int64(prescale))
            prescaler = prescale - UInt32(place % period)
            counter = counter &+ UInt32(truncatingIfNeeded: place / period)
        }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x00: return leds
        case 0x08: return 0
        case 0x10, 0x14:
            let index = Int(offset >> 2 & 1)
            return UInt32(truncatingIfNeeded: (bus.now - begun[index]) / Self.periods[index])
        case 0x18, 0x20:
            count(bus.now)
            return offset == 0x18 ? counter : prescaler
        case 0x1C: return prescale
        case 0x4C: return misc
        default:
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        switch offset {
        case 0x10, 0x14:
            let index = Int(offset >> 2 & 1)
            return begun[index] + ((now - begun[index]) / Self.periods[index] + 1) * Self.periods[index]
        case 0x18, 0x20: return instant(ticks(now) + 1)
        default: return .max
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        switch offset {
        case 0x00:
            let changed = (leds ^ value) & 3
            leds = value & 3
            for (index, pin) in pins.enumerated() where changed >> UInt32(index) & 1 != 0 {
                bus.world.output(pin: pin, isHigh: leds >> UInt32(index) & 1 != 0, at: bus.now)
            }
        case 0x10, 0x14:
            let index = Int(offset >> 2 & 1)
            begun[index] = bus.now - Int64(value) * Self.periods[index]
        case 0x18:
            count(bus.now)
            counter = value
        case 0x1C:
            count(bus.now)
            prescale = value
        case 0x20:
            count(bus.now)
            prescaler = value
        case 0x4C: misc = value
        default: bus.isUnmodelled = true
        }
    }
}

import Formats

/// The APB timer of Arm's design kit (ARM DDI 0479 §3.2): counts down, and asks for its interrupt at each 0. What its external
/// input would clock or enable is not modelled.
struct CMSDKTimer: Peripheral {
    static let type = BlockType("cmsdk-apb-timer", "32-bit timer that counts down", interrupts: ["irq"], hasClock: true)

    private var control: UInt32 = 0
    private var counter: DownCounter
    private var status: UInt32 = 0

    init(_ block: Block) { counter = DownCounter(hertz: block.clockHertz ?? 1, limit: 0) }

    var lines: UInt32 { status }
    var nextEvent: Int64 { counter.zeroAt }
    private var isEnabled: Bool { control & 1 != 0 }

    mutating func advance(_ bus: Bus) { if counter.takeZero(bus.now), control & 8 != 0 { status = 1 } }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00: return control
        case 0x04: return counter.value(bus.now)
        case 0x08: return counter.limit
        case 0x0C: return status
        default:
            if let value = CMSDKIdentification.read(offset, part: 0x22) { return value }
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x04 ? counter.nextChange(now) : nextEvent }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00:
            if value & 6 != 0 { bus.isUnmodelled = true }
            control = value & 0xF
            if isEnabled { counter.run(isOneShot: counter.limit == 0, bus.now) } else { counter.stop(bus.now) }
        case 0x04:
            if value == 0, counter.limit == 0 { counter.stop(bus.now) }
            counter.set(value, bus.now)
            if value > 0, isEnabled { counter.run(isOneShot: counter.limit == 0, bus.now) }
        case 0x08:
            if value == 0 { counter.stop(bus.now) }
            counter.setLimit(value, bus.now)
            // It begins from there at once.
            counter.set(value, bus.now)
            if value > 0, isEnabled { counter.run(isOneShot: false, bus.now) }
        case 0x0C: status &= ~value
        default: bus.isUnmodelled = true
        }
    }
}

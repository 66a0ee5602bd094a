import Formats

/// The watchdog of one core, which resets that core and nothing else (mt3620-silicon §2.13, HW-33).
struct Watchdog: Peripheral {
    static let type = BlockType("mt3620-wdt", "watchdog of a real-time core", interrupts: ["expired"])
    private var mode: UInt32 = 0
    private var length: UInt32 = 0x7FF << 5
    private var status: UInt32 = 0
    private var interval: UInt32 = 0
    private var expiresAt = Int64.max
    /// Expired, in the mode in which that is an interrupt.
    private var isPending = false
    private var softwareInterrupt = false

    init(_ block: Block) {}

    var lines: UInt32 { isPending || softwareInterrupt ? 1 : 0 }
    var nextEvent: Int64 { expiresAt }

    /// What a reset of the core leaves of it: why the core was reset.
    mutating func reset(_ block: Block) {
        let status = status
        self = Watchdog(block)
        self.status = status
    }

    private mutating func restart(_ now: Int64) {
        // Ticks of 1/32 s, in the upper bits of the register.
        expiresAt = mode & 1 != 0 ? now + Int64((length >> 5 & 0x7FF) + 1) * 1_000_000_000 / 32 : .max
    }

    mutating func advance(_ bus: Bus) {
        guard expiresAt <= bus.now else { return }
        expiresAt = .max
        if mode & 8 != 0 {
            isPending = true
        } else {
            status = 0x8000
            bus.wantsReset = true
        }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x30: mode
        case 0x34: length
        case 0x3C: status
        case 0x40: interval
        default: 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        // Writes without their key are ignored.
        switch offset {
        case 0x30 where value & 0xFF00 == 0x2200:
            let wasOn = mode & 1 != 0
            mode = value & 0xFF
            if !wasOn || mode & 1 == 0 { restart(bus.now) }
        case 0x34 where value & 0x1F == 0x08:
            length = value & 0xFFE0
            restart(bus.now)
        case 0x38 where value == 0x1971:
            isPending = false
            restart(bus.now)
        case 0x40: interval = value
        case 0x44 where value == 0x1209:
            status = 0x4000
            bus.wantsReset = true
        case 0x80:
            if value & 1 << 31 != 0 { softwareInterrupt = true }
            if value & 1 << 30 != 0 { softwareInterrupt = false }
        default: break
        }
    }
}

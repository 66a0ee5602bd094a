/// GPT0 and GPT1: count down, one shot or again and again, IRQ 1 (mt3620-silicon §2.4).
/// GPT2: counts up, free-running.
struct GeneralPurposeTimers {
    private struct Timer {
        var control: UInt32 = 0
        var initial: UInt32 = 0
        var expiry = Int64.max
        var isEnabled: Bool { control & 1 != 0 }

        /// Exactly 32768/33 Hz (CT) or 32.768 kHz.
        var hertz: Double { control & 4 != 0 ? 32_768 : 32_768 / 33 }
        var period: Int64 { max(1, Int64(Double(initial) * 1e9 / hertz)) }
    }

    private var timers = [Timer(), Timer()]
    private var status: UInt32 = 0
    private var enable: UInt32 = 0
    private var freeControl: UInt32 = 0
    private var freeStart: Int64 = 0

    var isAsserting: Bool { status & enable != 0 }
    var nextExpiry: Int64 { timers.map(\.expiry).min() ?? .max }

    mutating func advance(to now: Int64) {
        for index in timers.indices where timers[index].expiry <= now {
            status |= 1 << UInt32(index)
            if timers[index].control & 2 != 0 {
                let period = timers[index].period
                timers[index].expiry += period * ((now - timers[index].expiry) / period + 1)
            } else {
                timers[index].control &= ~1
                timers[index].expiry = .max
            }
        }
    }

    mutating func read(_ offset: UInt32, at now: Int64) -> UInt32 {
        advance(to: now)
        switch offset {
        case 0x00: return status
        case 0x04: return enable
        case 0x10, 0x20: return timers[Int(offset >> 4) - 1].control
        case 0x14, 0x24: return timers[Int(offset >> 4) - 1].initial
        case 0x30: return freeControl
        case 0x34:
            guard freeControl & 1 != 0 else { return 0 }
            let hertz = freeControl & 2 != 0 ? 32_768 : 32_768.0 / 33
            return UInt32(truncatingIfNeeded: Int64(Double(now - freeStart) * hertz / 1e9))
        case 0x40, 0x44:
            let timer = timers[Int(offset >> 2) & 1]
            guard timer.expiry != .max else { return 0 }
            return UInt32(truncatingIfNeeded: Int64(Double(timer.expiry - now) * timer.hertz / 1e9))
        default: return 0
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, at now: Int64) {
        advance(to: now)
        switch offset {
        case 0x00: status &= ~value
        case 0x04: enable = value & 3
        case 0x10, 0x20:
            let index = Int(offset >> 4) - 1
            let wasEnabled = timers[index].isEnabled
            timers[index].control = value & 7
            if !timers[index].isEnabled {
                timers[index].expiry = .max
            } else if !wasEnabled || value & 8 != 0 {
                timers[index].expiry = now + timers[index].period
            }
        case 0x14, 0x24: timers[Int(offset >> 4) - 1].initial = value
        case 0x30:
            if freeControl & 1 == 0 && value & 1 != 0 { freeStart = now }
            freeControl = value & 3
        default: break
        }
    }
}

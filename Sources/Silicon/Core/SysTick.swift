/// The system timer, counting down at the core's clock (ARM DDI 0403E B3.3).
struct SysTick: Codable {
    private var control: UInt32 = 0
    private var reload: UInt32 = 0
    private var countFlag = false
    /// The cycle at which the counter reaches zero next, while it runs.
    private var zeroAt: Int64 = .max
    /// Where the period that runs began to count from: the reload register may have changed since.
    private var top: Int64 = 0
    /// What the counter holds while it stands.
    private var held: Int64 = 0

    private var isCounting: Bool { control & 1 != 0 && zeroAt != .max }

    /// When it next asks for its exception.
    var nextEvent: Int64 { control & 3 == 3 ? zeroAt : .max }

    /// True if zero was passed and the exception is asked for.
    mutating func advance(to cycle: Int64) -> Bool {
        guard isCounting, cycle >= zeroAt else { return false }
        countFlag = true
        if reload == 0 {
            // With nothing to reload it stands still.
            (zeroAt, held) = (.max, 0)
        } else {
            let period = Int64(reload) + 1
            zeroAt += period * ((cycle - zeroAt) / period + 1)
            top = Int64(reload)
        }
        return control & 2 != 0
    }

    private func value(at cycle: Int64) -> UInt32 {
        guard isCounting else { return UInt32(held) }
        let left = zeroAt - cycle
        // It stands at zero for a cycle before it reloads.
        return left > top ? 0 : UInt32(max(0, left))
    }

    mutating func read(_ offset: UInt32, at cycle: Int64) -> UInt32 {
        switch offset {
        case 0x10:
            defer { countFlag = false }
            return control | (countFlag ? 1 << 16 : 0)
        case 0x14: return reload
        case 0x18: return value(at: cycle)
        default: return 0x4000_0000  // CALIB: no 10 ms value is known
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, at cycle: Int64) {
        switch offset {
        case 0x10:
            let now = Int64(self.value(at: cycle))
            let wasEnabled = control & 1 != 0
            control = value & 7
            if control & 1 == 0 {
                (zeroAt, held) = (.max, now)
            } else if !wasEnabled {
                start(from: now, at: cycle)
            }
        case 0x14:
            reload = value & 0xFF_FFFF
            if control & 1 != 0 && zeroAt == .max { start(from: held, at: cycle) }
        case 0x18:
            countFlag = false
            held = 0
            if control & 1 != 0 { start(from: 0, at: cycle) }
        default: break
        }
    }

    private mutating func start(from value: Int64, at cycle: Int64) {
        top = value > 0 ? value : Int64(reload)
        if value > 0 {
            zeroAt = cycle + value
        } else {
            zeroAt = reload == 0 ? .max : cycle + Int64(reload) + 1
        }
    }
}

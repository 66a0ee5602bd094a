import Formats

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
    /// Cycles of the core that one tick of the chip's reference takes; nil where there is none.
    private let reference: Int64?
    /// What CALIB reads as.
    private let calibration: UInt32

    init(_ core: ChipDescription.Core) {
        reference = core.referenceHertz.map { core.clockHertz / $0 }
        // Ticks of the reference in 10 ms, less one; without one, no value is known.
        calibration = core.referenceHertz.map { UInt32(truncatingIfNeeded: $0 / 100 - 1) & 0xFF_FFFF } ?? 0x4000_0000
    }

    /// Cycles of one tick.
    private var step: Int64 { control & 4 == 0 ? reference ?? 1 : 1 }

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
            let period = (Int64(reload) + 1) * step
            zeroAt += period * ((cycle - zeroAt) / period + 1)
            top = Int64(reload)
        }
        return control & 2 != 0
    }

    private func value(at cycle: Int64) -> UInt32 {
        guard isCounting else { return UInt32(held) }
        let left = (zeroAt - cycle + step - 1) / step
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
        default: return calibration
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, at cycle: Int64) {
        switch offset {
        case 0x10:
            let now = Int64(self.value(at: cycle))
            let (wasEnabled, oldStep) = (control & 1 != 0, step)
            control = value & 7
            if control & 1 == 0 {
                (zeroAt, held) = (.max, now)
            } else if !wasEnabled || step != oldStep {
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
            zeroAt = cycle + value * step
        } else {
            zeroAt = reload == 0 ? .max : cycle + (Int64(reload) + 1) * step
        }
    }
}

/// One PWM controller with four channels; what is kicked is latched (mt3620-silicon §2.8).
struct PulseWidthModulator: Peripheral {
    private let controller: Int
    private var registers: RegisterFile = [0: 0xE400]

    init(controller: Int) { self.controller = controller }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { registers[offset] ?? 0 }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        let before = registers[offset] ?? 0
        let isKick = value & 1 != 0 && (offset == 0 || offset & 0xF == 0 && offset >= 0x100)
        // A kick clears itself: what a driver reads and writes back later is none.
        registers[offset] = isKick ? value & ~1 : value
        for channel in 0..<4 {
            let base = 0x100 + 0x10 * UInt32(channel)
            let follows = (registers[base] ?? 0) & 1 << 5 != 0
            let isStopped = offset == base && before & ~value == 1 << 4 && value & ~before == 0
            if isKick && (offset == base || offset == 0 && follows) || isStopped { kick(channel, bus) }
        }
    }

    private func kick(_ channel: Int, _ bus: Bus) {
        let base = 0x100 + 0x10 * UInt32(channel)
        let control = registers[base] ?? 0
        let timing = registers[base + 4] ?? 0
        let (on, off) = (Double(timing & 0xFFFF), Double(timing >> 16))
        let isClocked = control & 1 << 4 != 0
        var duty = isClocked && on + off > 0 ? on / (on + off) : 0
        if control & 1 << 2 != 0 { duty = 1 - duty }  // polarity
        bus.world.pulseWidth(controller: controller, channel: channel, duty: duty, at: bus.now)
    }
}

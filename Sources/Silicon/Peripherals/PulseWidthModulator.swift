import Formats

/// One PWM controller with four channels (mt3620-silicon §2.8): a kick latches what is to be played, and it is played while
/// the channel has its clock. Drivers kick before or after they give it.
struct PulseWidthModulator: Peripheral {
    static let type = BlockType("mt3620-pwm", "PWM controller of four channels", place: "pwm", units: 0...2)
    private struct Channel: Codable {
        /// On and off times of the last kick.
        var latched: UInt32 = 0
        /// Latched, or stopped by its clock alone: it begins when the clock comes.
        var waitsForClock = false
    }

    private let controller: Int
    private var registers: RegisterFile = [0: 0xE400]
    private var channels = [Channel](repeating: Channel(), count: 4)

    init(_ block: Block) { controller = block.unit ?? 0 }

    private func control(_ channel: Int) -> UInt32 { registers[0x100 + 0x10 * UInt32(channel)] ?? 0 }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { registers[offset] ?? 0 }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        let own = offset >= 0x100 && offset < 0x140 && offset & 0xF == 0 ? Int(offset - 0x100) / 0x10 : nil
        let isKick = value & 1 != 0 && (own != nil || offset == 0)
        let before = registers[offset] ?? 0
        // A kick clears itself: what a driver reads and writes back later is none.
        registers[offset] = isKick ? value & ~1 : value
        for channel in channels.indices where isKick && (own == channel || offset == 0 && control(channel) & 1 << 5 != 0) {
            channels[channel].latched = registers[0x104 + 0x10 * UInt32(channel)] ?? 0
            channels[channel].waitsForClock = true
            play(channel, bus)
        }
        guard let own, !isKick else { return }
        if before != value && before == value | 1 << 4 {
            channels[own].waitsForClock = true
            show(own, 0, bus)
        }
        play(own, bus)
    }

    private mutating func play(_ channel: Int, _ bus: Bus) {
        guard channels[channel].waitsForClock, control(channel) & 1 << 4 != 0 else { return }
        channels[channel].waitsForClock = false
        let (on, off) = (Double(channels[channel].latched & 0xFFFF), Double(channels[channel].latched >> 16))
        show(channel, on + off > 0 ? on / (on + off) : 0, bus)
    }

    private func show(_ channel: Int, _ share: Double, _ bus: Bus) {
        let duty = control(channel) & 1 << 2 != 0 ? 1 - share : share  // polarity
        bus.world.pulseWidth(controller: controller, channel: channel, duty: duty, at: bus.now)
    }
}

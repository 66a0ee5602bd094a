/// One PWM controller with four channels; what is kicked is latched (mt3620-silicon §2.8).
struct PulseWidthModulator {
    private var registers: [UInt32: UInt32] = [0: 0xE400]

    func read(_ offset: UInt32) -> UInt32 { registers[offset] ?? 0 }

    /// Returns the channel and its new duty when an output is kicked.
    mutating func write(_ offset: UInt32, _ value: UInt32) -> (channel: Int, duty: Double)? {
        registers[offset] = value
        guard offset >= 0x100, offset < 0x140, offset & 0xF == 0, value & 1 != 0 else { return nil }
        let timing = registers[offset + 4] ?? 0
        let (on, off) = (Double(timing & 0xFFFF), Double(timing >> 16))
        guard value & 16 != 0 else { return (Int(offset - 0x100) / 16, 0) }  // clock enable
        return (Int(offset - 0x100) / 16, on + off > 0 ? on / (on + off) : 0)
    }
}

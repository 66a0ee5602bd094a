/// The ADC in one-shot mode: one sample for each mapped channel into a FIFO of 32 (mt3620-silicon §2.9).
struct AnalogDigitalConverter {
    private static let depth = 32
    private var registers: [UInt32: UInt32] = [0x260: 7 << 2]
    private var samples: [UInt32] = []

    /// IRQ 70: enough samples, and the program asked to be told.
    var isAsserting: Bool {
        let trigger = Int((registers[0x260] ?? 0) >> 2 & 0x1F)
        return (registers[0x204] ?? 0) & 1 != 0 && !samples.isEmpty && samples.count >= trigger
    }

    mutating func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x200: samples.isEmpty ? 0 : samples.removeFirst()
        case 0x208, 0x214: samples.isEmpty ? 0 : 1
        case 0x2D4: UInt32(samples.count) << 5
        default: registers[offset] ?? 0
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ sample: (Int) -> UInt32) {
        let starts = offset == 0x100 && value & 1 != 0 && (registers[0x100] ?? 0) & 1 == 0
        registers[offset] = value
        guard starts else { return }
        for channel in 0..<16 where value >> 16 & 1 << UInt32(channel) != 0 && samples.count < Self.depth {
            samples.append(UInt32(channel) | (sample(channel) & 0xFFF) << 4)
        }
    }
}

import Formats

/// The ADC: one sample for each mapped channel, once or every period, into a FIFO of 32 (mt3620-silicon §2.9).
struct AnalogDigitalConverter: Peripheral {
    static let type = BlockType(
        "mt3620-adc", "analog-to-digital converter of 8 channels", interrupts: ["ready"], place: "adc", usesDMA: true)
    private static let depth = 32
    /// PERIOD counts these.
    private static let periodHertz: Int64 = 2_000_000
    /// Of one conversion: 16 clocks, our estimate. Drivers that wait for the interrupt in WFI need it to take some time.
    private static let conversionNanoseconds: Int64 = 8_000
    private var registers: RegisterFile = [0x260: 7 << 2]
    private var samples: [UInt32] = []
    private var samplesAt = Int64.max
    private var written: UInt32 = 0
    private var taken: UInt32 = 0

    init(_ block: Block) {}

    private var control: UInt32 { registers[0x100] ?? 0 }
    private var isPeriodic: Bool { control & 1 << 8 != 0 }
    private var period: Int64 { max(1, Int64(registers[0x104] ?? 0)) * 1_000_000_000 / Self.periodHertz }

    /// IRQ 70: enough samples, and the program asked to be told.
    private var isAsserting: Bool {
        let trigger = Int((registers[0x260] ?? 0) >> 2 & 0x1F)
        return (registers[0x204] ?? 0) & 1 != 0 && !samples.isEmpty && samples.count >= trigger
    }

    var lines: UInt32 { isAsserting ? 1 : 0 }
    var nextEvent: Int64 { samplesAt }

    mutating func advance(_ bus: Bus) {
        while samplesAt <= bus.now {
            sample(bus, at: samplesAt)
            samplesAt = isPeriodic ? samplesAt + period : .max
        }
    }

    private mutating func sample(_ bus: Bus, at now: Int64) {
        for channel in 0..<16 where control >> 16 & 1 << UInt32(channel) != 0 && samples.count < Self.depth {
            samples.append(UInt32(channel) | (bus.world.analogInput(channel: channel, at: now) & 0xFFF) << 4)
            written = (written + 1) & 31
        }
    }

    /// Stops, and forgets what was sampled; how it is set up stays.
    private mutating func stop() {
        registers[0x100] = control & ~1
        (samples, samplesAt, written, taken) = ([], .max, 0, 0)
    }

    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] {
        guard (registers[0x24C] ?? 0) & 1 != 0 else { return [] }
        taken = written
        defer { samples = [] }
        return samples.flatMap(\.littleEndianBytes)
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x200:
            guard !samples.isEmpty else { return 0 }
            taken = (taken + 1) & 31
            return samples.removeFirst()
        case 0x208: return isAsserting ? 4 : samples.isEmpty ? 1 : 0xC
        case 0x214: return samples.isEmpty ? 0 : 1
        case 0x2D4: return taken | written << 5
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x200 ? .min : samplesAt }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        let starts = offset == 0x100 && value & 1 != 0 && control & 1 == 0
        registers[offset] = value
        if offset == 0, value & 1 == 0 { stop() }
        guard offset == 0x100 else { return }
        if value & 1 == 0 { samplesAt = .max }
        // CTL0 [3:1]: the mean of 2ⁿ conversions.
        let conversions = Int64((control >> 16).nonzeroBitCount) << Int64(control >> 1 & 7)
        if starts { samplesAt = bus.now + conversions * Self.conversionNanoseconds }
    }
}

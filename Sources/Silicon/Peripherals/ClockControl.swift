import Formats

/// RGU: which clock the core runs at, and storage for what low-power code sets (mt3620-silicon §2.3).
struct ClockControl: Peripheral {
    static let type = BlockType("mt3620-rgu", "reset and clock selection of a real-time core")
    private var registers = RegisterFile()

    init(_ block: Block) {}

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { registers[offset] ?? 0 }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        // Deep sleep takes the memory's power; here the core wakes where it slept.
        if offset == 0, value & 2 != 0 { bus.isUnmodelled = true }
        switch offset {
        case 0x04: registers[offset, default: 0] &= ~(value & 1)
        case 0x0C:
            registers[offset] = value
            bus.wantedHertz = [CoreClock.crystalHertz, 32_768, 197_600_000][min(2, Int(value >> 8 & 7))]
        default: registers[offset] = value
        }
    }
}

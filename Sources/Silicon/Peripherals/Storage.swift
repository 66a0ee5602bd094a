import Formats

/// Registers that keep what is written, where what they do is not modelled and drivers read it back.
struct Storage: Peripheral {
    static let type = BlockType("storage", "keeps what is written")
    private var registers = RegisterFile()

    init(_ block: Block) {}

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { registers[offset] ?? 0 }
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) { registers[offset] = value }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }
}

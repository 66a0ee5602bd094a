import Formats

/// Reads the same everywhere, and ignores writes: a strap, an identification, a ROM that is empty.
struct Constant: Peripheral {
    static let type = BlockType(
        "constant", "reads one value, ignores writes", settings: [.init("value", in: 0...0xFFFF_FFFF, isRequired: true)])
    private let value: UInt32

    init(_ block: Block) { value = UInt32(truncatingIfNeeded: block["value"] ?? 0) }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { value }
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {}
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }
}

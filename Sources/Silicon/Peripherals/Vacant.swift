import Formats

/// Stands in the place of a block while that acts on the others.
struct Vacant: Peripheral {
    static let type = BlockType("vacant", "nothing")
    init(_ block: Block) {}
    init() {}
    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { 0 }
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {}
}

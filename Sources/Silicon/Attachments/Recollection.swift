import Formats

/// What an attachment remembers, as bytes: numbers and blocks in one order, both ways. What a file that somebody has changed
/// lacks is 0 or empty.
struct Recollection {
    private(set) var bytes: [UInt8] = []
    private var offset = 0

    init() {}
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func add(_ number: Int64) { bytes += UInt64(bitPattern: number).littleEndianBytes }
    mutating func add(_ number: Int) { add(Int64(number)) }
    mutating func add(_ flag: Bool) { add(flag ? 1 : 0) }
    mutating func add(_ block: [UInt8]) {
        add(block.count)
        bytes += block
    }

    mutating func number() -> Int64 {
        defer { offset += 8 }
        return Bytes(bytes).u64(offset).map { Int64(bitPattern: $0) } ?? 0
    }
    mutating func flag() -> Bool { number() != 0 }
    mutating func integer(in range: ClosedRange<Int>) -> Int { min(max(Int(number()), range.lowerBound), range.upperBound) }
    mutating func block() -> [UInt8] {
        let count = Int(number())
        guard count >= 0, count <= bytes.count, let block = Bytes(bytes).block(offset, count) else { return [] }
        offset += count
        return block
    }
}

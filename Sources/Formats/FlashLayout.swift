/// Where things lie in the 16 MiB of flash. The original's layout is not public; this one keeps its
/// ideas: two partition tables, two copies of each image (UP-5).
public struct FlashLayout: Equatable, Sendable {
    public static let totalBytes = 16 << 20
    public static let sectorBytes = 4096
    public static let tableOffsets = [0, sectorBytes]
    /// Mutable settings of the OS: two banks that take turns.
    public static let settingsOffset = totalBytes - 256 * 1024
    public static let settingsBytes = 256 * 1024
    /// Where images lie: behind the tables, up to the keys and settings.
    public static let imageArea = 64 << 10..<softwareKeyOffset
    /// Where device keys lie when there is no hardware root of trust.
    public static let softwareKeyOffset = settingsOffset - sectorBytes

    /// Where the code of 1BL lies in the security core's memory: behind its key and its own length, which begin its body.
    public static let loaderAddress: UInt32 = 0x0010_0044

    public enum Slot: UInt16, Sendable { case primary, backup }

    public struct Entry: Equatable, Sendable {
        public var type: UInt16
        public var slot: Slot
        public var offset: UInt32
        public var length: UInt32
        public init(type: UInt16, slot: Slot, offset: UInt32, length: UInt32) {
            self.type = type
            self.slot = slot
            self.offset = offset
            self.length = length
        }
    }

    public enum Failure: Error, Equatable, Sendable { case badMagic, badChecksum, badEntry }

    /// Of two readable tables the one with the higher generation counts: writing the other one and being done is
    /// what makes an update happen.
    public var generation: UInt32
    public var entries: [Entry]
    public init(generation: UInt32 = 1, entries: [Entry]) {
        self.generation = generation
        self.entries = entries
    }

    /// The copies of each image of a type, in the order in which they are tried: the primary, and then its backup.
    public func copies(_ type: ImageType) -> [[Entry]] {
        let all = entries.filter { $0.type == type.rawValue }
        let backups = all.filter { $0.slot == .backup }
        return all.filter { $0.slot == .primary }.enumerated().map { [$1] + backups.dropFirst($0).prefix(1) }
    }

    static let magic: UInt32 = 0x3254_504F  // "OPT2"

    /// One sector: magic, generation, count, entries of 12 bytes, CRC-32 of all before it.
    public func encoded() -> [UInt8] {
        var bytes = FlashLayout.magic.littleEndianBytes + generation.littleEndianBytes
        bytes += UInt32(entries.count).littleEndianBytes
        for entry in entries {
            bytes += entry.type.littleEndianBytes + entry.slot.rawValue.littleEndianBytes
            bytes += entry.offset.littleEndianBytes + entry.length.littleEndianBytes
        }
        return bytes + crc32(bytes).littleEndianBytes
    }

    public init(sector: [UInt8]) throws(Failure) {
        let bytes = Bytes(sector)
        guard bytes.u32(0) == FlashLayout.magic, let generation = bytes.u32(4), let count = bytes.u32(8), count <= 256 else {
            throw .badMagic
        }
        let end = 12 + Int(count) * 12
        guard let covered = bytes.block(0, end), bytes.u32(end) == crc32(covered) else { throw .badChecksum }
        var entries: [Entry] = []
        for index in 0..<Int(count) {
            let at = 12 + index * 12
            guard let type = bytes.u16(at), let slot = bytes.u16(at + 2).flatMap(Slot.init(rawValue:)),
                let offset = bytes.u32(at + 4), let length = bytes.u32(at + 8),
                Int(offset) + Int(length) <= FlashLayout.totalBytes
            else { throw .badEntry }
            entries.append(Entry(type: type, slot: slot, offset: offset, length: length))
        }
        self.init(generation: generation, entries: entries)
    }

    /// The table that counts, of those that can be read.
    public static func newest(_ read: (_ offset: Int, _ count: Int) throws -> [UInt8]) -> FlashLayout? {
        tableOffsets.compactMap { try? FlashLayout(sector: read($0, sectorBytes)) }.max { $0.generation < $1.generation }
    }

    /// The place in ``entries`` of the n-th image of a type in a slot: the n-th primary copy and the n-th backup
    /// copy are of the same component.
    public func place(_ type: ImageType, _ ordinal: Int, _ slot: Slot) -> Int? {
        let places = entries.indices.filter { entries[$0].type == type.rawValue && entries[$0].slot == slot }
        return ordinal < places.count ? places[ordinal] : nil
    }

    /// The first stretch of whole sectors that no image of this table and none of `taken` uses.
    public func free(_ count: Int, besides taken: [Range<Int>] = []) -> Int? {
        let sector = FlashLayout.sectorBytes
        func up(_ value: Int) -> Int { (value + sector - 1) / sector * sector }
        let used = (entries.map { Int($0.offset)..<up(Int($0.offset) + Int($0.length)) } + taken.map { $0.lowerBound..<up($0.upperBound) })
            .sorted { $0.lowerBound < $1.lowerBound }
        var start = FlashLayout.imageArea.lowerBound
        for range in used {
            if range.lowerBound - start >= up(count) { return start }
            start = max(start, range.upperBound)
        }
        return FlashLayout.imageArea.upperBound - start >= up(count) ? start : nil
    }
}

/// CRC-32 (IEEE 802.3, reflected).
public func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
}

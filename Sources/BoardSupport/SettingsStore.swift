public import DeviceServices
import Formats
public import Silicon

/// Named byte strings in flash that survive a power cut at any instant.
///
/// Two banks take turns. A bank is a header and records that are only ever appended; a record counts when
/// its checksum is right. One with key 0 holds others, which count together. When a bank is full, what is current is copied to the other
/// bank, whose header is written last.
public struct SettingsStore: SettingsKeeper {
    private static let magic: [UInt8] = Array("SET1".utf8)
    private static let bankBytes = FlashLayout.settingsBytes / 2
    private let flash: Flash
    private var bank = 0
    private var generation: UInt32 = 0
    private var end = 0
    private var values: [UInt16: [UInt8]] = [:]

    public init(flash: Flash) throws(SiliconError) {
        self.flash = flash
        for candidate in 0..<2 {
            let header = try flash.read(SettingsStore.offset(candidate), 12)
            guard Array(header[..<4]) == SettingsStore.magic, crc32(Array(header[..<8])) == Bytes(header).u32(8),
                let found = Bytes(header).u32(4)
            else { continue }
            if found >= generation { (bank, generation) = (candidate, found) }
        }
        if generation == 0 { try format(bank: 0, generation: 1) } else { try load() }
    }

    public subscript(key: SettingsKey) -> [UInt8]? { values[key.rawValue] }

    public mutating func set(_ key: SettingsKey, _ value: [UInt8]) throws(SiliconError) { try set([(key, value)]) }

    public mutating func set(_ values: [(key: SettingsKey, value: [UInt8])]) throws(SiliconError) {
        let changes = values.filter { self.values[$0.key.rawValue] != $0.value }
        guard let first = changes.first else { return }
        var next = self.values
        for (key, value) in changes { next[key.rawValue] = value }
        let inner = changes.map { SettingsStore.head($0.key.rawValue, $0.value) + $0.value }
        // What cannot be kept is refused before anything is given up for it.
        let total = next.values.reduce(12) { $0 + 8 + $1.count }
        let longest = max(changes.map(\.value.count).max() ?? 0, changes.count > 1 ? inner.reduce(0) { $0 + $1.count } : 0)
        guard longest <= 0xFFFF, total <= SettingsStore.bankBytes else {
            throw .outOfRange(offset: FlashLayout.settingsOffset, count: max(longest, total))
        }
        self.values = next
        let record =
            changes.count == 1
            ? SettingsStore.record(first.key.rawValue, first.value) : SettingsStore.record(SettingsStore.several, Array(inner.joined()))
        if end + record.count + 4 > SettingsStore.bankBytes {
            try compact()
        } else {
            try flash.program(SettingsStore.offset(bank) + end, record)
            end += record.count
        }
    }

    public mutating func remove(_ key: SettingsKey) throws(SiliconError) {
        if values[key.rawValue] != nil { try set(key, []) }
        values[key.rawValue] = nil
    }

    private static func offset(_ bank: Int) -> Int { FlashLayout.settingsOffset + bank * bankBytes }

    /// The key of a record whose data is {key u16, length u16, data} of several.
    private static let several: UInt16 = 0

    /// {key u16, length u16, data, CRC-32 of all before it}
    private static func record(_ key: UInt16, _ value: [UInt8]) -> [UInt8] {
        let body = head(key, value) + value
        return body + crc32(body).littleEndianBytes
    }

    private static func head(_ key: UInt16, _ value: [UInt8]) -> [UInt8] {
        key.littleEndianBytes + UInt16(value.count).littleEndianBytes
    }

    private mutating func take(_ key: UInt16, _ value: ArraySlice<UInt8>) {
        guard key == SettingsStore.several else {
            values[key] = value.isEmpty ? nil : Array(value)
            return
        }
        let words = Bytes(Array(value))
        var at = 0
        while let head = words.u32(at), let inner = words.block(at + 4, Int(head >> 16)) {
            // Nothing is kept in what is kept.
            let key = UInt16(truncatingIfNeeded: head)
            if key != SettingsStore.several { take(key, inner[...]) }
            at += 4 + inner.count
        }
    }

    private mutating func load() throws(SiliconError) {
        let content = try flash.read(SettingsStore.offset(bank), SettingsStore.bankBytes)
        let words = Bytes(content)
        end = 12
        while end + 8 <= content.count, let head = words.u32(end) {
            let length = Int(head >> 16)
            guard head != 0xFFFF_FFFF, end + 8 + length <= content.count else { break }
            let body = Array(content[end..<end + 4 + length])
            // A record that a power cut tore is skipped: its length was written with it.
            if crc32(body) == words.u32(end + 4 + length) {
                take(UInt16(truncatingIfNeeded: head), body[4...])
            }
            end += 8 + length
        }
    }

    private mutating func compact() throws(SiliconError) {
        let kept = values
        try format(bank: 1 - bank, generation: generation + 1, keeping: kept)
    }

    private mutating func format(
        bank: Int, generation: UInt32, keeping kept: [UInt16: [UInt8]] = [:]
    ) throws(SiliconError) {
        let offset = SettingsStore.offset(bank)
        for sector in 0..<SettingsStore.bankBytes / Flash.sectorBytes {
            try flash.erase(sector: offset / Flash.sectorBytes + sector)
        }
        var position = 12
        for (key, value) in kept.sorted(by: { $0.key < $1.key }) {
            let record = SettingsStore.record(key, value)
            try flash.program(offset + position, record)
            position += record.count
        }
        let header = SettingsStore.magic + generation.littleEndianBytes
        try flash.program(offset, header + crc32(header).littleEndianBytes)
        (self.bank, self.generation, end) = (bank, generation, position)
    }
}

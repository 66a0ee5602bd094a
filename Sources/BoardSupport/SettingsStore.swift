public import DeviceServices
import Formats
public import Silicon

/// Named byte strings in flash that survive a power cut at any instant.
///
/// Two banks take turns. A bank is a header and records that are only ever appended; a record counts when
/// its checksum is right. When a bank is full, what is current is copied to the other bank, whose header is
/// written last.
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

    public mutating func set(_ key: SettingsKey, _ value: [UInt8]) throws(SiliconError) {
        guard values[key.rawValue] != value else { return }
        var next = values
        next[key.rawValue] = value
        // What cannot be kept is refused before anything is given up for it.
        let total = next.values.reduce(12) { $0 + 8 + $1.count }
        guard value.count <= 0xFFFF, total <= SettingsStore.bankBytes else {
            throw .outOfRange(offset: FlashLayout.settingsOffset, count: total)
        }
        values = next
        let record = SettingsStore.record(key.rawValue, value)
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

    /// {key u16, length u16, data, CRC-32 of all before it}
    private static func record(_ key: UInt16, _ value: [UInt8]) -> [UInt8] {
        let body = key.littleEndianBytes + UInt16(value.count).littleEndianBytes + value
        return body + crc32(body).littleEndianBytes
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
                values[UInt16(truncatingIfNeeded: head)] = length == 0 ? nil : Array(body[4...])
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

import Formats
import SecureChannel
import Silicon

/// The images in flash: two copies of each, and the tables that say which count (UP-5).
///
/// Every change is made beside what is in use and counts from the moment at which the other table is whole, so
/// that power may go at any operation.
struct ImageStore {
    private let flash: Flash
    private(set) var layout: FlashLayout
    private var tableInUse: Int

    /// Nil if no table is readable.
    init?(flash: Flash) throws(SiliconError) {
        self.flash = flash
        var found: (layout: FlashLayout, table: Int)?
        for (table, offset) in FlashLayout.tableOffsets.enumerated() {
            let sector = try flash.read(offset, FlashLayout.sectorBytes)
            guard let layout = try? FlashLayout(sector: sector) else { continue }
            if layout.generation > found?.layout.generation ?? 0 { found = (layout, table) }
        }
        guard let found else { return nil }
        (layout, tableInUse) = (found.layout, found.table)
    }

    private func bytes(_ place: Int) throws(SiliconError) -> [UInt8] {
        try flash.read(Int(layout.entries[place].offset), Int(layout.entries[place].length))
    }

    /// Writes a piece of an image to unused flash: one erase and one program operation a sector.
    func write(_ bytes: [UInt8], at offset: Int) throws(SiliconError) {
        for start in stride(from: 0, to: bytes.count, by: Flash.sectorBytes) {
            try flash.erase(sector: (offset + start) / Flash.sectorBytes)
            try flash.program(offset + start, Array(bytes[start..<min(start + Flash.sectorBytes, bytes.count)]))
        }
    }

    func read(_ offset: Int, _ count: Int) throws(SiliconError) -> [UInt8] { try flash.read(offset, count) }

    private mutating func commit(_ entries: [FlashLayout.Entry]) throws(SiliconError) {
        let next = FlashLayout(generation: layout.generation + 1, entries: entries)
        let table = 1 - tableInUse
        try write(next.encoded(), at: FlashLayout.tableOffsets[table])
        (layout, tableInUse) = (next, table)
    }

    /// Makes staged images the primary copies; what was primary becomes the backup.
    mutating func activate(_ staged: [StagedImage]) throws(SiliconError) {
        var entries = layout.entries
        for image in staged {
            guard let primary = layout.place(image.type, image.ordinal, .primary) else { continue }
            if let backup = layout.place(image.type, image.ordinal, .backup) {
                entries[backup].offset = entries[primary].offset
                entries[backup].length = entries[primary].length
            }
            entries[primary].offset = UInt32(image.offset)
            entries[primary].length = UInt32(image.length)
        }
        try commit(entries)
    }

    /// Goes back: primary and backup change places.
    mutating func revert(_ images: [ImageReference]) throws(SiliconError) {
        var entries = layout.entries
        for image in images {
            guard let primary = layout.place(image.type, image.ordinal, .primary),
                let backup = layout.place(image.type, image.ordinal, .backup)
            else { continue }
            let (new, old) = (entries[primary], entries[backup])
            (entries[primary].offset, entries[primary].length) = (old.offset, old.length)
            (entries[backup].offset, entries[backup].length) = (new.offset, new.length)
        }
        try commit(entries)
    }

    /// Makes the other copies anew from the ones in `slot`, which have proven themselves.
    mutating func duplicate(_ images: [ImageReference], from slot: FlashLayout.Slot = .primary) throws(SiliconError) {
        var entries = layout.entries
        var taken: [Range<Int>] = []
        for image in images {
            guard let good = layout.place(image.type, image.ordinal, slot),
                let other = layout.place(image.type, image.ordinal, slot == .primary ? .backup : .primary)
            else { continue }
            let content = try bytes(good)
            if try content == bytes(other) { continue }
            guard let offset = layout.free(content.count, besides: taken) else { continue }
            taken.append(offset..<offset + content.count)
            try write(content, at: offset)
            entries[other].offset = UInt32(offset)
            entries[other].length = UInt32(content.count)
        }
        if !taken.isEmpty { try commit(entries) }
    }
}

/// One component of a device: the n-th image of a type.
struct ImageReference: Hashable {
    var type: ImageType
    var ordinal: Int

    static func encode(_ images: [ImageReference]) -> [UInt8] {
        images.flatMap { $0.type.rawValue.littleEndianBytes + UInt16($0.ordinal).littleEndianBytes }
    }

    static func decode(_ bytes: [UInt8]) -> [ImageReference] {
        stride(from: 0, to: bytes.count - 3, by: 4).compactMap { at in
            let words = Bytes(bytes)
            guard let word = words.u32(at), let type = ImageType(rawValue: UInt16(truncatingIfNeeded: word)) else { return nil }
            return ImageReference(type: type, ordinal: Int(word >> 16))
        }
    }
}

/// A new image on its way into flash.
struct StagedImage: Equatable {
    var type: ImageType
    var ordinal: Int
    var name: String
    var version: Int64
    var sha256: [UInt8]
    var length: Int
    var offset: Int
    /// Bytes that are in flash; whole sectors until the image is complete.
    var received = 0

    var reference: ImageReference { ImageReference(type: type, ordinal: ordinal) }
    var isComplete: Bool { received == length }
}

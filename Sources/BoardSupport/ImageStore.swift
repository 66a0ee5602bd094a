public import DeviceServices
public import Formats
import SecureChannel
public import Silicon

/// The images in flash: two copies of each, and the tables that say which count (UP-5).
///
/// Every change is made beside what is in use and counts from the moment at which the other table is whole, so
/// that power may go at any operation.
public struct ImageStore {
    private let flash: Flash
    public private(set) var layout: FlashLayout
    private var tableInUse: Int

    /// Nil if no table is readable.
    public init?(flash: Flash) throws(SiliconError) {
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
    public func write(_ bytes: [UInt8], at offset: Int) throws(SiliconError) {
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

    /// Makes what was staged the primary copies; what was primary becomes the backup.
    mutating func activate(_ staged: [(image: ImageReference, offset: Int, length: Int)]) throws(SiliconError) {
        var entries = layout.entries
        for (image, offset, length) in staged {
            guard let primary = layout.place(image.type, image.ordinal, .primary) else { continue }
            if let backup = layout.place(image.type, image.ordinal, .backup) {
                entries[backup].offset = entries[primary].offset
                entries[backup].length = entries[primary].length
            }
            entries[primary].offset = UInt32(offset)
            entries[primary].length = UInt32(length)
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

extension ImageStore {
    /// What no image lies in, and images may.
    public func isFree(_ place: Range<Int>) -> Bool {
        FlashLayout.imageArea.contains(place)
            && !layout.entries.contains { place.overlaps(Int($0.offset)..<Int($0.offset) + Int($0.length)) }
    }

    /// Makes what lies there the primary copy of the first image of a type.
    public mutating func install(_ type: ImageType, offset: Int, length: Int) throws(SiliconError) {
        try activate([(ImageReference(type, 0), offset, length)])
    }
}

extension ImageReference {
    /// One component of the device: the n-th image of a type.
    public init(_ type: ImageType, _ ordinal: Int) { self.init(number: UInt32(type.rawValue) | UInt32(ordinal) << 16) }

    /// A type that there is not is one of which no image is installed.
    public var type: ImageType { ImageType(rawValue: UInt16(truncatingIfNeeded: number)) ?? .recoveryManifest }
    public var ordinal: Int { Int(number >> 16) }
}

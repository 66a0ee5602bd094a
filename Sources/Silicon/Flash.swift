import Formats
import Glibc

/// 16 MiB of NOR flash: programming clears bits, erasing sets a sector of 4 KiB.
///
/// The content that all devices left the factory with is one file, mapped read-only and shared; the sectors
/// that this device has written lie in its own sparse file. A sector's data is written before the bit that
/// makes it valid, so SIGKILL between the two leaves the old content.
@safe public final class Flash {
    public static let totalBytes = 16 << 20
    public static let sectorBytes = 4096
    private static let sectors = totalBytes / sectorBytes
    // The file of a device's own sectors: a head with a bit for each that was written, then a place for each.
    private static let header = 4096
    private static let bitmap = 64
    private static let magic = Array("ORF1".utf8)

    private let base: UnsafeRawPointer
    private let overlay: BackingFile
    private var written: [UInt8]
    /// Erase and program operations since power-on, for wear and for faults at the n-th operation.
    public private(set) var operations = 0
    /// Sectors that were erased and bytes that were programmed since power-on, also by an operation in which the power went.
    public private(set) var wear = Wear()
    public struct Wear: Sendable, Equatable {
        public var erasedSectors = 0
        public var programmedBytes = 0
        public init(erasedSectors: Int = 0, programmedBytes: Int = 0) {
            (self.erasedSectors, self.programmedBytes) = (erasedSectors, programmedBytes)
        }
    }
    /// Operations that are still done before the power goes, in the middle of the next; nil while it stays.
    private var operationsLeft: Int?
    /// How often each sector has been erased since the chip was made, u32 for each: a part of the silicon, which no copy of its content has.
    private var erasures: BackingFile?
    private let erasuresPath: String
    /// Of the sector that was erased most often since the chip was made, as far as any was since power-on.
    public private(set) var mostErasures = 0
    /// The power went during an operation: nothing works until the next start.
    public private(set) var hasLostPower = false

    public init(basePath: String, overlayPath: String) throws(SiliconError) {
        let descriptor = unsafe open(basePath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path: basePath, operation: "open", errno: errno) }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        guard size == Flash.totalBytes else {
            throw .wrongSize(path: basePath, bytes: size, expected: Flash.totalBytes)
        }
        let mapped = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw .file(path: basePath, operation: "map", errno: errno)
        }
        unsafe base = UnsafeRawPointer(mapped)
        var isNew = false
        overlay = try BackingFile(path: overlayPath, size: Flash.header + Flash.totalBytes, isNew: &isNew)
        erasuresPath = overlayPath + ".wear"
        if isNew { overlay.write(0, Flash.magic) }
        guard overlay.read(0, 4) == Flash.magic else { throw .badHeader(path: overlayPath) }
        written = overlay.read(Flash.bitmap, Flash.sectors / 8)
    }

    deinit { unsafe _ = munmap(UnsafeMutableRawPointer(mutating: base), Flash.totalBytes) }

    /// Lets the power go in the middle of the n-th operation from now on (1 is the next).
    public func cutPower(duringOperation number: Int) { operationsLeft = max(0, number - 1) }

    /// Flips one bit, as charge that leaks away does.
    public func flip(bit: Int, of offset: Int) throws(SiliconError) {
        let old = try read(offset, 1)
        overwrite(offset, [old[0] ^ 1 << (bit & 7)])
    }

    public func read(_ offset: Int, _ count: Int) throws(SiliconError) -> [UInt8] {
        guard !hasLostPower else { throw .powerLost }
        guard offset >= 0, count >= 0, offset <= Flash.totalBytes - count else {
            throw .outOfRange(offset: offset, count: count)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var position = offset
        while position < offset + count {
            let sector = position / Flash.sectorBytes
            let run = min((sector + 1) * Flash.sectorBytes, offset + count) - position
            if isWritten(sector) {
                bytes += overlay.read(Flash.header + position, run)
            } else {
                unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: base + position, count: run))
            }
            position += run
        }
        return bytes
    }

    /// Clears the bits that are 0 in `bytes`.
    public func program(_ offset: Int, _ bytes: [UInt8]) throws(SiliconError) {
        let old = try read(offset, bytes.count)
        try store(offset, zip(old, bytes).map { $0 & $1 }, wear: Wear(programmedBytes: bytes.count))
    }

    public func erase(sector: Int) throws(SiliconError) {
        if !hasLostPower, (0..<Flash.sectors).contains(sector) { noteErasures(try countErasure(of: sector)) }
        try store(sector * Flash.sectorBytes, [UInt8](repeating: 0xFF, count: Flash.sectorBytes), wear: Wear(erasedSectors: 1))
    }

    /// An operation that the power cuts short wears a sector, too.
    private func countErasure(of sector: Int) throws(SiliconError) -> Int {
        let file: BackingFile
        if let erasures {
            file = erasures
        } else {
            var isNew = false
            file = try BackingFile(path: erasuresPath, size: Flash.sectors * 4, isNew: &isNew)
            erasures = file
        }
        let count = (Bytes(file.read(sector * 4, 4)).u32(0) ?? 0) &+ 1
        file.write(sector * 4, count.littleEndianBytes)
        return Int(count)
    }

    /// So often has one of the sectors been erased that something lies in.
    public func noteErasures(_ count: Int) { mostErasures = max(mostErasures, count) }

    private func store(_ offset: Int, _ bytes: [UInt8], wear: Wear) throws(SiliconError) {
        guard offset >= 0, offset <= Flash.totalBytes - bytes.count else {
            throw .outOfRange(offset: offset, count: bytes.count)
        }
        try operate(
            wear: wear,
            whole: { overwrite(offset, bytes) },
            // Half of it is done, and that half is what the next boot finds.
            half: { overwrite(offset, Array(bytes.prefix(bytes.count / 2))) })
    }

    /// An operation of this chip on what is kept in a file of its own, as apps' mutable files are.
    ///
    /// - Parameters:
    ///   - wear: What it does to the chip.
    ///   - half: What is left of it where the power goes in its middle.
    public func operate(wear: Wear, whole: () -> Void, half: () -> Void) throws(SiliconError) {
        guard !hasLostPower else { throw .powerLost }
        operations += 1
        self.wear.erasedSectors += wear.erasedSectors
        self.wear.programmedBytes += wear.programmedBytes
        guard operationsLeft != 0 else {
            half()
            hasLostPower = true
            throw .powerLost
        }
        operationsLeft = operationsLeft.map { $0 - 1 }
        whole()
    }

    /// Puts bytes where they are wanted, whatever was there: what a programmer with a clip on the chip does. Beyond the chip nothing is done.
    public func rewrite(_ offset: Int, _ bytes: [UInt8]) {
        if offset >= 0, offset <= Flash.totalBytes - bytes.count { overwrite(offset, bytes) }
    }

    private func overwrite(_ offset: Int, _ bytes: [UInt8]) {
        var position = offset
        while position < offset + bytes.count {
            let sector = position / Flash.sectorBytes
            let run = min((sector + 1) * Flash.sectorBytes, offset + bytes.count) - position
            let piece = Array(bytes[position - offset..<position - offset + run])
            if isWritten(sector) {
                overlay.write(Flash.header + position, piece)
            } else {
                var content = (try? read(sector * Flash.sectorBytes, Flash.sectorBytes)) ?? []
                let start = position % Flash.sectorBytes
                content.replaceSubrange(start..<start + run, with: piece)
                overlay.write(Flash.header + sector * Flash.sectorBytes, content)
                written[sector / 8] |= 1 << (sector % 8)
                overlay.write(Flash.bitmap + sector / 8, [written[sector / 8]])
            }
            position += run
        }
    }

    private func isWritten(_ sector: Int) -> Bool { written[sector / 8] & 1 << (sector % 8) != 0 }
}

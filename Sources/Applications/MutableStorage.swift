import Formats
import Silicon

/// Where an app's mutable file lies (APP-7). Two copies take turns, so that after a power cut at any instant the file is as it was
/// when it was last synced, whole.
final class MutableStorage {
    /// Sequence and length, content, CRC-32 of all before it.
    private static let headBytes = 8
    /// As much as the original gives an app. An OS that forgets the quota lets programs write more; there is no room for it.
    static let longestBytes = 64 << 10
    private let longest: Int
    private var slotBytes: Int { MutableStorage.headBytes + longest + 4 }

    private let file: WorldState
    private let flash: Flash
    private var sequence: UInt32 = 0
    /// As of the last sync; nil if there is no file.
    private(set) var content: [UInt8]?

    init(path: String, flash: Flash, longest: Int = MutableStorage.longestBytes) throws(SiliconError) {
        (self.flash, self.longest) = (flash, longest)
        let slotBytes = MutableStorage.headBytes + longest + 4
        file = try WorldState(path: path, count: 2 * slotBytes)
        for slot in 0..<2 {
            let bytes = file.read(slot * slotBytes, slotBytes)
            guard let number = Bytes(bytes).u32(0), number > sequence, let length = Bytes(bytes).u32(4),
                Int(length) <= longest + 1,
                let whole = Bytes(bytes).block(0, MutableStorage.headBytes + max(0, Int(length) - 1)),
                Bytes(bytes).u32(whole.count) == crc32(whole)
            else { continue }
            sequence = number
            // One more than its length: 0 is no file.
            content = length == 0 ? nil : Array(whole[MutableStorage.headBytes...])
        }
    }

    var hasLostPower: Bool { flash.hasLostPower }

    /// Writes what the file holds now, if that has changed; false if the power went meanwhile.
    func keep(_ content: [UInt8]?) -> Bool {
        guard !flash.hasLostPower else { return false }
        let content = content.map { Array($0.prefix(longest)) }
        guard content != self.content else { return true }
        var bytes = (sequence + 1).littleEndianBytes + UInt32(content.map { $0.count + 1 } ?? 0).littleEndianBytes + (content ?? [])
        bytes += crc32(bytes).littleEndianBytes
        let offset = Int((sequence + 1) % 2) * slotBytes
        let file = file
        do {
            // Each copy is written into sectors that are erased before; the two take turns.
            flash.noteErasures(Int(sequence / 2) + 1)
            let sectors = (bytes.count + Flash.sectorBytes - 1) / Flash.sectorBytes
            try flash.operate(
                wear: Flash.Wear(erasedSectors: sectors, programmedBytes: bytes.count), whole: { file.write(offset, bytes) },
                half: { file.write(offset, Array(bytes.prefix(bytes.count / 2))) })
        } catch { return false }
        (self.content, sequence) = (content, sequence + 1)
        return true
    }
}

public import Configuration
public import Formats
import SecureChannel
import Silicon

/// The flash chip of a device that has no power, in a clip: all of it can be read and written as one likes.
public struct FlashClip {
    private let flash: Flash

    public init(_ device: DeviceConfiguration) throws {
        flash = try Flash(basePath: device.baseImagePath, overlayPath: device.statePath + "/flash.bin")
    }

    /// Empty beyond the chip.
    public func read(_ range: Range<Int>) -> [UInt8] { (try? flash.read(range.lowerBound, range.count)) ?? [] }

    func write(_ offset: Int, _ bytes: [UInt8]) { flash.rewrite(offset, bytes) }

    /// Where a copy of the first image of a type lies, as the newer of the readable tables has it.
    public func place(_ type: ImageType, _ slot: FlashLayout.Slot) -> Range<Int>? {
        guard let table, let place = table.place(type, 0, slot) else { return nil }
        let entry = table.entries[place]
        return Int(entry.offset)..<Int(entry.offset) + Int(entry.length)
    }

    /// The newer of the readable tables.
    public var table: FlashLayout? { FlashLayout.newest { read($0..<$0 + $1) } }

    /// SHA-256 of each boot stage's backup copy, which nobody has touched, by its type.
    var backupDigests: [UInt32: [UInt8]] {
        get throws {
            let layout = try FlashLayout(sector: read(0..<FlashLayout.sectorBytes))
            var digests: [UInt32: [UInt8]] = [:]
            for entry in layout.entries where entry.slot == .backup && entry.type != ImageType.applications.rawValue {
                digests[UInt32(entry.type)] = sha256(read(Int(entry.offset)..<Int(entry.offset) + Int(entry.length)))
            }
            return digests
        }
    }
}

import Formats

/// What somebody with the flash chip in a clip puts in place of the first boot loader: a package that looks like the
/// genuine one, is as long, and is signed by nobody.
public enum Implant {
    /// - Parameters:
    ///   - genuine: The package of 1BL as it lies in flash.
    ///   - digest: SHA-256 of the genuine package, which the implant measures in its own place if nobody has measured it.
    ///   - code: Machine code as it lies behind the key and the length.
    /// - Returns: Nil if the code does not fit.
    public static func package(replacing genuine: [UInt8], digest: [UInt8], code: [UInt8]) -> [UInt8]? {
        guard let parsed = try? ImagePackage.parse(genuine) else { return nil }
        var package = parsed.package
        let room = package.body.count
        let padded = code + [UInt8](repeating: 0, count: (4 - code.count % 4) % 4)
        var body = Array(package.body[..<64]) + UInt32(padded.count).littleEndianBytes + padded + digest
        guard body.count <= room else { return nil }
        body += [UInt8](repeating: 0, count: room - body.count)
        package.body = body
        // The signature that is there fits another image.
        return package.signedPart + parsed.signature
    }

    /// Where the primary copy of 1BL lies in 16 MiB of flash.
    public static func place(in flash: [UInt8]) -> Range<Int>? {
        let layout = FlashLayout.newest { $0 + $1 <= flash.count ? Array(flash[$0..<$0 + $1]) : [] }
        guard let layout, let index = layout.place(.oneBL, 0, .primary) else { return nil }
        let entry = layout.entries[index]
        return Int(entry.offset)..<Int(entry.offset) + Int(entry.length)
    }
}

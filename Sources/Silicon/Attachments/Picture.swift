import Formats

/// A picture of black and white, as files that others show: Portable Bitmap (netpbm, P4) or PNG of one bit for each pixel.
struct Picture {
    let width: Int
    let height: Int
    /// Line by line, from the upper left corner; true is lit.
    var pixels: [Bool]

    /// - Parameter inverted: PBM has 1 for black.
    private func rows(inverted: Bool) -> [[UInt8]] {
        (0..<height).map { y in
            var row = [UInt8](repeating: 0, count: (width + 7) / 8)
            for x in 0..<width where pixels[y * width + x] != inverted { row[x / 8] |= 0x80 >> UInt8(x % 8) }
            return row
        }
    }

    /// By the name's ending.
    func file(named path: String) -> [UInt8] { path.hasSuffix(".pbm") ? portableBitmap : portableNetworkGraphics }

    private var portableBitmap: [UInt8] { Array("P4\n\(width) \(height)\n".utf8) + rows(inverted: true).flatMap { $0 } }

    /// ISO/IEC 15948: grey of one bit, in one deflate block that is stored as it is.
    private var portableNetworkGraphics: [UInt8] {
        var data: [UInt8] = []
        for row in rows(inverted: false) { data += [0] + row }
        let length = UInt16(data.count)
        var stored: [UInt8] = [0x78, 0x01, 0x01]
        stored += length.littleEndianBytes + (~length).littleEndianBytes
        stored += data
        stored += bigEndian(adler32(data))
        let size = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        file += chunk("IHDR", size + [1, 0, 0, 0, 0])
        file += chunk("IDAT", stored)
        return file + chunk("IEND", [])
    }

    private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] { value.littleEndianBytes.reversed() }

    /// RFC 1950.
    private func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        return b << 16 | a
    }
}

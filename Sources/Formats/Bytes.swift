/// Little-endian fields at fixed places of a byte string. Reads outside give nil, never a trap.
public struct Bytes: Sendable {
    let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public func block(_ offset: Int, _ count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return Array(bytes[offset..<offset + count])
    }

    public func u16(_ offset: Int) -> UInt16? {
        block(offset, 2).map { UInt16($0[0]) | UInt16($0[1]) << 8 }
    }

    public func u32(_ offset: Int) -> UInt32? {
        block(offset, 4).map { UInt32($0[0]) | UInt32($0[1]) << 8 | UInt32($0[2]) << 16 | UInt32($0[3]) << 24 }
    }

    public func u64(_ offset: Int) -> UInt64? {
        guard let low = u32(offset), let high = u32(offset + 4) else { return nil }
        return UInt64(low) | UInt64(high) << 32
    }
}

extension FixedWidthInteger {
    /// The value's bytes, least significant first.
    public var littleEndianBytes: [UInt8] {
        (0..<Self.bitWidth / 8).map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) }
    }
}

extension [UInt32] {
    public var littleEndianBytes: [UInt8] { flatMap { $0.littleEndianBytes } }
}

extension [UInt8] {
    /// The text in ASCII up to the first zero, filled with zeros to `count` bytes.
    static func padded(_ text: String, to count: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(count))
        return bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    var zeroTerminated: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}

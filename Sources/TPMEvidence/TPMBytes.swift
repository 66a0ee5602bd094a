/// Why bytes are not the structure that they were read as.
public enum TPMParseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// They end before the structure does.
    case short
    /// This many stand behind it.
    case trailing(Int)
    /// A field has a value that is not allowed, or not known here.
    case value(field: String, UInt64)

    public var description: String {
        switch self {
        case .short: "it is cut off"
        case .trailing(let count): "\(count) bytes stand behind it"
        case .value(let field, let value): "\(field) is 0x\(String(value, radix: 16))"
        }
    }
}

/// Reads TPM structures: big-endian numbers, and arrays behind their length (TPM 2.0 Library part 1, section 32).
public struct TPMReader {
    private var rest: ArraySlice<UInt8>

    public init(_ bytes: some Sequence<UInt8>) { rest = ArraySlice(Array(bytes)) }

    public var count: Int { rest.count }

    public mutating func bytes(_ count: Int) throws(TPMParseError) -> [UInt8] {
        guard count >= 0, count <= rest.count else { throw .short }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    private mutating func number(_ count: Int) throws(TPMParseError) -> UInt64 {
        try bytes(count).reduce(0) { $0 << 8 | UInt64($1) }
    }

    public mutating func u8() throws(TPMParseError) -> UInt8 { UInt8(try number(1)) }
    public mutating func u16() throws(TPMParseError) -> UInt16 { UInt16(try number(2)) }
    public mutating func u32() throws(TPMParseError) -> UInt32 { UInt32(try number(4)) }
    public mutating func u64() throws(TPMParseError) -> UInt64 { try number(8) }

    /// A TPM2B: a length of 16 bits, and so many bytes.
    public mutating func sized() throws(TPMParseError) -> [UInt8] { try bytes(Int(try u16())) }

    public func end() throws(TPMParseError) {
        guard rest.isEmpty else { throw .trailing(rest.count) }
    }
}

/// Writes TPM structures.
public struct TPMWriter {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    public mutating func put(_ other: [UInt8]) { bytes += other }
    public mutating func u8(_ value: UInt8) { bytes.append(value) }
    public mutating func u16(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
    public mutating func u32(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }
    public mutating func u64(_ value: UInt64) {
        u32(UInt32(truncatingIfNeeded: value >> 32))
        u32(UInt32(truncatingIfNeeded: value))
    }

    /// A TPM2B; what is beyond its greatest length is left out, so that the TPM sees it.
    public mutating func sized(_ other: [UInt8]) {
        u16(UInt16(min(other.count, 0xFFFF)))
        bytes += other.prefix(0xFFFF)
    }

    public static func make(_ body: (inout TPMWriter) -> Void) -> [UInt8] {
        var writer = TPMWriter()
        body(&writer)
        return writer.bytes
    }
}

/// TPM_ALG_ID (TCG Algorithm Registry), as far as it is used here.
public enum TPMAlgorithm {
    public static let sha1: UInt16 = 0x0004
    public static let aes: UInt16 = 0x0006
    public static let keyedHash: UInt16 = 0x0008
    public static let sha256: UInt16 = 0x000B
    public static let sha384: UInt16 = 0x000C
    public static let sha512: UInt16 = 0x000D
    public static let null: UInt16 = 0x0010
    public static let ecdsa: UInt16 = 0x0018
    public static let ecc: UInt16 = 0x0023
    public static let cfb: UInt16 = 0x0043
}

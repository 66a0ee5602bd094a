import Formats
public import SecureChannel

/// What a device may do beyond the usual, by a signed file that names this device and no other (HW-22).
public struct CapabilityFile: Equatable, Sendable {
    /// Numbers as the device reports them.
    public enum Capability: UInt16, Sendable, CaseIterable {
        case applicationDevelopment = 1
        case fieldServicing = 2
        case rfTestMode = 0xC
    }

    public enum Refusal: Error, Equatable, Sendable { case malformed, wrongDevice, badSignature }

    /// What such a file begins with.
    public static let magic = Array("CAP1".utf8)
    /// A device reports no more.
    static let limit = 64

    public var device: P256PublicKey
    public var capabilities: [UInt16]

    public init(device: P256PublicKey, capabilities: [UInt16]) {
        self.device = device
        self.capabilities = capabilities
    }

    /// Magic, device key, u16 count, capabilities: all that the signature, 64 bytes behind it, covers.
    public var signedPart: [UInt8] {
        CapabilityFile.magic + device.bytes + UInt16(capabilities.count).littleEndianBytes + capabilities.flatMap(\.littleEndianBytes)
    }

    public init(_ bytes: [UInt8], for device: P256PublicKey, signedBy authority: P256PublicKey) throws(Refusal) {
        let file = Bytes(bytes)
        guard file.block(0, 4) == CapabilityFile.magic, let key = file.block(4, 64), let count = file.u16(68),
            count <= CapabilityFile.limit,
            bytes.count == 70 + 2 * Int(count) + 64, let parsed = try? P256PublicKey(key)
        else { throw .malformed }
        self.init(device: parsed, capabilities: (0..<Int(count)).compactMap { file.u16(70 + 2 * $0) })
        guard authority.isValid(signature: Array(bytes.suffix(64)), digest: sha256(signedPart)) else { throw .badSignature }
        guard key == device.bytes else { throw .wrongDevice }
    }
}

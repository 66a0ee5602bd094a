import COpenSSL

/// A UUID that follows from a name (RFC 9562 section 5.5, version 5): the same name in the same space, the same UUID.
/// - Parameter space: 16 bytes, such as ``UUIDSpace`` has.
public func nameUUID(_ space: [UInt8], _ name: [UInt8]) -> String {
    let bytes = space + name
    var digest = [UInt8](repeating: 0, count: 20)
    unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha1(), nil)
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    let hex = Array(Array(digest[..<16]).hex)
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }.joined(separator: "-")
}

public enum UUIDSpace {
    /// For URLs (RFC 9562 section 6.6).
    public static let url: [UInt8] = [0x6B, 0xA7, 0xB8, 0x11, 0x9D, 0xAD, 0x11, 0xD1, 0x80, 0xB4, 0, 0xC0, 0x4F, 0xD4, 0x30, 0xC8]
    /// For STIX's observables (STIX 2.1 section 2.9).
    public static let stix: [UInt8] = [0, 0xAB, 0xED, 0xB4, 0xAA, 0x42, 0x46, 0x6C, 0x9C, 1, 0xFE, 0xD2, 0x33, 0x15, 0xA9, 0xB7]
}

/// The least evidence that there is: an entity attestation token (RFC 9711) with a nonce and an identity, in COSE_Sign1. It says who
/// signs, and nothing of what runs there.
public struct IdentityToken: Equatable, Sendable {
    public static let profile = "tag:orrery.example,2026:identity"
    /// RFC 9782: the profile is a parameter of the media type.
    public static let mediaType = "application/eat+cwt; eat_profile=\"\(profile)\""

    /// 32 bytes.
    public var nonce: [UInt8]
    /// 33 bytes: 0x01, then the SHA-256 of the public key (UEID of type RAND, RFC 9711 section 4.2.1).
    public var instance: [UInt8]
    public init(nonce: [UInt8], instance: [UInt8]) { (self.nonce, self.instance) = (nonce, instance) }

    public static func instance(of key: [UInt8], digest: ([UInt8]) -> [UInt8]) -> [UInt8] { [1] + digest(key) }

    public func encoded() -> [UInt8] {
        CBOR.map([
            (.integer(10), .bytes(nonce)), (.integer(256), .bytes(instance)), (.integer(265), .text(IdentityToken.profile)),
        ]).encoded()
    }

    public init(_ bytes: [UInt8]) throws(EvidenceError) {
        let claims: CBOR
        do throws(CBOR.Failure) { claims = try CBOR(bytes) } catch { throw .notCBOR(error) }
        guard claims[265]?.asText == IdentityToken.profile else { throw .wrongProfile }
        guard let nonce = claims[10]?.asBytes else { throw .missingClaim(10) }
        guard let instance = claims[256]?.asBytes else { throw .missingClaim(256) }
        guard nonce.count == 32 else { throw .badClaim(10) }
        guard instance.count == 33 else { throw .badClaim(256) }
        self.init(nonce: nonce, instance: instance)
    }
}

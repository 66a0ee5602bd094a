public import DeviceServices
import Formats
public import SecureChannel
public import Wire

/// A key in a file, as devices without hardware for it have theirs: whoever reads the file is the device.
public final class KeyFile: RootOfTrust {
    private let identity: P256PrivateKey

    /// - Parameter scalar: What is in the file: 32 bytes.
    /// - Throws: If that is no key.
    public init(scalar: [UInt8]) throws(CryptoError) { identity = try P256PrivateKey(scalar: scalar) }

    public func powerOn(at now: Instant) {}
    public func measure(_ layer: MeasuredLayer, digest: [UInt8], name: String) {}
    public func note(_ now: Instant) {}
    public var measurements: Int { 0 }

    public var deviceID: String { identity.publicKey.bytes.hex }
    public var endorsement: Endorsement? { nil }

    /// Its word is all there is: nonce and identity, signed (RFC 9711).
    public func evidence(for challenge: AttestationChallenge) -> Evidence {
        let token = IdentityToken(nonce: challenge.nonce, instance: IdentityToken.instance(of: identity.publicKey.bytes, digest: sha256))
        let payload = token.encoded()
        let signature = identity.sign(digest: sha256(CoseSign1.toBeSigned(payload)))
        return Evidence(mediaType: IdentityToken.mediaType, CoseSign1(payload: payload, signature: signature).encoded())
    }

    // MARK: Keys

    /// The key itself.
    public func newKey() -> [UInt8] { KeyFile.newScalar() }

    public static func newScalar() -> [UInt8] { P256PrivateKey.draw().scalar }

    /// A file that holds no key is answered with a new one, which no certificate is for.
    public func key(_ name: [UInt8]) -> any SigningKey { (try? P256PrivateKey(scalar: name)) ?? P256PrivateKey() }
}

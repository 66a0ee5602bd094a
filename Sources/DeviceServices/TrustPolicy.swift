import Exchange
import Formats
public import SecureChannel
import Wire

/// Whom a device believes, as its policy image says.
public struct TrustPolicy {
    /// Roots of update metadata.
    public let directorRoot: [UInt8]
    public let imageRoot: [UInt8]
    /// Of the verifier, which speaks for the security service; nil if it is no key.
    public let verifierKey: P256PublicKey?
    /// The catalog that the device belongs to; nil for the one that it was made for.
    public let catalog: String?

    /// - Parameter body: Of the policy image: `DevicePolicy` in JSON.
    public init?(_ body: [UInt8]) {
        guard let policy = JSON.decode(DevicePolicy.self, body) else { return nil }
        directorRoot = Base64.decode(Array(policy.directorRoot.utf8)) ?? []
        imageRoot = Base64.decode(Array(policy.imageRoot.utf8)) ?? []
        catalog = policy.catalog
        verifierKey = [UInt8](hex: policy.verifierKey).flatMap { try? P256PublicKey($0) }
    }
}

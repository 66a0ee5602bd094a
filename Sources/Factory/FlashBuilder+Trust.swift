import Formats
public import SecureChannel

/// Whom a device trusts: what its keystore, its trust store and its policy hold, and as which version of them.
public struct Trust {
    /// Authorities, oldest first.
    public var roots: [Certificate]
    public var rootsVersion: UInt32 = 1
    /// `DevicePolicy` in JSON: roots of update metadata, the verifier's key, and the catalog where it is not that of the configuration.
    public var policy: [UInt8]
    public var policyVersion: UInt32 = 1
    /// Of the production keys: each has one for the OS and one for apps.
    public var generations = 1
    /// Another owner, whose production keys are trusted, too.
    public var heir: FlashBuilder?

    public init(roots: [Certificate], policy: [UInt8]) { (self.roots, self.policy) = (roots, policy) }
}

extension FlashBuilder {
    /// As hardware names its images' components.
    static func board(isLinux: Bool) -> String { isLinux ? linuxBoard : "" }

    /// Production keys; its security version is the number of their generations.
    func keystore(_ trust: Trust) -> [UInt8] {
        var generations = Array(zip(osKeys, appKeys).prefix(trust.generations))
        if let heir = trust.heir { generations += zip(heir.osKeys, heir.appKeys) }
        let keys = generations.flatMap { $0.key.publicKey.bytes + $1.key.publicKey.bytes }
        return sign(.trustedKeystore, "keystore", keys, bootKey, version: UInt32(generations.count))
    }

    func trustStore(_ trust: Trust, _ key: FactoryKey, isLinux: Bool = false) throws -> [UInt8] {
        sign(
            .updateCertificateStore, "roots", try CertificateBundle.encode(trust.roots), key, version: trust.rootsVersion,
            board: FlashBuilder.board(isLinux: isLinux))
    }

    func policyImage(_ trust: Trust, _ key: FactoryKey, isLinux: Bool = false) -> [UInt8] {
        sign(.policy, "policy", trust.policy, key, version: trust.policyVersion, board: FlashBuilder.board(isLinux: isLinux))
    }

    // MARK: Releases

    /// The keystore with keys of so many generations.
    public func keystore(generations: Int) -> [UInt8] {
        var trust = Trust(roots: [], policy: [])
        trust.generations = generations
        return keystore(trust)
    }

    /// A new trust store, signed for development.
    public func trustStore(_ trust: Trust, isLinux: Bool) throws -> [UInt8] { try trustStore(trust, developmentKey, isLinux: isLinux) }

    /// All that makes a device another owner's, signed for development; the keystore by the boot key. Linux boards have none.
    public func handOver(_ trust: Trust, isLinux: Bool) throws -> [[UInt8]] {
        (isLinux ? [] : [keystore(trust)])
            + [try trustStore(trust, developmentKey, isLinux: isLinux), policyImage(trust, developmentKey, isLinux: isLinux)]
    }
}

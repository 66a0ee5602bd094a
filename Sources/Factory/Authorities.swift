public import SecureChannel

/// A key pair whose private half the factory may write down.
public struct FactoryKey {
    /// 32 bytes, the private scalar.
    public let scalar: [UInt8]
    public let key: P256PrivateKey

    public init() {
        while true {
            let scalar = Randomness.bytes(32)
            if let key = try? P256PrivateKey(scalar: scalar) {
                (self.scalar, self.key) = (scalar, key)
                return
            }
        }
    }
}

/// The certification authorities of a catalog, root → policy → catalog (AS-7), and the service's own
/// certificate.
///
/// The original's root and policy keys are on P-384; all of ours are on P-256 (DESIGN §7).
public struct Authorities {
    public let root: Certificate
    public let policy: Certificate
    public let catalog: Certificate
    public let catalogKey: FactoryKey
    public let service: Certificate
    public let serviceKey: FactoryKey
    /// Signs attestation results; a key of its own, so that the authority's alone makes nobody attested.
    public let verifierKey = FactoryKey()
    /// What was the service's certificate until last month: its key lay on a disk that was thrown away.
    public let expired: Certificate
    public let expiredKey = FactoryKey()

    /// - Parameter unixSeconds: When the ceremony takes place; the root lives 20 years, the policy CA 10, the
    ///   catalog CA two (AS-8), the service's certificate 90 days.
    public init(catalogName: String, serviceHost: String, unixSeconds: Int64) throws(CryptoError) {
        let (rootKey, policyKey) = (FactoryKey(), FactoryKey())
        catalogKey = FactoryKey()
        serviceKey = FactoryKey()
        let year: Int64 = 365 * 86_400
        let start = unixSeconds - 60 * 86_400
        root = try CertificateTemplate(
            commonName: "Orrery root CA", organization: catalogName, serial: Authorities.serial(),
            notBefore: start, notAfter: start + 20 * year, usage: .authority(pathLength: 2)
        ).issue(for: rootKey.key.publicKey, by: rootKey.key, issuer: nil)
        policy = try CertificateTemplate(
            commonName: "Orrery policy CA", organization: catalogName, serial: Authorities.serial(),
            notBefore: start, notAfter: start + 10 * year, usage: .authority(pathLength: 1)
        ).issue(for: policyKey.key.publicKey, by: rootKey.key, issuer: root)
        catalog = try CertificateTemplate(
            commonName: "\(catalogName) catalog CA", organization: catalogName, serial: Authorities.serial(),
            notBefore: start, notAfter: start + 2 * year, usage: .authority(pathLength: 0)
        ).issue(for: catalogKey.key.publicKey, by: policyKey.key, issuer: policy)
        service = try CertificateTemplate(
            commonName: serviceHost, organization: catalogName, serial: Authorities.serial(),
            notBefore: unixSeconds - 86_400, notAfter: unixSeconds + 89 * 86_400, hostNames: [serviceHost], usage: .endEntity
        ).issue(for: serviceKey.key.publicKey, by: catalogKey.key, issuer: catalog)
        expired = try CertificateTemplate(
            commonName: serviceHost, organization: catalogName, serial: Authorities.serial(),
            notBefore: start, notAfter: unixSeconds - 2 * 86_400, hostNames: [serviceHost], usage: .endEntity
        ).issue(for: expiredKey.key.publicKey, by: catalogKey.key, issuer: catalog)
    }

    /// 16 octets, positive (RFC 5280 section 4.1.2.2).
    static func serial() -> [UInt8] {
        var serial = Randomness.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        return serial
    }

    /// What the service reads at start, by file name.
    public var files: [String: [UInt8]] {
        [
            "root.der": root.der, "policy.der": policy.der, "catalog.der": catalog.der,
            "service.der": service.der, "catalog.key": catalogKey.scalar, "service.key": serviceKey.scalar,
            "verifier.key": verifierKey.scalar,
        ]
    }
}

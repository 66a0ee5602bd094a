public import SecureChannel

/// A key pair whose private half the factory may write down.
public struct FactoryKey {
    /// 32 bytes, the private scalar.
    public let scalar: [UInt8]
    public let key: P256PrivateKey

    public init() { (scalar, key) = P256PrivateKey.draw() }
}

/// The certification authorities of a catalog, root → policy → catalog (AS-7), and the service's own certificate.
public struct Authorities {
    public let root: Certificate
    public let policy: Certificate
    /// Makes the catalog's authorities, in the service's own hardware, as the original's cloud does (AS-8).
    public let policyKey: FactoryKey
    public let catalog: Certificate
    public let catalogKey: FactoryKey
    public let service: Certificate
    public let serviceKey: FactoryKey
    /// Signs attestation results; a key of its own, so that the authority's alone makes nobody attested.
    public let verifierKey = FactoryKey()
    /// What was the service's certificate until last month: its key lay on a disk that was thrown away.
    public let expired: Certificate
    public let expiredKey = FactoryKey()

    /// - Parameter unixSeconds: When the ceremony takes place; ``Hierarchy/Lifetime`` says how long each certificate is good.
    public init(catalogName: String, serviceHost: String, unixSeconds: Int64) throws(CryptoError) {
        let rootKey = FactoryKey()
        policyKey = FactoryKey()
        catalogKey = FactoryKey()
        serviceKey = FactoryKey()
        let (hierarchy, day) = (Hierarchy(organization: catalogName), Hierarchy.Lifetime.day)
        let start = unixSeconds - Hierarchy.Lifetime.beforeStart
        root = try hierarchy.root(notBefore: start).issue(for: rootKey.key.publicKey, by: rootKey.key, issuer: nil)
        policy = try hierarchy.policy(notBefore: start).issue(for: policyKey.key.publicKey, by: rootKey.key, issuer: root)
        catalog = try hierarchy.catalog(notBefore: start, notAfter: start + Hierarchy.Lifetime.catalog)
            .issue(for: catalogKey.key.publicKey, by: policyKey.key, issuer: policy)
        service = try hierarchy.service(
            host: serviceHost, notBefore: unixSeconds - day, notAfter: unixSeconds - day + Hierarchy.Lifetime.service
        ).issue(for: serviceKey.key.publicKey, by: catalogKey.key, issuer: catalog)
        expired = try hierarchy.service(host: serviceHost, notBefore: start, notAfter: unixSeconds - 2 * day)
            .issue(for: expiredKey.key.publicKey, by: catalogKey.key, issuer: catalog)
    }

    /// What the service reads at start, by file name.
    public var files: [String: [UInt8]] {
        [
            "root.der": root.der, "policy.der": policy.der, "catalog.der": catalog.der,
            "service.der": service.der, "policy.key": policyKey.scalar, "catalog.key": catalogKey.scalar, "service.key": serviceKey.scalar,
            "verifier.key": verifierKey.scalar,
        ]
    }
}

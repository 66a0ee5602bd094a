public import SecureChannel

/// A key pair whose private half the factory may write down.
public struct FactoryKey {
    /// 32 bytes, the private scalar.
    public let scalar: [UInt8]
    public let key: P256PrivateKey

    public init() { (scalar, key) = P256PrivateKey.draw() }
}

/// Where the root's keyholders come together: they make a policy authority, and sometimes a new root for it to stand under.
struct Ceremony {
    let root: Certificate
    /// The new root by the one before it; nil where the root stays.
    let cross: Certificate?
    let policy: Certificate
    /// Makes the catalog's authorities, in the service's own hardware, as the original's cloud does (AS-8).
    let policyKey = FactoryKey()
    private let rootKey: FactoryKey
    private let number: Int

    /// The first.
    init(_ hierarchy: Hierarchy, notBefore: Int64) throws(CryptoError) {
        (rootKey, number, cross) = (FactoryKey(), 1, nil)
        root = try hierarchy.root(notBefore: notBefore).issue(for: rootKey.key.publicKey, by: rootKey.key, issuer: nil)
        policy = try hierarchy.policy(notBefore: notBefore).issue(for: policyKey.key.publicKey, by: rootKey.key, issuer: root)
    }

    /// A later one.
    init(_ rotation: Rotation, after last: Ceremony, _ hierarchy: Hierarchy) throws(CryptoError) {
        let start = rotation.unixSeconds - Hierarchy.Lifetime.day
        if rotation.part == .root {
            (rootKey, number) = (FactoryKey(), last.number + 1)
            root = try hierarchy.root(number, notBefore: start).issue(for: rootKey.key.publicKey, by: rootKey.key, issuer: nil)
            cross = try hierarchy.cross(number, notBefore: start, notAfter: last.root.notAfter)
                .issue(for: rootKey.key.publicKey, by: last.rootKey.key, issuer: last.root)
        } else {
            (rootKey, number, root, cross) = (last.rootKey, last.number, last.root, nil)
        }
        var template = hierarchy.policy(notBefore: start)
        template.notAfter = min(template.notAfter, root.notAfter)
        policy = try template.issue(for: policyKey.key.publicKey, by: rootKey.key, issuer: root)
    }

    /// What the service reads at start, by file name. No root's key is among it.
    func files(_ prefix: String) -> [String: [UInt8]] {
        var files = ["\(prefix)root.der": root.der, "\(prefix)policy.der": policy.der, "\(prefix)policy.key": policyKey.scalar]
        if let cross { files["\(prefix)cross.der"] = cross.der }
        return files
    }
}

/// What keyholders replace on a day that is known before.
public struct Rotation: Sendable, Equatable {
    public enum Part: Sendable {
        /// Keys of update metadata.
        case updateKeys
        case policy
        /// With the policy authority below it, and the keys of the roots of update metadata.
        case root
    }
    public var part: Part
    public var unixSeconds: Int64
    public init(_ part: Part, unixSeconds: Int64) { (self.part, self.unixSeconds) = (part, unixSeconds) }
}

/// The certification authorities of a catalog, root → policy → catalog (AS-7), and the service's own certificate.
public struct Authorities {
    private let ceremonies: [Ceremony]
    public let catalog: Certificate
    public let catalogKey = FactoryKey()
    public let service: Certificate
    public let serviceKey = FactoryKey()
    /// Signs attestation results; a key of its own, so that the authority's alone makes nobody attested.
    public let verifierKey = FactoryKey()
    /// What was the service's certificate until last month: its key lay on a disk that was thrown away.
    public let expired: Certificate
    public let expiredKey = FactoryKey()

    public var policy: Certificate { ceremonies[0].policy }
    /// What devices are to trust, oldest first, after so many rotations of the root.
    public func roots(after rotations: Int = 0) -> [Certificate] {
        var roots: [Certificate] = []
        for ceremony in ceremonies where ceremony.root.der != roots.last?.der { roots.append(ceremony.root) }
        return Array(roots.prefix(1 + rotations))
    }

    /// - Parameters:
    ///   - unixSeconds: When the ceremony takes place; ``Hierarchy/Lifetime`` says how long each certificate is good.
    ///   - rotations: Later ceremonies, in their order.
    public init(catalogName: String, serviceHost: String, unixSeconds: Int64, rotations: [Rotation]) throws(CryptoError) {
        let (hierarchy, day) = (Hierarchy(organization: catalogName), Hierarchy.Lifetime.day)
        let start = unixSeconds - Hierarchy.Lifetime.beforeStart
        var ceremonies = [try Ceremony(hierarchy, notBefore: start)]
        let first = ceremonies[0]
        catalog = try hierarchy.catalog(notBefore: start, notAfter: start + Hierarchy.Lifetime.catalog)
            .issue(for: catalogKey.key.publicKey, by: first.policyKey.key, issuer: first.policy)
        service = try hierarchy.service(
            host: serviceHost, notBefore: unixSeconds - day, notAfter: unixSeconds - day + Hierarchy.Lifetime.service
        ).issue(for: serviceKey.key.publicKey, by: catalogKey.key, issuer: catalog)
        expired = try hierarchy.service(host: serviceHost, notBefore: start, notAfter: unixSeconds - 2 * day)
            .issue(for: expiredKey.key.publicKey, by: catalogKey.key, issuer: catalog)
        for rotation in rotations where rotation.part != .updateKeys {
            ceremonies.append(try Ceremony(rotation, after: ceremonies[ceremonies.count - 1], hierarchy))
        }
        self.ceremonies = ceremonies
    }

    /// What the service reads at start, by file name.
    public var files: [String: [UInt8]] {
        var files = [
            "catalog.der": catalog.der, "service.der": service.der, "catalog.key": catalogKey.scalar, "service.key": serviceKey.scalar,
            "verifier.key": verifierKey.scalar,
        ]
        for (index, ceremony) in ceremonies.enumerated() {
            files.merge(ceremony.files(index == 0 ? "" : "ceremony-\(index + 1)-")) { _, new in new }
        }
        return files
    }
}

import Attestation
import Configuration
import Exchange
import Foundation
import SecureChannel
import Wire

/// The catalog's certification authorities, as the service holds them: it makes and renews what stands below the policy CA (AS-8).
struct Authority {
    enum Kind: String, CaseIterable { case update, customer }

    /// What has been issued to the service itself.
    struct Issued {
        var certificate: Certificate
        var key: P256PrivateKey
        /// The key's 32 bytes.
        var scalar: [UInt8]
        var issuer: Certificate
        /// Unix seconds: a new catalog authority is known for a while before it issues.
        var activeFrom: Int64
    }

    /// What keyholders have made, in its order: the last ones lie ready for their day.
    private let ceremonies: [Ceremony]
    /// From 0: which of them issues.
    private var current: Int
    /// The catalog's authorities, each later than the one before.
    private(set) var issuers: [Issued]
    private var own: Issued
    private let hierarchy: Hierarchy
    private let host: String
    private let identity: CatalogIdentity
    private let verifierKey: P256PrivateKey
    /// Nil if no manufacturer of TPMs is known.
    let endorsements: EndorsementVerifier?
    /// What relying parties check attestation results with.
    var verifier: P256PublicKey { verifierKey.publicKey }

    /// Reads the files of the factory, and what has been renewed since.
    init(path: String, names: CatalogNames, renewed: [(role: AuthorityRole, issued: Issued)]) throws {
        func read(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(name)))
        }
        func issued(_ name: String, by issuer: Certificate) throws -> Issued {
            let scalar = try read("\(name).key")
            return Issued(
                certificate: try Certificate(der: read("\(name).der")), key: try P256PrivateKey(scalar: scalar), scalar: scalar,
                issuer: issuer, activeFrom: .min)
        }
        ceremonies = try Ceremony.read(read)
        let first = try issued("catalog", by: ceremonies[0].policy)
        issuers = [first] + renewed.filter { $0.role == .catalog }.map(\.issued)
        current = issuers.map { [ceremonies] in Authority.ceremony(of: $0.issuer, in: ceremonies) }.max() ?? 0
        own = try renewed.last { $0.role == .service }?.issued ?? issued("service", by: first.certificate)
        hierarchy = Hierarchy(organization: names.catalog)
        host = names.service
        identity = CatalogIdentity(names)
        verifierKey = try P256PrivateKey(scalar: read("verifier.key"))
        endorsements = try? EndorsementVerifier(roots: [read("tpm-root.der")], intermediates: [read("tpm-intermediate.der")])
    }

    // MARK: Who is who

    /// Which of the catalog's authorities issues.
    private func issuer(_ now: Int64) -> Issued { issuers.last { $0.activeFrom <= now } ?? issuers[0] }

    private static func ceremony(of policy: Certificate, in ceremonies: [Ceremony]) -> Int {
        ceremonies.lastIndex { $0.policy.der == policy.der } ?? 0
    }
    /// Whose policy authority one of the catalog's authorities is from.
    private func ceremony(ofCatalog catalog: Certificate) -> Int {
        issuers.last { $0.certificate.der == catalog.der }.map { Authority.ceremony(of: $0.issuer, in: ceremonies) } ?? 0
    }

    /// Who is believed: the present root, and those before it, whose certificates may still be good.
    var roots: [Certificate] { ceremonies[...current].filter { $0.cross != nil || $0.isFirst }.map(\.root) }
    /// The root of what is issued now.
    func root(_ now: Int64) -> Certificate { ceremonies[Authority.ceremony(of: issuer(now).issuer, in: ceremonies)].root }

    /// From one of the catalog's authorities on, which comes first, towards any root that was ever trusted.
    private func path(_ catalog: Certificate) -> [Certificate] {
        let number = ceremony(ofCatalog: catalog)
        let crosses = ceremonies[...number].compactMap(\.cross).suffix(Hierarchy.crossings)
        return [catalog, ceremonies[number].policy] + crosses.reversed()
    }

    /// Between a certificate that is issued now and the root, the issuer first.
    func intermediates(_ now: Int64) -> [Certificate] { path(issuer(now).certificate) }

    /// Of all certificates that may still be good.
    var allIntermediates: [Certificate] {
        issuers.map(\.certificate) + ceremonies[...current].flatMap { [$0.policy, $0.cross].compactMap(\.self) }
    }

    /// As whom the service speaks.
    var service: TLSConfiguration.Identity {
        TLSConfiguration.Identity(chain: [own.certificate] + path(own.issuer), key: own.key)
    }

    // MARK: Renewal

    /// What is due, a role once: a third of the service's certificate is left, or so much of the catalog's authority as AS-8 says.
    func due(_ now: Int64) -> AuthorityRole? {
        if let newest = issuers.last, newest.certificate.notAfter - now < AuthorityRole.catalog.renewalSeconds, canRenew(.catalog, now) {
            return .catalog
        }
        // Nobody need know more of what is above than who gets certificates now.
        let isBehind = ceremony(ofCatalog: own.issuer) < ceremony(ofCatalog: issuer(now).certificate)
        if isBehind { return .service }
        return own.certificate.notAfter - now < AuthorityRole.service.renewalSeconds && canRenew(.service, now) ? .service : nil
    }

    /// Nothing outlives what has issued it: a renewal that would end no later is none.
    private func canRenew(_ role: AuthorityRole, _ now: Int64) -> Bool {
        switch role {
        case .catalog:
            ceremonies[current].policyKey != nil && ceremonies[current].policy.notAfter > (issuers.last?.certificate.notAfter ?? .max)
        case .service: issuer(now).certificate.notAfter > own.certificate.notAfter
        }
    }

    /// The keyholders have come together: what they have made takes the place of the policy authority, and it issues an authority of
    /// the catalog at once, which is known for the overlap.
    /// - Returns: Nil where they have made nothing, or not what was asked for.
    mutating func succeed(withRoot isRoot: Bool, overlapSeconds: Int64, _ now: Int64) throws(CryptoError) -> Issued? {
        guard current + 1 < ceremonies.count, (ceremonies[current + 1].cross != nil) == isRoot else { return nil }
        current += 1
        return try renew(.catalog, overlapSeconds: overlapSeconds, now)
    }

    /// Makes a new key and a certificate for it.
    /// - Parameter overlapSeconds: For how long a new authority is known before it issues.
    /// - Returns: Nil where there is no key to sign it with.
    mutating func renew(_ role: AuthorityRole, overlapSeconds: Int64, _ now: Int64) throws(CryptoError) -> Issued? {
        let (scalar, key) = P256PrivateKey.draw()
        let made: Issued
        switch role {
        case .catalog:
            let policy = ceremonies[current].policy
            guard let policyKey = ceremonies[current].policyKey else { return nil }
            let end = min(now + Hierarchy.Lifetime.catalog, policy.notAfter)
            // However long it is to be known before: what the old one issues must not outlive it.
            let latest = issuer(now).certificate.notAfter - 2 * Lifetimes.device
            // A day for devices whose clocks are behind.
            let template = hierarchy.catalog(notBefore: now - Hierarchy.Lifetime.day, notAfter: end)
            made = Issued(
                certificate: try template.issue(for: key.publicKey, by: policyKey, issuer: policy), key: key, scalar: scalar,
                issuer: policy,
                activeFrom: max(now, min(now + overlapSeconds, latest)))
            issuers.append(made)
            issuers.removeAll { $0.certificate.notAfter < now }
        case .service:
            let issuer = issuer(now)
            let end = min(now + Hierarchy.Lifetime.service, issuer.certificate.notAfter)
            let template = hierarchy.service(host: host, notBefore: now - Hierarchy.Lifetime.day, notAfter: end)
            made = Issued(
                certificate: try template.issue(for: key.publicKey, by: issuer.key, issuer: issuer.certificate), key: key,
                scalar: scalar, issuer: issuer.certificate, activeFrom: now)
            own = made
        }
        return made
    }

    // MARK: Devices

    func time(nonce: String, unixNanoseconds: Int64) -> ServiceAPI.Time {
        let digest = ServiceAPI.Time.digest(nonce: nonce, unixNanoseconds: unixNanoseconds)
        return ServiceAPI.Time(unixNanoseconds: unixNanoseconds, signature: verifierKey.sign(digest: digest))
    }

    /// A certificate of 24 hours.
    /// - Parameter isAttested: Whether the verifier vouches for the device.
    func issue(
        _ kind: Kind, for device: Store.Device, isAttested: Bool, key subject: P256PublicKey, unixSeconds: Int64
    ) throws(CryptoError) -> Certificate {
        let notAfter = unixSeconds + Lifetimes.device
        var uris = [identity.deviceURI(device.deviceID)]
        let serial = Hierarchy.serial()
        if isAttested {
            let digest = CatalogIdentity.resultDigest(deviceID: device.deviceID, key: subject, notAfter: notAfter)
            uris.append(identity.resultURI(verifierKey.sign(digest: digest)))
        }
        let template = CertificateTemplate(
            commonName: device.deviceID, organization: identity.names.catalog, serial: serial,
            // Ten minutes for devices whose clocks are behind.
            notBefore: unixSeconds - 600, notAfter: notAfter,
            hostNames: kind == .customer ? [identity.names.host(device.name)] : [],
            uris: [kind == .customer ? identity.productURI(device.product) : identity.updateURI] + uris,
            usage: .endEntity)
        let issuer = issuer(unixSeconds)
        return try template.issue(for: subject, by: issuer.key, issuer: issuer.certificate)
    }
}

/// What the service renews by itself.
enum AuthorityRole: String, CaseIterable {
    /// The authority that issues for devices and for the service (AS-8).
    case catalog
    /// The service's own certificate.
    case service

    /// So long before its end.
    var renewalSeconds: Int64 { (self == .catalog ? 90 : 30) * Hierarchy.Lifetime.day }
    /// Of a renewal in time: relying parties hear of a new authority before it issues (AS-8).
    var overlapSeconds: Int64 { self == .catalog ? 45 * Hierarchy.Lifetime.day : 0 }
}

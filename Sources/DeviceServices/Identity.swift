import Configuration
public import Exchange
public import SecureChannel
import Wire

/// The certificates that a device holds, and how it speaks with them.
///
/// Two of them (AS-1): the *update* certificate for OS services, the *customer* certificate for everything
/// that apps and peers see. Both are for the same key, which stays in the key store; its name and the chains are
/// kept in the settings, so that a cold boot within their validity needs no attestation (AS-5).
public struct Identity {
    public private(set) var customer: TLSConfiguration.Identity?
    private(set) var update: TLSConfiguration.Identity?
    private let configuration: DeviceConfiguration
    private let protections: Protections
    private let catalog: CatalogIdentity
    private let roots: [Certificate]
    /// Whose attestation results count; nil if none are asked for.
    private let verifier: P256PublicKey?
    private var configurations: [String: TLSConfiguration] = [:]

    init(_ configuration: DeviceConfiguration, roots: [Certificate], verifier: P256PublicKey?) {
        self.configuration = configuration
        protections = configuration.protections
        self.verifier = protections.attestationGate ? verifier : nil
        self.roots = roots
        catalog = CatalogIdentity(configuration.names)
    }

    /// With certificates out of play there is nothing to attest for.
    var usesCertificates: Bool { protections.usesCertificates }
    public var isReady: Bool { !usesCertificates || customer != nil && update != nil }
    /// Unix seconds; the earlier of the two.
    var notAfter: Int64? {
        [customer, update].compactMap { $0?.chain.first?.notAfter }.min()
    }

    mutating func set(update: TLSConfiguration.Identity?, customer: TLSConfiguration.Identity?) {
        self.update = update
        self.customer = customer
        configurations = [:]
    }

    mutating func clear() { set(update: nil, customer: nil) }

    // MARK: How to speak

    mutating func towardsService(_ who: TLSConfiguration.Identity?, _ label: String) -> Security {
        if !protections.transportEncryption { return .plain }
        let rule = TLSConfiguration.PeerRule(
            roots: protections.certificateAuth ? roots : [], isCertificateRequired: false, profile: Lifetimes.serviceProfile)
        return cached(label, .client, who, rule)
    }

    /// For an app that connects to whom it likes (CL-6): whom the device trusts, as it does.
    public func forApp(presents: Bool) -> Security {
        made(presents: presents) { .init(roots: $0 ? roots : [], isCertificateRequired: false, profile: Lifetimes.serviceProfile) }
    }

    /// Authorities of its own, with what the device asks of its own.
    public func forApp(presents: Bool, roots: [Certificate]) -> Security {
        made(presents: presents) { .init(roots: $0 ? roots : [], isCertificateRequired: false, profile: .init(longestLeafSeconds: .max)) }
    }

    /// Authorities of its own, in DER, with what servers of the world have.
    public func forApp(presents: Bool, commonRoots roots: [[UInt8]]) -> Security {
        made(presents: presents, algorithms: .common) { .common(roots: $0 ? roots : []) }
    }

    /// - Parameter rule: Whether certificates are checked at all.
    private func made(
        presents: Bool, algorithms: TLSConfiguration.Algorithms? = nil, _ rule: (Bool) -> TLSConfiguration.PeerRule
    ) -> Security {
        if !protections.transportEncryption { return .plain }
        return made(.client, presents ? customer : nil, rule(protections.certificateAuth), algorithms: algorithms)
    }

    mutating func towardsPeer() -> Security {
        if !protections.transportEncryption { return .plain }
        return cached("peer-client", .client, customer, peerRule(isCertificateRequired: false))
    }

    /// Nil while there is no certificate to serve with.
    mutating func asServer() -> Security? {
        if !protections.transportEncryption { return .plain }
        if !usesCertificates { return selfSigned() }
        guard customer != nil else { return nil }
        return cached("peer-server", .server, customer, peerRule(isCertificateRequired: protections.mutualDeviceAuth))
    }

    private func peerRule(isCertificateRequired: Bool) -> TLSConfiguration.PeerRule {
        if !protections.certificateAuth { return .anybody }
        let (catalog, products, verifier) = (catalog, configuration.allowedProducts, verifier)
        return TLSConfiguration.PeerRule(
            roots: roots, isCertificateRequired: isCertificateRequired, profile: Lifetimes.deviceProfile
        ) { certificate in
            catalog.refusal(of: certificate, products: products)
                ?? verifier.flatMap { catalog.refusalOfResult(certificate, verifier: $0) }
        }
    }

    /// TLS wants some certificate from a server; with `certificate-auth` off nobody looks at it.
    private mutating func selfSigned() -> Security? {
        if let known = configurations["self-signed"] { return .tls(known) }
        let key = P256PrivateKey()
        let template = CertificateTemplate(
            commonName: configuration.setting.name, organization: configuration.names.catalog, serial: [1],
            notBefore: configuration.setting.epochSeconds - 86_400,
            notAfter: configuration.setting.epochSeconds + 3650 * 86_400,
            hostNames: [configuration.names.host(configuration.setting.name)], usage: .endEntity)
        guard let certificate = try? template.issue(for: key.publicKey, by: key, issuer: nil) else { return nil }
        return cached("self-signed", .server, .init(chain: [certificate], key: key), .anybody)
    }

    private mutating func cached(
        _ label: String, _ role: TLSConfiguration.Role, _ who: TLSConfiguration.Identity?,
        _ rule: TLSConfiguration.PeerRule
    ) -> Security {
        if let known = configurations[label] { return .tls(known) }
        let security = made(role, who, rule)
        if case .tls(let made) = security { configurations[label] = made }
        return security
    }

    private func made(
        _ role: TLSConfiguration.Role, _ who: TLSConfiguration.Identity?, _ rule: TLSConfiguration.PeerRule,
        algorithms: TLSConfiguration.Algorithms? = nil
    ) -> Security {
        do {
            return .tls(
                try TLSConfiguration(
                    role: role, identity: who, rule: rule, algorithms: algorithms ?? (protections.strongAlgorithms ? .strong : .weakToo),
                    keepsKeyLog: configuration.setting.keyLogPath != nil))
        } catch {
            // What is stored was checked when it was taken over; only broken memory leads here.
            preconditionFailure("\(configuration.setting.name): \(error)")
        }
    }
}

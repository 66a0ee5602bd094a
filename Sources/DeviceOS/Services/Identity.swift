import Catalogue
import Configuration
import Exchange
import Formats
import SecureChannel
import Silicon
import Wire

/// The certificates that a device holds, and how it speaks with them.
///
/// Two of them (AS-1): the *update* certificate for OS services, the *customer* certificate for everything
/// that apps and peers see. Both are for the same key, which stays in Pluton; its seed and the chains are
/// cached in flash, so that a cold boot within their validity needs no attestation (AS-5).
struct Identity {
    private(set) var customer: TLSConfiguration.Identity?
    private(set) var update: TLSConfiguration.Identity?
    private let configuration: DeviceConfiguration
    private let catalog: CatalogIdentity
    private let roots: [Certificate]
    /// Whose attestation results count; nil if none are asked for.
    private let verifier: P256PublicKey?
    private var configurations: [String: TLSConfiguration] = [:]

    init(_ configuration: DeviceConfiguration, roots: [Certificate], verifier: P256PublicKey?) {
        self.verifier = configuration.controlsOff.contains(.attestationGate) ? nil : verifier
        self.configuration = configuration
        self.roots = roots
        catalog = CatalogIdentity(configuration.names)
    }

    private func isOff(_ control: Control) -> Bool { configuration.controlsOff.contains(control) }

    /// With certificates out of play there is nothing to attest for.
    var usesCertificates: Bool { !isOff(.certificateAuth) && !isOff(.transportEncryption) }
    var isReady: Bool { !usesCertificates || customer != nil && update != nil }
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
        if isOff(.transportEncryption) { return .plain }
        let rule = TLSConfiguration.PeerRule(
            roots: isOff(.certificateAuth) ? [] : roots, isCertificateRequired: false, profile: Lifetimes.serviceProfile)
        return cached(label, .client, who, rule)
    }

    /// Whom an app trusts, and what it asks of them.
    enum AppRule {
        /// Whom the device trusts, as it does.
        case devices
        /// Authorities of its own, with what the device asks of its own.
        case strict([Certificate])
        /// Authorities of its own, in DER, with what servers of the world have.
        case common([[UInt8]])
    }

    /// For an app that connects to whom it likes (CL-6).
    func forApp(presents: Bool, _ wanted: AppRule) -> Security {
        if isOff(.transportEncryption) { return .plain }
        let isOpen = isOff(.certificateAuth)
        let who = presents ? customer : nil
        switch wanted {
        case .devices:
            return made(.client, who, .init(roots: isOpen ? [] : roots, isCertificateRequired: false, profile: Lifetimes.serviceProfile))
        case .strict(let own):
            return made(
                .client, who, .init(roots: isOpen ? [] : own, isCertificateRequired: false, profile: .init(longestLeafSeconds: .max)))
        case .common(let own): return made(.client, who, .common(roots: isOpen ? [] : own), algorithms: .common)
        }
    }

    mutating func towardsPeer() -> Security {
        if isOff(.transportEncryption) { return .plain }
        return cached("peer-client", .client, customer, peerRule(isCertificateRequired: false))
    }

    /// Nil while there is no certificate to serve with.
    mutating func asServer() -> Security? {
        if isOff(.transportEncryption) { return .plain }
        if !usesCertificates { return selfSigned() }
        guard customer != nil else { return nil }
        return cached("peer-server", .server, customer, peerRule(isCertificateRequired: !isOff(.mutualDeviceAuth)))
    }

    private func peerRule(isCertificateRequired: Bool) -> TLSConfiguration.PeerRule {
        if isOff(.certificateAuth) { return .anybody }
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
                    role: role, identity: who, rule: rule, algorithms: algorithms ?? (isOff(.strongAlgorithms) ? .weakToo : .strong),
                    keepsKeyLog: configuration.setting.keyLogPath != nil))
        } catch {
            // What is stored was checked when it was taken over; only broken memory leads here.
            preconditionFailure("\(configuration.setting.name): \(error)")
        }
    }
}

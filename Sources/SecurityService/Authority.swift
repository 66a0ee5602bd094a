import Attestation
import Exchange
import Foundation
import SecureChannel
import Wire

/// The catalog's certification authority, as the service holds it.
struct Authority {
    enum Kind: String, CaseIterable { case update, customer }

    let root: Certificate
    /// Between a certificate that it issues and the root, the issuer first.
    let intermediates: [Certificate]
    private let catalog: Certificate
    private let key: P256PrivateKey
    let service: TLSConfiguration.Identity
    private let identity: CatalogIdentity
    private let verifierKey: P256PrivateKey
    /// Nil if no manufacturer of TPMs is known.
    let endorsements: EndorsementVerifier?
    /// What relying parties check attestation results with.
    var verifier: P256PublicKey { verifierKey.publicKey }

    /// Reads the files of the factory.
    init(path: String, names: CatalogNames) throws {
        func read(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(name)))
        }
        root = try Certificate(der: read("root.der"))
        catalog = try Certificate(der: read("catalog.der"))
        intermediates = [catalog, try Certificate(der: read("policy.der"))]
        key = try P256PrivateKey(scalar: read("catalog.key"))
        service = TLSConfiguration.Identity(
            chain: [try Certificate(der: read("service.der"))] + intermediates,
            key: try P256PrivateKey(scalar: read("service.key")))
        identity = CatalogIdentity(names)
        verifierKey = try P256PrivateKey(scalar: read("verifier.key"))
        endorsements = try? EndorsementVerifier(roots: [read("tpm-root.der")], intermediates: [read("tpm-intermediate.der")])
    }

    /// A certificate of 24 hours.
    /// - Parameter isAttested: Whether the verifier vouches for the device.
    func issue(
        _ kind: Kind, for device: Store.Device, isAttested: Bool, key subject: P256PublicKey, unixSeconds: Int64
    ) throws(CryptoError) -> Certificate {
        var serial = Randomness.bytes(16)
        serial[0] = serial[0] & 0x7F | 0x40
        let notAfter = unixSeconds + Lifetimes.device
        var uris = [identity.deviceURI(device.deviceID)]
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
        return try template.issue(for: subject, by: key, issuer: catalog)
    }
}

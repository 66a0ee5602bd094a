public import SecureChannel
public import Wire

/// How certificates of a catalog name their holder.
public struct CatalogIdentity: Sendable {
    public let names: CatalogNames
    public init(_ names: CatalogNames) { self.names = names }

    /// What the service signs into the customer certificate of a device.
    public func productURI(_ product: String) -> String { "urn:orrery:\(names.catalog):product:\(product)" }
    public func deviceURI(_ deviceID: String) -> String { "urn:orrery:\(names.catalog):device:\(deviceID)" }
    /// The update certificate is for the OS alone (AS-1).
    public var updateURI: String { "urn:orrery:\(names.catalog):update" }

    /// What the verifier says of a device, under a key that is not the authority's: whoever steals the authority's key
    /// still cannot say it (RFC 9334: an attestation result). It is bound to the key and the end of the certificate.
    public func resultURI(_ signature: [UInt8]) -> String { "urn:orrery:\(names.catalog):result:\(signature.hex)" }

    /// SHA-256 of what the verifier signs.
    public static func resultDigest(deviceID: String, key: P256PublicKey, notAfter: Int64) -> [UInt8] {
        sha256(Array("attestation result\n\(deviceID)\n\(key.bytes.hex)\n\(notAfter)\n".utf8))
    }

    /// Nil if the verifier has said of this certificate's device and key that they are good.
    public func refusalOfResult(_ certificate: Certificate, verifier: P256PublicKey) -> String? {
        guard let deviceID = deviceID(of: certificate), let signature = value("result", certificate).flatMap([UInt8].init(hex:)) else {
            return "no attestation result"
        }
        let digest = CatalogIdentity.resultDigest(deviceID: deviceID, key: certificate.publicKey, notAfter: certificate.notAfter)
        return verifier.isValid(signature: signature, digest: digest) ? nil : "attestation result is not the verifier's"
    }

    public func product(of certificate: Certificate) -> String? { value("product", certificate) }
    public func deviceID(of certificate: Certificate) -> String? { value("device", certificate) }

    private func value(_ kind: String, _ certificate: Certificate) -> String? {
        let prefix = "urn:orrery:\(names.catalog):\(kind):"
        return certificate.uris.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    /// Nil if the certificate belongs to this catalog and to one of the products; else why not.
    public func refusal(of certificate: Certificate, products: [String]) -> String? {
        guard certificate.organization == names.catalog else { return "wrong catalog" }
        guard let product = product(of: certificate), products.contains(product) else { return "peer not allowed" }
        return nil
    }

    /// Nil if the certificate is a device's, of either kind.
    public func refusalOfDevice(_ certificate: Certificate) -> String? {
        guard certificate.organization == names.catalog else { return "wrong catalog" }
        return deviceID(of: certificate) == nil ? "not a device" : nil
    }
}

public enum Lifetimes {
    /// Device certificates live 24 hours (AS-2); a profile grants an hour for clocks.
    public static let device: Int64 = 24 * 3600
    public static let deviceProfile = CertificateProfile(longestLeafSeconds: 25 * 3600)
    /// The service's own certificate.
    public static let service: Int64 = 90 * 86_400
    public static let serviceProfile = CertificateProfile(longestLeafSeconds: 100 * 86_400)
}

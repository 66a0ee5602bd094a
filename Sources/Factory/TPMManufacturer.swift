public import SecureChannel
import TPM
public import Wire

/// Who makes the TPMs, and says so in each one's certificate: a root and an authority below it, apart from the catalog's.
public struct TPMManufacturer {
    public let root: Certificate
    public let intermediate: Certificate
    public let intermediateKey: FactoryKey
    /// What its TPMs are: libtpms's letters ("IBM") and model.
    public let identity: TPMIdentity
    private let unixSeconds: Int64

    public static let libtpms = TPMIdentity(manufacturer: "id:49424D00", model: "swtpm", version: "id:20191023")

    /// - Parameter unixSeconds: When the ceremony takes place; the root lives 30 years, the authority 20.
    public init(unixSeconds: Int64, identity: TPMIdentity = TPMManufacturer.libtpms) throws(CryptoError) {
        self.unixSeconds = unixSeconds - 60 * 86_400
        self.identity = identity
        let rootKey = FactoryKey()
        intermediateKey = FactoryKey()
        root = try CertificateTemplate(
            commonName: "Orrery TPM root CA", organization: "Orrery TPM works", serial: Hierarchy.serial(), notBefore: self.unixSeconds,
            notAfter: self.unixSeconds + 30 * TPMManufacturer.year, usage: .authority(pathLength: 1)
        ).issue(for: rootKey.key.publicKey, by: rootKey.key, issuer: nil)
        intermediate = try CertificateTemplate(
            commonName: "Orrery TPM EK CA", organization: "Orrery TPM works", serial: Hierarchy.serial(), notBefore: self.unixSeconds,
            notAfter: self.unixSeconds + 20 * TPMManufacturer.year, usage: .authority(pathLength: 0)
        ).issue(for: intermediateKey.key.publicKey, by: rootKey.key, issuer: root)
    }

    private static let year: Int64 = 365 * 86_400

    /// The certificate of one TPM's endorsement key, which lives as long as the authority.
    public func certify(_ endorsementKey: P256PublicKey) throws(CryptoError) -> Certificate {
        try CertificateTemplate(
            commonName: "", organization: "", serial: Hierarchy.serial(), notBefore: unixSeconds,
            notAfter: unixSeconds + 20 * TPMManufacturer.year, usage: .endorsementKey(identity)
        ).issue(for: endorsementKey, by: intermediateKey.key, issuer: intermediate)
    }

    /// Makes the TPM of one board, once: its endorsement key, and the certificate for it.
    /// - Parameters:
    ///   - path: Of its non-volatile memory.
    ///   - serial: What tells the board from all others.
    ///   - draws: Nil for the process's generator.
    public func manufacture(at path: String, serial: String, draws: SeedStream?) throws {
        let tpm = try TrustedPlatformModule.manufacture(
            in: TPMStateFile(path: path, device: Array(serial.utf8)), draws: draws, clock: { .start })
        let stack = TPMStack(tpm)
        try stack.startup()
        _ = try stack.endorse { key throws(CryptoError) in try certify(key).der }
        try stack.shutdown()
    }

    /// What the service reads at start, by file name.
    public var files: [String: [UInt8]] { ["tpm-root.der": root.der, "tpm-intermediate.der": intermediate.der] }
}

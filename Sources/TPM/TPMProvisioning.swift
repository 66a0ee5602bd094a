public import SecureChannel
public import TPMEvidence

extension TPMStack {
    /// What a manufacturer does once: the endorsement key, made persistent, and its certificate.
    /// - Parameter certify: Gives the certificate, in DER, for the key.
    public func endorse<E: Error>(_ certify: (P256PublicKey) throws(E) -> [UInt8]) throws -> TPMPublic {
        let (handle, publicArea) = try createPrimary(.endorsement, .endorsementKey)
        guard let key = publicArea.key else { throw TPMError.response(.value(field: "unique", 0)) }
        try define(TPMStack.endorsementCertificateIndex, try certify(key))
        try persist(handle, at: Persistent.endorsementKey)
        return publicArea
    }

    /// What an owner does once: storage root key, attestation key (a child of the endorsement key, so that its quotes tell the
    /// counters as they are) and the key for TLS; all persistent.
    public func takeOwnership() throws(TPMError) -> (attestationKey: TPMPublic, tlsKey: TPMPublic) {
        if (try? publicArea(of: Persistent.endorsementKey)) == nil {
            // A clear takes it away; it comes back the same.
            try persist(try createPrimary(.endorsement, .endorsementKey).handle, at: Persistent.endorsementKey)
        }
        try persist(try createPrimary(.owner, .storageRootKey).handle, at: Persistent.storageRootKey)
        let attestation = try create(.attestationKey, under: Persistent.endorsementKey, policy: .endorsement)
        let tls = try create(.signingKey(), under: Persistent.storageRootKey)
        try persist(try load(attestation, under: Persistent.endorsementKey, policy: .endorsement), at: Persistent.attestationKey)
        try persist(try load(tls, under: Persistent.storageRootKey), at: Persistent.tlsKey)
        return (attestation.publicArea, tls.publicArea)
    }

    /// The endorsement key's certificate, in DER.
    public func endorsementCertificate() throws(TPMError) -> [UInt8] { try data(at: TPMStack.endorsementCertificateIndex) }
}

/// A key in a TPM, for TLS: it signs there, and never leaves.
public final class TPMSigningKey: SigningKey {
    public let publicKey: P256PublicKey
    private let stack: TPMStack
    private let handle: UInt32
    private let policy: TPMPolicySession?
    /// What the TPM said last instead of signing; a handshake only knows that there was no signature.
    public private(set) var refusal: TPMError?

    /// - Throws: ``TPMResponseCode/handle`` if there is no such key.
    public init(_ stack: TPMStack, _ handle: UInt32 = TPMStack.Persistent.tlsKey, policy: TPMPolicySession? = nil) throws(TPMError) {
        guard let key = try stack.publicArea(of: handle).key else { throw .argument }
        (publicKey, self.stack, self.handle, self.policy) = (key, stack, handle, policy)
    }

    public func sign(digest: [UInt8]) -> [UInt8] {
        do throws(TPMError) {
            return try stack.sign(handle, digest: digest, policy: policy)
        } catch {
            refusal = error
            // A signature that is none: the peer refuses it.
            return [UInt8](repeating: 0, count: 64)
        }
    }
}

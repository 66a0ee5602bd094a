public import SecureChannel
import TPMEvidence

/// Believes manufacturers of TPMs: whether an attestation key is in one of theirs (RFC 9334: endorser).
public struct EndorsementVerifier {
    private let validator: PathValidator

    /// - Parameters:
    ///   - roots: Of manufacturers, in DER.
    ///   - intermediates: Below them, in DER.
    public init(roots: [[UInt8]], intermediates: [[UInt8]]) throws(CryptoError) {
        validator = try PathValidator(roots: roots, others: intermediates)
    }

    public struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
        public var description: String
    }

    /// A credential that opens only in the endorsed TPM, and there only while it holds the attestation key: TPM2B_ID_OBJECT and
    /// TPM2B_ENCRYPTED_SECRET.
    /// - Parameters:
    ///   - certificate: Of the endorsement key, in DER.
    ///   - attestationKey: TPMT_PUBLIC.
    ///   - deviceID: The attestation key's x and y in hex.
    ///   - secret: At most 32 bytes.
    public func credential(
        for certificate: [UInt8], attestationKey: [UInt8], deviceID: String, secret: [UInt8], unixSeconds: Int64
    ) throws(Refusal) -> (blob: [UInt8], secret: [UInt8]) {
        do {
            let endorsementKey = try Certificate(der: certificate).publicKey
            _ = try Certificate.appraise(endorsement: certificate, of: endorsementKey, by: validator, unixSeconds: unixSeconds)
            let key = try EnrolledAttestationKey(publicArea: try TPMPublic(attestationKey)).publicArea
            guard key.key?.bytes.hex == deviceID else { throw Refusal(description: "the attestation key is another device's") }
            let credential = try Credential(secret, endorsementKey: endorsementKey, name: key.name)
            return (credential.blob, credential.secret)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw Refusal(description: "endorsement: \(error)")
        }
    }
}

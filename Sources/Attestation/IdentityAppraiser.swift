import Formats
import SecureChannel

/// Appraises tokens that say no more than who signs.
public struct IdentityAppraiser {
    public init() {}

    public func appraise(_ evidence: [UInt8], deviceID: String, _ takeChallenge: Verifier.TakeChallenge) -> Appraisal {
        guard let bytes = [UInt8](hex: deviceID), let key = try? P256PublicKey(bytes) else {
            return Appraisal(.init([.instanceIdentity: .unrecognized]), .init("device ID is not a P-256 key"))
        }
        let message: CoseSign1
        let token: IdentityToken
        do {
            message = try CoseSign1(evidence)
            token = try IdentityToken(message.payload)
        } catch {
            return Appraisal(.init(all: .unknownEvidence), .init("evidence does not parse: \(error)"))
        }
        guard message.algorithm == CoseSign1.es256,
            key.isValid(signature: message.signature, digest: sha256(message.toBeSigned))
        else { return Appraisal(.init(all: .cryptographyFailed), .init("signature is not this device's")) }
        let nonce = token.nonce.hex
        guard token.instance == IdentityToken.instance(of: key.bytes, digest: sha256) else {
            return Appraisal(
                .init([.instanceIdentity: .contraindicated]), .init("instance ID is another device's", nonce: nonce))
        }
        guard takeChallenge(nonce) != nil else { return Appraisal(.init(), .init("nonce is unknown, used or expired", nonce: nonce)) }
        return Appraisal(.init([.instanceIdentity: .affirmed]))
    }
}

import Formats
import SecureChannel

/// Appraises PSA attestation tokens (RFC 9783): what Pluton signs.
public struct PSAAppraiser {
    /// Of the evidence, as it is sent.
    public static let mediaType = "application/eat+cwt"

    private let references: ReferenceValues
    public init(_ references: ReferenceValues) { self.references = references }

    /// Reference values in which apps may be missing: not every device has one.
    public static func references(_ values: [(type: UInt32, sha256: String)]) -> ReferenceValues {
        ReferenceValues(values, optional: [UInt32(ImageType.applications.rawValue)])
    }

    /// - Parameters:
    ///   - deviceID: The attestation public key, x and y in hex.
    ///   - takeNonce: True if the nonce was given to this device, is still good and was not used.
    public func appraise(_ evidence: [UInt8], deviceID: String, takeNonce: (String) -> Bool) -> Appraisal {
        guard let bytes = [UInt8](hex: deviceID), let key = try? P256PublicKey(bytes) else {
            return Appraisal(.init([.instanceIdentity: .unrecognized]), .init("device ID is not a P-256 key"))
        }
        let message: CoseSign1
        let token: PSAToken
        do {
            message = try CoseSign1(evidence)
            token = try PSAToken(message.payload)
        } catch {
            return Appraisal(.init(all: .unknownEvidence), .init("evidence does not parse: \(error)"))
        }
        guard message.algorithm == CoseSign1.es256 else {
            return Appraisal(.init(all: .unknownEvidence), .init("evidence does not parse: \(EvidenceError.wrongAlgorithm)"))
        }
        guard key.isValid(signature: message.signature, digest: sha256(message.toBeSigned)) else {
            return Appraisal(.init(all: .cryptographyFailed), .init("signature is not this device's"))
        }
        let nonce = token.nonce.hex
        func found(_ reason: String, _ vector: TrustworthinessVector, digest: String? = nil) -> Appraisal {
            Appraisal(vector, .init(reason, nonce: nonce, digest: digest))
        }
        guard token.instance == [1] + sha256(key.bytes) else {
            return found("instance ID is another device's", .init([.instanceIdentity: .contraindicated]))
        }
        // Of evidence that may be of another day nothing is said.
        guard takeNonce(nonce) else { return found("nonce is unknown, used or expired", .init()) }
        var vector = TrustworthinessVector([.instanceIdentity: .affirmed, .hardware: .affirmed])
        guard token.majorLifecycle == .secured else {
            vector[.configuration] = .contraindicated
            return found("lifecycle is not secured", vector)
        }
        vector[.configuration] = .affirmed
        vector[.executables] = .approvedBoot
        if let finding = finding(in: token.components, nonce) {
            vector[.executables] = .unrecognizedExecutables
            return Appraisal(vector, finding)
        }
        return Appraisal(vector)
    }

    private func finding(in components: [PSAToken.Component], _ nonce: String) -> Appraisal.Finding? {
        var seen: Set<UInt32> = []
        for component in components {
            guard let type = UInt32(component.type) else { return .init("measurement of unknown type", nonce: nonce) }
            let digest = component.measurement.hex
            guard references.has(type, digest) else {
                let name = ImageType(rawValue: UInt16(truncatingIfNeeded: type))?.name ?? "type \(type)"
                return .init("measurement of \(name) is not a reference value", nonce: nonce, digest: digest)
            }
            seen.insert(type)
        }
        return references.required.subtracting(seen).isEmpty ? nil : .init("a boot stage was not measured", nonce: nonce)
    }
}

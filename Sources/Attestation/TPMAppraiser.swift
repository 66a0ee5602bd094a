import Formats
import SecureChannel
import TPMEvidence

/// Appraises quotes of a TPM 2.0 with the event log beside them.
public struct TPMAppraiser {
    private let references: ReferenceValues
    public init(_ references: ReferenceValues) { self.references = references }

    /// What may have been measured into a register.
    private static let types: [Int: Set<ImageType>] = [
        MeasuredRegister.firmware: [.loader], MeasuredRegister.policy: [.policy, .updateCertificateStore],
        MeasuredRegister.kernel: [.kernel], MeasuredRegister.fileSystem: [.rootFileSystem],
        MeasuredRegister.applications: [.applications],
    ]

    public func appraise(_ evidence: [UInt8], deviceID: String, _ takeChallenge: Verifier.TakeChallenge) -> Appraisal {
        guard let attestation = TPMAttestation(evidence), let area = try? TPMPublic(attestation.attestationKey),
            let log = try? EventLog(attestation.eventLog), let statement = try? QuoteStatement(attestation.quote.statement)
        else { return Appraisal(.init(all: .unknownEvidence), .init("evidence does not parse: it is no TPM quote with its event log")) }
        guard area.key?.bytes.hex == deviceID else {
            return Appraisal(.init([.instanceIdentity: .contraindicated]), .init("attestation key is another device's"))
        }
        let nonce = statement.extraData.hex
        do throws(QuoteRefusal) {
            _ = try EnrolledAttestationKey(publicArea: area).appraise(
                attestation.quote, nonce: statement.extraData, selection: MeasuredRegister.quoted, values: log.values)
        } catch {
            return Appraisal(.init(all: .cryptographyFailed), .init("quote: \(error)", nonce: nonce))
        }
        // Of evidence that may be of another day nothing is said.
        guard let challenge = takeChallenge(nonce) else {
            return Appraisal(.init(), .init("nonce is unknown, used or expired", nonce: nonce))
        }
        // A key like that can be in any program: only the TPM whose endorsement is certified can have read the credential.
        if let secret = challenge.secret, secret.isEmpty || !constantTimeEqual(attestation.activation, secret) {
            return Appraisal(
                .init([.instanceIdentity: .unrecognized, .hardware: .unrecognized]),
                .init("attestation key is not in the TPM that is certified", nonce: nonce))
        }
        var vector = TrustworthinessVector([.instanceIdentity: .affirmed, .hardware: .affirmed, .configuration: .affirmed])
        vector[.executables] = .approvedBoot
        if let finding = finding(in: log, nonce) {
            vector[.executables] = .unrecognizedExecutables
            return Appraisal(vector, finding)
        }
        return Appraisal(vector)
    }

    private func finding(in log: EventLog, _ nonce: String) -> Appraisal.Finding? {
        var seen: Set<UInt32> = []
        for event in log.events where event.type != EventType.noAction {
            let digest = event.digest.hex
            let type = TPMAppraiser.types[event.register]?.map { UInt32($0.rawValue) }.sorted().first { references.has($0, digest) }
            guard let type else {
                return .init("register \(event.register) holds a measurement that is no reference value", nonce: nonce, digest: digest)
            }
            seen.insert(type)
        }
        return references.required.subtracting(seen).isEmpty ? nil : .init("a boot stage was not measured", nonce: nonce)
    }
}

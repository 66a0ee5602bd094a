import Exchange
import SecureChannel
import Wire

/// Daily device authentication and attestation (AS-1 … AS-6), as the attester of RFC 9334's passport model:
/// challenge → evidence → ticket → two certificates by EST (RFC 7030).
///
/// A value: it says what to ask next and takes the answers.
public struct Attester {
    public enum Stage: String, Sendable {
        case challenge, evidence, updateCertificate = "update-certificate", customerCertificate = "customer-certificate"
    }

    enum Step {
        case ask(Stage, Request)
        case done(update: TLSConfiguration.Identity, customer: TLSConfiguration.Identity)
        case refused(Stage, Failure, retryAfter: Duration?)
    }

    private let environment: any AttestingEnvironment
    private let keys: any KeyStore
    private var deviceID: String { environment.deviceID }
    /// What stands for the key that certificates are asked for.
    private(set) var key: [UInt8] = []
    private var ticket = ""
    /// Between this device's certificates and the root.
    private var authorities: [Certificate] = []
    private var update: TLSConfiguration.Identity?

    init(_ environment: any AttestingEnvironment, _ keys: any KeyStore) { (self.environment, self.keys) = (environment, keys) }

    mutating func begin() -> Request {
        // GENERATE_CLIENT_AUTH_KEY: each day a new key.
        key = keys.newKey()
        return Request(
            "POST", ServiceAPI.challengePath, headers: [("content-type", "application/json")],
            body: JSON.encode(
                ServiceAPI.ChallengeRequest(
                    deviceId: deviceID,
                    endorsement: environment.endorsement.map { .init(certificate: $0.certificate, attestationKey: $0.attestationKey) })))
    }

    mutating func answered(_ stage: Stage, _ response: Response) -> Step {
        guard response.isSuccess else {
            // AS-6: the service may ask for patience; an hour is the most that we believe.
            let wait = response.retryAfterSeconds.map { Duration.seconds(min(max($0, 1), 3600)) }
            return .refused(stage, Failure(response), retryAfter: wait)
        }
        switch stage {
        case .challenge:
            guard let challenge = JSON.decode(ServiceAPI.Challenge.self, response.body).flatMap(AttestationChallenge.init) else {
                return malformed(stage)
            }
            let evidence = environment.evidence(for: challenge)
            return .ask(
                .evidence,
                Request(
                    "POST", ServiceAPI.evidencePath,
                    headers: [("content-type", evidence.mediaType), ("x-device-id", deviceID)],
                    body: evidence.bytes))
        case .evidence:
            guard let result = JSON.decode(ServiceAPI.AttestationResult.self, response.body),
                let authorities = try? result.authorities.map({ try Certificate(der: Base64.decode(Array($0.utf8)) ?? []) })
            else { return malformed(stage) }
            (ticket, self.authorities) = (result.ticket, authorities)
            return enrol(.updateCertificate, ServiceAPI.updateEnrolPath)
        case .updateCertificate:
            guard let identity = take(response) else { return malformed(stage) }
            update = identity
            return enrol(.customerCertificate, ServiceAPI.customerEnrolPath)
        case .customerCertificate:
            guard let identity = take(response), let update else { return malformed(stage) }
            return .done(update: update, customer: identity)
        }
    }

    private func malformed(_ stage: Stage) -> Step {
        .refused(stage, Failure(.malformed, "answer does not parse"), retryAfter: nil)
    }

    private func enrol(_ stage: Stage, _ path: String) -> Step {
        guard let request = try? CertificateRequest(commonName: deviceID, key: keys.key(key)) else {
            return malformed(stage)
        }
        return .ask(
            stage,
            Request(
                "POST", path,
                headers: [
                    ("content-type", "application/pkcs10"),
                    ("authorization", Base64.basic(user: deviceID, password: ticket)),
                ], body: Base64.folded(request.der)))
    }

    /// Accepts one certificate, only for the key that was asked for (RFC 7030 section 4.2.3).
    private func take(_ response: Response) -> TLSConfiguration.Identity? {
        guard let der = Base64.decode(response.body), let issued = try? CertificateBundle.decode(der), issued.count == 1 else { return nil }
        return identity(chain: issued + authorities, key: key)
    }

    /// A chain and the key it is for; nil if this device does not hold that key (the original's error 15).
    func identity(chain: [Certificate], key name: [UInt8]) -> TLSConfiguration.Identity? {
        let key = keys.key(name)
        guard let leaf = chain.first, leaf.publicKey == key.publicKey else { return nil }
        return TLSConfiguration.Identity(chain: chain, key: key)
    }
}

extension AttestationChallenge {
    /// Nil if it is none.
    fileprivate init?(_ challenge: ServiceAPI.Challenge) {
        guard let nonce = [UInt8](hex: challenge.nonce), nonce.count == 32 else { return nil }
        self.init(nonce: nonce)
        guard let credential = challenge.credential else { return }
        guard let blob = [UInt8](hex: credential.blob), let secret = [UInt8](hex: credential.secret) else { return nil }
        self.credential = Credential(blob: blob, secret: secret)
    }
}

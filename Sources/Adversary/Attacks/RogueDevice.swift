public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let rogueDevice = AttackName("rogue-device") }

/// A device that nobody made: asks the service for a certificate in a victim's name, and calls the victims
/// with a certificate that it signed itself and a secret that it found in a device it took apart.
final class RogueDevice: Attack {
    static let description = AttackDescription(
        name: .rogueDevice,
        summary: "a device that nobody made asks for a certificate in the targets' names and calls them",
        mechanism:
            "A node on the targets' network offers evidence that is none for the targets' device IDs, and calls the targets with a forged certificate, without one, and without TLS.",
        needs: "a place on the targets' network; their device IDs, which their labels show; a secret from a device taken apart",
        oracle: "the service gives an attestation result in a target's name, or a target answers",
        techniques: ["T0849 Masquerading"], threats: ["TID-310", "TID-406"],
        controls: [.attestationGate, .mutualDeviceAuth, .certificateAuth, .transportEncryption],
        rules: [.evidenceRefused, .authenticationFailures])

    private enum Purpose {
        case challenge(String)
        case evidence(String)
        case peer(String)
        case peerWithoutCertificate(String)
        case peerInClear(String)
    }

    private static let patience = Duration.seconds(30)
    private let id: String
    private let victims: [String]
    private var labels: [String: String] = [:]
    private var names = CatalogNames(catalog: "")
    private var epochSeconds: Int64 = 0
    private var secret = ""
    private var clients = ClientPool<Purpose>()
    private let key = P256PrivateKey()

    init(_ step: Step) {
        id = "rogue-\(step.id)"
        victims = step.nodes
    }

    var nextWake: Instant? { clients.nextDeadline }

    func apply(_ arena: inout Arena) {
        labels = arena.labels
        names = arena.names
        epochSeconds = arena.epochSeconds
        secret = arena.loot.sharedSecret
        guard let victim = victims.first, arena.attach(id, near: victim) != nil else { return }
        var out = Outbox(now: arena.fabric.now)
        for victim in victims {
            call(.peer(victim), victim, security(host: names.host(id)), &out)
            enrol(victim, &out)
        }
        arena.fabric.submit(out.effects, from: id)
    }

    func recover(_ arena: inout Arena) { arena.detach(id) }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        let locale = Locale(unixSeconds: epochSeconds + out.now.nanoseconds / 1_000_000_000, cost: .server)
        for outcome in clients.handle(event, locale: locale, &out) { finish(outcome, &out) }
        clients.release(&out)
    }

    /// An identity that looks right in everything but who signed it; or none at all.
    private func security(host: String, isAnonymous: Bool = false) -> Security? {
        if isAnonymous { return (try? TLSConfiguration(role: .client, identity: nil, rule: .anybody)).map { .tls($0) } }
        let template = CertificateTemplate(
            commonName: host, organization: names.catalog, serial: [7], notBefore: epochSeconds - 600,
            notAfter: epochSeconds + 3650 * 86_400, hostNames: [host],
            uris: ["urn:orrery:\(names.catalog):product:fridge", "urn:orrery:\(names.catalog):device:00"],
            usage: .endEntity)
        guard let certificate = try? template.issue(for: key.publicKey, by: key, issuer: nil),
            let configuration = try? TLSConfiguration(
                role: .client, identity: .init(chain: [certificate], key: key), rule: .anybody)
        else { return nil }
        return .tls(configuration)
    }

    private func call(_ purpose: Purpose, _ victim: String, _ security: Security?, _ out: inout Outbox) {
        guard let security else { return }
        clients.start(
            purpose, Request("GET", ServiceAPI.peerPath, headers: [("authorization", "Bearer \(secret)")]),
            to: .init(host: names.host(victim), port: ServicePort.peer, security: security, pair: .deviceDevice),
            within: RogueDevice.patience, &out)
    }

    private func enrol(_ victim: String, _ out: inout Outbox) {
        // A newcomer needs no certificate, and a forged one would only be in the way.
        guard let security = security(host: names.host(victim), isAnonymous: true), let label = labels[victim] else { return }
        clients.start(
            .challenge(victim),
            Request("POST", ServiceAPI.challengePath, body: JSON.encode(ServiceAPI.ChallengeRequest(deviceId: label))),
            to: .init(host: names.service, port: ServicePort.enrolment, security: security, pair: .deviceService),
            within: RogueDevice.patience, &out)
    }

    private func finish(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        switch (outcome.purpose, outcome.result) {
        case (.challenge(let victim), .response(let response)) where response.isSuccess:
            // Evidence cannot be forged without the device's key; a verifier that does not look takes anything.
            clients.ask(
                outcome.exchange, .evidence(victim),
                Request(
                    "POST", ServiceAPI.evidencePath, headers: [("x-device-id", labels[victim] ?? "")],
                    body: Array("no evidence".utf8)), within: RogueDevice.patience, &out)
        case (.evidence(let victim), .response(let response)) where response.isSuccess:
            out.succeeded(on: victim, "the service gave an attestation result in the victim's name")
        case (.peer(let victim), .response(let response)) where response.isSuccess,
            (.peerWithoutCertificate(let victim), .response(let response)) where response.isSuccess,
            (.peerInClear(let victim), .response(let response)) where response.isSuccess:
            out.succeeded(on: victim, "the victim answered: \(String(decoding: response.body.prefix(80), as: UTF8.self))")
        case (let purpose, .response(let response)): failed(purpose, Failure(response), outcome.connection, &out)
        case (let purpose, .failed(let failure)): failed(purpose, failure, outcome.connection, &out)
        }
    }

    private func failed(_ purpose: Purpose, _ failure: Failure, _ connection: Connection?, _ out: inout Outbox) {
        let (step, victim) =
            switch purpose {
            case .challenge(let victim): ("ask for a challenge", victim)
            case .evidence(let victim): ("offer evidence", victim)
            case .peer(let victim): ("call the victim with a forged certificate", victim)
            case .peerWithoutCertificate(let victim): ("call the victim without certificate", victim)
            case .peerInClear(let victim): ("call the victim without TLS", victim)
            }
        out.failed(step, on: victim, failure, connection)
        // What does not work one way is tried another.
        switch purpose {
        case .peer: call(.peerWithoutCertificate(victim), victim, security(host: names.host(id), isAnonymous: true), &out)
        case .peerWithoutCertificate: call(.peerInClear(victim), victim, .plain, &out)
        case .challenge, .evidence, .peerInClear: break
        }
    }
}

public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let staleMeasurement = AttackName("stale-measurement") }

/// Answers the verifier's challenge with evidence of an earlier day, which it found in a log.
final class StaleMeasurement: Attack {
    static let description = AttackDescription(
        name: .staleMeasurement,
        summary: "shows the verifier evidence of the targets from an earlier day",
        mechanism:
            "Evidence is no secret: it turns up in logs. A token of each target is taken from the service's log and offered as the answer to a new challenge; with the attestation result the attacker enrols a key of its own.",
        needs: "the targets' device IDs; the service's log",
        oracle: "the service gives an attestation result for an old token",
        techniques: ["T0856 Spoof Reporting Message"], threats: ["TID-221", "TID-407"],
        controls: [.nonces, .attestationGate], rules: [.evidenceRefused], reach: .nothing)

    private enum Purpose { case challenge(String), evidence(String) }

    private static let patience = Duration.seconds(30)
    private let id: String
    private let victims: [String]
    private var clients = ClientPool<Purpose>()
    private var tokens: [String: LoggedEvidence] = [:]
    private var labels: [String: String] = [:]
    private var host = ""
    private var epochSeconds: Int64 = 0

    init(_ step: Step) {
        id = "impostor-\(step.id)"
        victims = step.nodes
    }

    var nextWake: Instant? { clients.nextDeadline }

    func apply(_ arena: inout Arena) {
        (labels, host, epochSeconds) = (arena.labels, arena.names.service, arena.epochSeconds)
        guard let victim = victims.first, arena.attach(id, near: victim) != nil else { return }
        // Where the service speaks TLS it is spoken to in TLS; nobody checks the impostor's trust in it.
        guard let configuration = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody) else { return }
        var out = Outbox(now: arena.fabric.now)
        for victim in victims {
            guard let token = arena.loggedEvidence[victim], let label = labels[victim] else { continue }
            tokens[victim] = token
            clients.start(
                .challenge(victim),
                Request("POST", ServiceAPI.challengePath, body: JSON.encode(ServiceAPI.ChallengeRequest(deviceId: label))),
                to: .init(host: host, port: ServicePort.enrolment, security: .tls(configuration), pair: .deviceService),
                within: StaleMeasurement.patience, &out)
        }
        arena.fabric.submit(out.effects, from: id)
    }

    func recover(_ arena: inout Arena) { arena.detach(id) }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        let locale = Locale(unixSeconds: epochSeconds + out.now.nanoseconds / 1_000_000_000, cost: .server)
        for outcome in clients.handle(event, locale: locale, &out) { finish(outcome, &out) }
        clients.release(&out)
    }

    private func finish(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        switch (outcome.purpose, outcome.result) {
        case (.challenge(let victim), .response(let response)) where response.isSuccess:
            clients.ask(
                outcome.exchange, .evidence(victim),
                Request(
                    "POST", ServiceAPI.evidencePath,
                    headers: [("x-device-id", labels[victim] ?? "")] + (tokens[victim]?.mediaType.map { [("content-type", $0)] } ?? []),
                    body: tokens[victim]?.bytes ?? []),
                within: StaleMeasurement.patience, &out)
        case (.evidence(let victim), .response(let response)) where response.isSuccess:
            out.succeeded(on: victim, "the service gave an attestation result for an old token")
        case (.challenge(let victim), let result), (.evidence(let victim), let result):
            let failure =
                switch result {
                case .response(let response): Failure(response)
                case .failed(let failure): failure
                }
            out.failed("old evidence offered", on: victim, failure, outcome.connection)
        }
    }
}

public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let credentialFlood = AttackName("credential-flood") }

/// Opens more connections to the service than it has room for and holds them, and asks for challenges besides.
final class CredentialFlood: Attack {
    static let description = AttackDescription(
        name: .credentialFlood,
        summary: "takes all connections of the service, and asks for challenges without end",
        mechanism:
            "A node opens more connections to the service than it has room for and holds them, and asks for challenges in the targets' names on others.",
        needs: "a place from which to reach the service",
        oracle: "the service turns a target away",
        techniques: ["T0814 Denial of Service"], threats: ["TID-405"],
        controls: [.requestLimits], rules: [.flood],
        judge: AttackJudge(
            countsMarks: false, proof: { $0.turnedAway },
            isWitness: { trial, observation in trial.turnsAttackerAway(observation, .tooManyConnections, .tooManyRequests) }))

    private static let connections = 320
    private static let retry = Duration.seconds(60)
    private static let challengesAtOnce = 40

    private let id: String
    private let victims: [String]
    private var labels: [String: String] = [:]
    private var service = Address(bits: 0)
    private var host = ""
    private var held: Set<StreamID> = []
    private var nextStream: UInt32 = 1
    private var clients = ClientPool<Int>()
    private var epochSeconds: Int64 = 0
    private var turnedAway = 0
    private var hasReported = false
    private var retryAt = Instant.never

    init(_ step: Step) {
        id = "flooder-\(step.id)"
        victims = step.nodes
    }

    var nextWake: Instant? { min(retryAt, clients.nextDeadline ?? .never) }

    func apply(_ arena: inout Arena) {
        (labels, epochSeconds) = (arena.labels, arena.epochSeconds)
        guard let victim = victims.first, let spec = arena.fabric.spec(of: arena.service), arena.attach(id, near: victim) != nil else {
            return
        }
        (service, host) = (spec.address, spec.host)
        for victim in victims { arena.tried("connections opened", on: victim) }
        var out = Outbox(now: arena.fabric.now)
        fill(&out)
        arena.fabric.submit(out.effects, from: id)
    }

    func recover(_ arena: inout Arena) { arena.detach(id) }

    private func fill(_ out: inout Outbox) {
        retryAt = out.now + CredentialFlood.retry
        while held.count < CredentialFlood.connections {
            // Far from the numbers that the client pool gives its own.
            let stream = StreamID(raw: 0x4000_0000 | nextStream)
            nextStream += 1
            held.insert(stream)
            out.act(.connect(stream, to: Endpoint(service, ServicePort.mutual)))
        }
        guard let configuration = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody) else { return }
        for number in 0..<CredentialFlood.challengesAtOnce {
            let label = labels[victims[number % victims.count]] ?? ""
            clients.start(
                number, Request("POST", ServiceAPI.challengePath, body: JSON.encode(ServiceAPI.ChallengeRequest(deviceId: label))),
                to: .init(host: host, port: ServicePort.enrolment, security: .tls(configuration), pair: .deviceService),
                within: .seconds(20), &out)
        }
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        let locale = Locale(unixSeconds: epochSeconds + out.now.nanoseconds / 1_000_000_000, cost: .server)
        _ = clients.handle(event, locale: locale, &out)
        clients.release(&out)
        switch event {
        // A few bytes of a handshake that never goes on keep a connection waiting.
        case .connected(let stream, _): if held.contains(stream) { out.act(.send(stream, [22, 3, 1])) }
        case .closed(let stream, _): if held.remove(stream) != nil { turnedAway += 1 }
        case .wake:
            guard retryAt <= out.now else { return }
            if turnedAway > CredentialFlood.connections / 2 && !hasReported {
                hasReported = true
                let failure = Failure(.tooManyConnections, "\(turnedAway) of \(CredentialFlood.connections) connections were turned away")
                for victim in victims {
                    out.failed("connections held", on: victim, failure, nil, more: [.count: .number(Int64(held.count))])
                }
            }
            turnedAway = 0
            fill(&out)
        default: break
        }
    }
}

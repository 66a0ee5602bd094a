public import Catalogue
import Fabric
import Wire

extension AttackName { public static let slowRequests = AttackName("slow-requests") }

/// Begins requests on the update port and never ends them, a byte now and then, so that connections stay taken.
final class SlowRequests: Attack {
    static let description = AttackDescription(
        name: .slowRequests,
        summary: "takes all connections of the service with requests on the update port that never end",
        mechanism:
            "A node opens more connections to the update port than the service has room for, in clear, begins a request on each, and goes on with one byte of a header every twenty seconds, so that none of them is idle.",
        needs: "a place from which to reach the update port",
        oracle: "the service turns a target away",
        techniques: ["T0814 Denial of Service"], threats: ["TID-405"],
        controls: [.requestLimits], rules: [.flood],
        judge: AttackJudge(
            countsMarks: false, proof: { $0.turnedAway },
            isWitness: { trial, observation in trial.turnsAttackerAway(observation, .tooManyConnections) }))

    private static let connections = 320
    private static let every = Duration.seconds(20)
    private static let head = Array("GET /image/metadata/timestamp.json HTTP/1.1\r\nx-".utf8)

    private let id: String
    private let victims: [String]
    private var service = Address(bits: 0)
    private var held: Set<StreamID> = []
    private var nextStream: UInt32 = 1
    private(set) var nextWake: Instant?

    init(_ step: Step) {
        id = "dawdler-\(step.id)"
        victims = step.nodes
    }

    func apply(_ arena: inout Arena) {
        guard let victim = victims.first, let spec = arena.fabric.spec(of: arena.service), arena.attach(id, near: victim) != nil else {
            return
        }
        service = spec.address
        for victim in victims { arena.tried("requests begun", on: victim) }
        nextWake = arena.fabric.now + .seconds(1)
    }

    func recover(_ arena: inout Arena) {
        nextWake = nil
        arena.detach(id)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        switch event {
        case .connected(let stream, _): out.act(.send(stream, SlowRequests.head))
        case .closed(let stream, _): held.remove(stream)
        case .wake:
            for stream in held.sorted() { out.act(.send(stream, [UInt8(ascii: "a")])) }
            while held.count < SlowRequests.connections {
                let stream = StreamID(raw: nextStream)
                nextStream += 1
                held.insert(stream)
                out.act(.connect(stream, to: Endpoint(service, ServicePort.updates)))
            }
            nextWake = out.now + SlowRequests.every
        default: break
        }
    }
}

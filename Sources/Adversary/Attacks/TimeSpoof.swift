public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let timeSpoof = AttackName("time-spoof") }

/// Sets the targets' clocks back with forged time replies, to when a stolen certificate was still good, and waits for
/// them with it.
final class TimeSpoof: Attack, Tap {
    static let description = AttackDescription(
        name: .timeSpoof,
        summary: "sets the targets' clocks back by forged time replies, to when a stolen certificate had not expired",
        mechanism:
            "Replies of the time service are rewritten on the way. Connections are diverted to a node that holds the service's certificate of last month with its key, which the clocks now call valid.",
        needs: "a position on the targets' path; an expired certificate of the service with its key",
        oracle: "the attacker holds plaintext that a target sent under the expired certificate",
        techniques: ["T0830 Adversary-in-the-Middle"], threats: ["TID-316", "TID-406", "TID-408"],
        controls: [.authenticatedTime, .certificateAuth, .transportEncryption], rules: [.timeRefused, .authenticationFailures],
        holds: .peers)

    private let id: String
    private let targets: Set<String>
    private var pending: [(victim: String, to: Endpoint)] = []
    private var interceptor: Interceptor?
    private var forgedUnixSeconds: Int64 = 0

    /// Ten days ago the certificate of last month had not expired.
    private static let back: Int64 = 10 * 86_400

    init(_ step: Step) {
        id = "clockmaker-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, arena.attach(id, near: victim) != nil else { return }
        forgedUnixSeconds = arena.epochSeconds - TimeSpoof.back
        let chain = arena.loot.expiredServiceChain.compactMap { Base64.decode(Array($0.utf8)) }.compactMap { try? Certificate(der: $0) }
        guard let key = [UInt8](hex: arena.loot.expiredServiceKey).flatMap({ try? P256PrivateKey(scalar: $0) }) else { return }
        interceptor = Interceptor(identity: .init(chain: chain, key: key), epochSeconds: arena.epochSeconds) { [unowned self] _, port in
            pending.firstIndex { $0.to.port == port }.map { pending.remove(at: $0) }
        }
        arena.tap(self)
    }

    func recover(_ arena: inout Arena) {
        arena.untap()
        arena.detach(id)
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        switch passage.content {
        case .datagram(let bytes, let to) where to.port == ServicePort.time && targets.contains(passage.to ?? ""):
            let time = forgedUnixSeconds * 1_000_000_000 + now.nanoseconds
            passage.content = .datagram(NetworkTime.restamped(bytes, unixNanoseconds: time), to: to)
            passage.facts.append(
                Fact(
                    .attackStep,
                    [.step: "time reply forged", .target: .text(passage.to ?? ""), .nonce: .text(NetworkTime.origin(of: bytes)?.hex ?? "")])
            )
        case .connect(let endpoint)
        where targets.contains(passage.from) && [ServicePort.enrolment, ServicePort.mutual].contains(endpoint.port):
            passage.divertedTo = id
            pending.append((passage.from, endpoint))
        default: break
        }
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) { interceptor?.handle(event, &out) }
}

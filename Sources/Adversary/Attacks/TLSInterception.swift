public import Catalogue
import Fabric
import Wire

extension AttackName { public static let tlsInterception = AttackName("tls-interception") }

/// Stands on the path between the targets and whoever they call, and answers in the callee's place.
final class TLSInterception: Attack, Tap {
    static let description = AttackDescription(
        name: .tlsInterception,
        summary: "answers in place of whoever the targets call, with a forged certificate, and reads along",
        mechanism:
            "Connections that the targets open are diverted to a node of the attacker's, which shows a self-made certificate with the right names, calls the one that was meant, and passes on what it reads.",
        needs: "a position on the targets' network; names of those that they call",
        oracle: "the interceptor holds plaintext that a target sent",
        techniques: ["T0830 Adversary-in-the-Middle"], threats: ["TID-316", "TID-408"],
        controls: [.certificateAuth, .transportEncryption], rules: [.authenticationFailures], holds: .peers)

    private let id: String
    private let targets: Set<String>
    private var pending: [(victim: String, to: Endpoint)] = []
    private var interceptor: Interceptor?

    init(_ step: Step) {
        id = "interceptor-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, arena.attach(id, near: victim) != nil else { return }
        let hosts = [arena.names.service] + targets.sorted().map(arena.names.host)
        let forged = Interceptor.forged(hosts: hosts, names: arena.names, epochSeconds: arena.epochSeconds)
        interceptor = Interceptor(identity: forged, epochSeconds: arena.epochSeconds) { [unowned self] _, port in
            pending.firstIndex { $0.to.port == port }.map { pending.remove(at: $0) }
        }
        arena.tap(self)
    }

    func recover(_ arena: inout Arena) {
        arena.untap()
        arena.detach(id)
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        // What goes to the update port is public, and nobody pretends otherwise.
        guard case .connect(let endpoint) = passage.content, endpoint.port != ServicePort.updates, targets.contains(passage.from)
        else { return }
        passage.divertedTo = id
        pending.append((passage.from, endpoint))
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) { interceptor?.handle(event, &out) }
}

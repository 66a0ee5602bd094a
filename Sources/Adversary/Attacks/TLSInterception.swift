import Fabric
import Wire

/// Stands on the path between the targets and whoever they call, and answers in the callee's place.
final class TLSInterception: Attack, Tap {
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

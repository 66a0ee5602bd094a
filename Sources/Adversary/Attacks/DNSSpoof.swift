public import Catalogue
import Fabric
import Wire

extension AttackName { public static let dnsSpoof = AttackName("dns-spoof") }

/// Answers the targets' look-ups with an address of its own, where it waits with a forged certificate.
final class DNSSpoof: Attack, Tap {
    static let description = AttackDescription(
        name: .dnsSpoof,
        summary: "answers the targets' look-ups with its own address, where it waits with a forged certificate",
        mechanism:
            "As tls-interception, but the targets come by themselves: their look-ups are answered with the attacker's address.",
        needs: "the targets' resolver, or a place from which to answer before it",
        oracle: "the false callee holds plaintext that a target sent",
        techniques: ["T0830 Adversary-in-the-Middle"], threats: ["TID-316", "TID-408"],
        controls: [.certificateAuth, .transportEncryption], rules: [.authenticationFailures], holds: .peers)

    private let id: String
    private let targets: Set<String>
    private var own = Address(bits: 0)
    private var addresses: [Address: String] = [:]
    /// Whom a target last asked for.
    private var wanted: [String: Address] = [:]
    private var interceptor: Interceptor?

    init(_ step: Step) {
        id = "resolver-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, let spec = arena.attach(id, near: victim) else { return }
        own = spec.address
        for target in targets.sorted() {
            if let address = arena.fabric.spec(of: target)?.address { addresses[address] = target }
        }
        let hosts = [arena.names.service] + targets.sorted().map(arena.names.host)
        let forged = Interceptor.forged(hosts: hosts, names: arena.names, epochSeconds: arena.epochSeconds)
        interceptor = Interceptor(identity: forged, epochSeconds: arena.epochSeconds) { [unowned self] from, port in
            guard let victim = addresses[from.address], let meant = wanted[victim] else { return nil }
            return (victim, Endpoint(meant, port))
        }
        var out = Outbox(now: arena.fabric.now)
        for port in [ServicePort.enrolment, ServicePort.mutual, ServicePort.peer] { out.act(.listen(port: port)) }
        arena.fabric.submit(out.effects, from: id)
        arena.tap(self)
    }

    func recover(_ arena: inout Arena) {
        arena.untap()
        arena.detach(id)
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        guard case .lookup(let name, let answer?) = passage.content, targets.contains(passage.from) else { return }
        wanted[passage.from] = answer
        passage.content = .lookup(name: name, answer: own)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) { interceptor?.handle(event, &out) }
}

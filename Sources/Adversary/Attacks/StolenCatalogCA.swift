public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let stolenCatalogCA = AttackName("stolen-catalog-ca") }

/// Issues itself certificates in the targets' names with the stolen key of the catalog's authority, and uses them.
final class StolenCatalogCA: Attack {
    static let description = AttackDescription(
        name: .stolenCatalogCA,
        summary: "issues device certificates with the stolen key of the catalog's authority",
        mechanism:
            "A node on the targets' network signs itself customer and update certificates in the targets' names and speaks to the service and to the targets.",
        needs: "the private key of the catalog CA",
        oracle: "the service or a target accepts an exchange under a certificate that the service never issued",
        techniques: ["T0849 Masquerading"], threats: ["TID-406"],
        controls: [.attestationGate], rules: [.authenticationFailures])

    private enum Purpose { case service(String), peer(String) }

    private static let patience = Duration.seconds(30)
    private let id: String
    private let victims: [String]
    private var clients = ClientPool<Purpose>()
    private var epochSeconds: Int64 = 0

    init(_ step: Step) {
        id = "minter-\(step.id)"
        victims = step.nodes
    }

    var nextWake: Instant? { clients.nextDeadline }

    func apply(_ arena: inout Arena) {
        epochSeconds = arena.epochSeconds
        guard let first = victims.first, arena.attach(id, near: first) != nil else { return }
        var out = Outbox(now: arena.fabric.now)
        for victim in victims {
            let report = ServiceAPI.Telemetry(device: victim, unixSeconds: epochSeconds)
            if let configuration = mint(victim, arena) {
                call(
                    .service(victim), Request("POST", ServiceAPI.telemetryPath, body: JSON.encode(report)), arena.names.service,
                    ServicePort.mutual, configuration, &out)
            }
            // A device deals with some products only: one of each is tried.
            var products: Set<String> = []
            for name in arena.labels.keys.sorted() {
                guard let product = arena.fabric.spec(of: name)?.product, !product.isEmpty, products.insert(product).inserted,
                    let configuration = mint(name, arena)
                else { continue }
                call(.peer(victim), Request("GET", ServiceAPI.peerPath), arena.names.host(victim), ServicePort.peer, configuration, &out)
            }
        }
        arena.fabric.submit(out.effects, from: id)
    }

    func recover(_ arena: inout Arena) { arena.detach(id) }

    private func call(
        _ purpose: Purpose, _ request: Request, _ host: String, _ port: UInt16, _ configuration: TLSConfiguration, _ out: inout Outbox
    ) {
        clients.start(
            purpose, request, to: .init(host: host, port: port, security: .tls(configuration), pair: .deviceService),
            within: StolenCatalogCA.patience, &out)
    }

    /// A customer certificate as the service issues them, but for what only the verifier can sign.
    private func mint(_ victim: String, _ arena: Arena) -> TLSConfiguration? {
        let chain = arena.loot.catalogCAChain.compactMap { Base64.decode(Array($0.utf8)) }.compactMap { try? Certificate(der: $0) }
        guard let authority = chain.first, let label = arena.labels[victim], let product = arena.fabric.spec(of: victim)?.product,
            let authorityKey = [UInt8](hex: arena.loot.catalogCAKey).flatMap({ try? P256PrivateKey(scalar: $0) })
        else { return nil }
        let names = CatalogIdentity(arena.names)
        let key = P256PrivateKey()
        let now = epochSeconds + arena.fabric.now.nanoseconds / 1_000_000_000
        let notAfter = now + Lifetimes.device
        // The best that can be had for the verifier's word: a signature by the wrong key.
        let result = authorityKey.sign(digest: CatalogIdentity.resultDigest(deviceID: label, key: key.publicKey, notAfter: notAfter))
        let template = CertificateTemplate(
            commonName: label, organization: arena.names.catalog, serial: [0x41] + Randomness.bytes(15), notBefore: now - 600,
            notAfter: notAfter,
            hostNames: [arena.names.host(victim)], uris: [names.productURI(product), names.deviceURI(label), names.resultURI(result)],
            usage: .endEntity)
        guard let certificate = try? template.issue(for: key.publicKey, by: authorityKey, issuer: authority) else { return nil }
        return try? TLSConfiguration(role: .client, identity: .init(chain: [certificate] + chain, key: key), rule: .anybody)
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        let locale = Locale(unixSeconds: epochSeconds + out.now.nanoseconds / 1_000_000_000, cost: .server)
        for outcome in clients.handle(event, locale: locale, &out) { finish(outcome, &out) }
        clients.release(&out)
    }

    private func finish(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        let (victim, who) =
            switch outcome.purpose {
            case .service(let victim): (victim, "the service")
            case .peer(let victim): (victim, victim)
            }
        switch outcome.result {
        case .response(let response) where response.isSuccess:
            out.succeeded(on: victim, "\(who) accepted a certificate that the service never issued")
        case .response(let response): out.failed("minted certificate shown to \(who)", on: victim, Failure(response), outcome.connection)
        case .failed(let failure): out.failed("minted certificate shown to \(who)", on: victim, failure, outcome.connection)
        }
    }
}

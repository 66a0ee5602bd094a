import Exchange
import Fabric
import SecureChannel
import Wire

/// Stands between the targets and whoever they call: takes each connection in the callee's place, with a
/// certificate of its own that bears the right name, calls the callee itself, and passes on what it reads.
final class TLSInterception: Attack, Tap {
    private struct Bridge {
        var victim: String
        var original: Endpoint
        var upstream: StreamID
        var downstream: TLSConnection?
        var towards: TLSConnection?
        var isPlain: Bool?
        var isUpstreamReady = false
        var waiting: [UInt8] = []
        var isReported = false
    }

    private let id: String
    private let targets: Set<String>
    private var names = CatalogNames(catalog: "")
    private var epochSeconds: Int64 = 0
    private var pending: [(victim: String, to: Endpoint)] = []
    private var bridges: [StreamID: Bridge] = [:]
    private var nextStream: UInt32 = 1
    private var server: TLSConfiguration?
    private var client: TLSConfiguration?

    init(_ step: Step) {
        id = "interceptor-\(step.id)"
        targets = Set(step.nodes)
    }

    func apply(_ arena: inout Arena) {
        names = arena.names
        epochSeconds = arena.epochSeconds
        guard let victim = targets.sorted().first, arena.attach(id, near: victim) != nil else { return }
        let key = P256PrivateKey()
        let hosts = [names.service] + targets.sorted().map(names.host)
        let template = CertificateTemplate(
            commonName: names.service, organization: names.catalog, serial: [66], notBefore: epochSeconds - 86_400,
            notAfter: epochSeconds + 60 * 86_400, hostNames: hosts, usage: .endEntity)
        if let forged = try? template.issue(for: key.publicKey, by: key, issuer: nil) {
            server = try? TLSConfiguration(role: .server, identity: .init(chain: [forged], key: key), rule: .anybody)
        }
        client = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody)
        arena.tap(self)
    }

    func recover(_ arena: inout Arena) {
        arena.untap()
        arena.detach(id)
    }

    // MARK: On the path

    func inspect(_ passage: inout Passage, now: Instant) {
        guard case .connect(let endpoint) = passage.content, targets.contains(passage.from) else { return }
        passage.divertedTo = id
        pending.append((passage.from, endpoint))
    }

    // MARK: In the middle

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        switch event {
        case .accepted(let stream, let port, _): accepted(stream, port, &out)
        case .connected(let stream): upstreamReady(stream, &out)
        case .received(let stream, let bytes):
            if bridges[stream] != nil { fromVictim(stream, bytes, &out) } else { fromCallee(stream, bytes, &out) }
        case .closed(let stream, _): closed(stream, &out)
        default: break
        }
    }

    private func accepted(_ stream: StreamID, _ port: UInt16, _ out: inout Outbox) {
        guard let index = pending.firstIndex(where: { $0.to.port == port }) else { return }
        let (victim, original) = pending.remove(at: index)
        let upstream = StreamID(raw: nextStream)
        nextStream += 1
        bridges[stream] = Bridge(victim: victim, original: original, upstream: upstream)
        out.act(.connect(upstream, to: original))
    }

    private func fromVictim(_ stream: StreamID, _ bytes: [UInt8], _ out: inout Outbox) {
        guard var bridge = bridges[stream] else { return }
        if bridge.isPlain == nil {
            // A TLS client begins with a handshake record.
            bridge.isPlain = bytes.first != 22
            if bridge.isPlain == false, let server {
                bridge.downstream = TLSConnection(server, host: nil, unixSeconds: epochSeconds)
            }
        }
        var plaintext = bytes
        if let downstream = bridge.downstream {
            downstream.receive(bytes)
            plaintext = downstream.takeReceived()
            send(downstream.takeOutput(), stream, &out)
            if case .failed(let why) = downstream.state, !bridge.isReported {
                bridge.isReported = true
                out.observe(
                    .attackStep,
                    [.step: "forged certificate shown", .target: .text(bridge.victim), .result: "failed", .reason: .text(why)])
            }
        }
        bridge.waiting += plaintext
        if !plaintext.isEmpty && !bridge.isReported {
            bridge.isReported = true
            let line = plaintext.prefix { $0 != 13 && $0 != 10 }
            out.observe(
                .attackSucceeded,
                [
                    .target: .text(bridge.victim),
                    .evidence: .text("read in clear: \(String(decoding: line.prefix(80), as: UTF8.self))"),
                ])
        }
        bridges[stream] = bridge
        passOn(stream, &out)
    }

    private func upstreamReady(_ upstream: StreamID, _ out: inout Outbox) {
        guard let stream = bridges.first(where: { $0.value.upstream == upstream })?.key else { return }
        bridges[stream]?.isUpstreamReady = true
        passOn(stream, &out)
    }

    /// Gives the callee what the victim said, in the manner that the victim used.
    private func passOn(_ stream: StreamID, _ out: inout Outbox) {
        guard var bridge = bridges[stream], bridge.isUpstreamReady, !bridge.waiting.isEmpty else { return }
        if bridge.isPlain == true {
            send(bridge.waiting, bridge.upstream, &out)
            bridge.waiting = []
        } else if let client {
            let towards = bridge.towards ?? TLSConnection(client, host: nil, unixSeconds: epochSeconds)
            bridge.towards = towards
            if towards.state == .open {
                towards.send(bridge.waiting)
                bridge.waiting = []
            }
            send(towards.takeOutput(), bridge.upstream, &out)
        }
        bridges[stream] = bridge
    }

    private func fromCallee(_ upstream: StreamID, _ bytes: [UInt8], _ out: inout Outbox) {
        guard let (stream, bridge) = bridges.first(where: { $0.value.upstream == upstream }) else { return }
        guard let towards = bridge.towards else {
            send(bytes, stream, &out)
            return
        }
        towards.receive(bytes)
        send(towards.takeOutput(), upstream, &out)
        passOn(stream, &out)
        let plaintext = towards.takeReceived()
        if !plaintext.isEmpty, let downstream = bridge.downstream {
            downstream.send(plaintext)
            send(downstream.takeOutput(), stream, &out)
        }
    }

    private func closed(_ stream: StreamID, _ out: inout Outbox) {
        if let bridge = bridges.removeValue(forKey: stream) {
            out.act(.close(bridge.upstream))
        } else if let down = bridges.first(where: { $0.value.upstream == stream })?.key {
            bridges[down] = nil
            out.act(.close(down))
        }
    }

    private func send(_ bytes: [UInt8], _ stream: StreamID, _ out: inout Outbox) {
        if !bytes.isEmpty { out.act(.send(stream, bytes)) }
    }
}

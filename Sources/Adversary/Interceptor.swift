import Exchange
import SecureChannel
import Wire

/// Somebody in the middle: takes connections in another's place, with a certificate of its own that bears the
/// right names, calls the one that was meant, and passes on what it reads.
///
/// How victims come to it is the attack's affair; ``meant`` says whom a connection was for.
final class Interceptor {
    private struct Bridge {
        var victim: String
        var original: Endpoint
        var connection: Connection
        var upstream: StreamID
        var downstream: TLSConnection?
        var towards: TLSConnection?
        var isPlain: Bool?
        var isUpstreamReady = false
        var waiting: [UInt8] = []
        var isReported = false
    }

    private let epochSeconds: Int64
    private let meant: (Endpoint, UInt16) -> (victim: String, to: Endpoint)?
    private var bridges: [StreamID: Bridge] = [:]
    private var nextStream: UInt32 = 1
    private var server: TLSConfiguration?
    private var client: TLSConfiguration?

    /// - Parameters:
    ///   - identity: What is shown to victims.
    ///   - meant: Victim and original callee of a connection from an endpoint to a port.
    init(
        identity: TLSConfiguration.Identity?, epochSeconds: Int64,
        meant: @escaping (Endpoint, UInt16) -> (victim: String, to: Endpoint)?
    ) {
        self.epochSeconds = epochSeconds
        self.meant = meant
        if let identity { server = try? TLSConfiguration(role: .server, identity: identity, rule: .anybody) }
        client = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody)
    }

    /// A self-made certificate that bears these names, and its key.
    static func forged(hosts: [String], names: CatalogNames, epochSeconds: Int64) -> TLSConfiguration.Identity? {
        let key = P256PrivateKey()
        let template = CertificateTemplate(
            commonName: names.service, organization: names.catalog, serial: [66], notBefore: epochSeconds - 86_400,
            notAfter: epochSeconds + 60 * 86_400, hostNames: hosts, usage: .endEntity)
        return (try? template.issue(for: key.publicKey, by: key, issuer: nil)).map { .init(chain: [$0], key: key) }
    }

    func handle(_ event: Event, _ out: inout Outbox) {
        switch event {
        case .accepted(let stream, let port, let from): accepted(stream, port, from, &out)
        case .connected(let stream, _): upstreamReady(stream, &out)
        case .received(let stream, let bytes):
            if bridges[stream] != nil { fromVictim(stream, bytes, &out) } else { fromCallee(stream, bytes, &out) }
        case .closed(let stream, _): closed(stream, &out)
        default: break
        }
    }

    private func accepted(_ stream: StreamID, _ port: UInt16, _ from: Endpoint, _ out: inout Outbox) {
        guard let (victim, original) = meant(from, port) else { return }
        let upstream = StreamID(raw: nextStream)
        nextStream += 1
        bridges[stream] = Bridge(victim: victim, original: original, connection: Connection(from, to: port), upstream: upstream)
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
                out.failed("forged certificate shown", on: bridge.victim, Failure(why), bridge.connection)
            }
        }
        bridge.waiting += plaintext
        if !plaintext.isEmpty && !bridge.isReported {
            bridge.isReported = true
            let line = plaintext.prefix { $0 != 13 && $0 != 10 }
            out.succeeded(on: bridge.victim, "read in clear: \(String(decoding: line.prefix(80), as: UTF8.self))")
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

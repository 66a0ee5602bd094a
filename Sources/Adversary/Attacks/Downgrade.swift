public import Catalogue
import Exchange
import Fabric
import SecureChannel
import Wire

extension AttackName { public static let downgrade = AttackName("downgrade") }

/// Knocks at every TLS port with a client that can do no better than TLS 1.2, and reads what comes back first.
final class Downgrade: Attack {
    static let description = AttackDescription(
        name: .downgrade,
        summary: "asks the service and the targets for TLS 1.2 with weak groups",
        mechanism:
            "A client that offers nothing better than TLS 1.2 knocks at every TLS port and reads whether it is answered with a ServerHello or with an alert.",
        needs: "a place on the targets' network",
        oracle: "somebody agrees to TLS 1.2, or takes a connection without TLS",
        techniques: ["T0830 Adversary-in-the-Middle"], threats: ["TID-408", "TID-411"],
        controls: [.strongAlgorithms, .transportEncryption], rules: [.authenticationFailures])

    private struct Call {
        var target: String
        var port: UInt16
        var connection: TLSConnection?
        var local: Connection?
    }

    private let id: String
    private let victims: [String]
    private var calls: [StreamID: Call] = [:]
    private var epochSeconds: Int64 = 0

    init(_ step: Step) {
        id = "downgrader-\(step.id)"
        victims = step.nodes
    }

    func apply(_ arena: inout Arena) {
        epochSeconds = arena.epochSeconds
        guard let victim = victims.first, arena.attach(id, near: victim) != nil else { return }
        var out = Outbox(now: arena.fabric.now)
        let doors = [(arena.service, ServicePort.enrolment), (arena.service, ServicePort.mutual)] + victims.map { ($0, ServicePort.peer) }
        for (number, (target, port)) in doors.enumerated() {
            guard let address = arena.fabric.spec(of: target)?.address else { continue }
            let stream = StreamID(raw: UInt32(number + 1))
            calls[stream] = Call(target: target, port: port)
            out.act(.connect(stream, to: Endpoint(address, port)))
        }
        arena.fabric.submit(out.effects, from: id)
    }

    func recover(_ arena: inout Arena) { arena.detach(id) }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        switch event {
        case .connected(let stream, let local):
            guard let port = calls[stream]?.port,
                let configuration = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody, algorithms: .weakOnly)
            else { return }
            let connection = TLSConnection(configuration, host: nil, unixSeconds: epochSeconds)
            calls[stream]?.connection = connection
            calls[stream]?.local = Connection(local, to: port)
            out.act(.send(stream, connection.takeOutput()))
        case .received(let stream, let bytes):
            guard let call = calls.removeValue(forKey: stream) else { return }
            judge(call, bytes, &out)
            out.act(.close(stream))
        case .closed(let stream, let end):
            if let call = calls.removeValue(forKey: stream) { failed(call, Failure(end), &out) }
        default: break
        }
    }

    private func judge(_ call: Call, _ bytes: [UInt8], _ out: inout Outbox) {
        let target = "\(call.target):\(call.port)"
        // A record's first byte: 22 is a handshake message (a ServerHello), 21 an alert (RFC 8446 section 5.1).
        switch bytes.first {
        case 22: succeeded(call, "\(target) agrees to TLS 1.2", &out)
        case 21: failed(call, Failure(.tlsAlert, "alert \(bytes.count > 6 ? bytes[6] : 0) in answer to TLS 1.2"), &out)
        default: succeeded(call, "\(target) takes connections without TLS", &out)
        }
    }

    /// What the service agrees to it agrees to with everybody.
    private func concerned(_ call: Call) -> [String] { victims.contains(call.target) ? [call.target] : victims }

    private func succeeded(_ call: Call, _ evidence: String, _ out: inout Outbox) {
        for victim in concerned(call) { out.succeeded(on: victim, evidence) }
    }

    private func failed(_ call: Call, _ failure: Failure, _ out: inout Outbox) {
        for victim in concerned(call) { out.failed("TLS 1.2 offered to \(call.target):\(call.port)", on: victim, failure, call.local) }
    }
}

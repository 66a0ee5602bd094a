import Exchange
import Fabric
import SecureChannel
import Wire

/// Knocks at every TLS port with a client that can do no better than TLS 1.2, and reads what comes back first.
final class Downgrade: Attack {
    private struct Call {
        var target: String
        var port: UInt16
        var connection: TLSConnection?
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
        let doors = [("service", ServicePort.enrolment), ("service", ServicePort.mutual)] + victims.map { ($0, ServicePort.peer) }
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
        case .connected(let stream):
            guard calls[stream] != nil,
                let configuration = try? TLSConfiguration(role: .client, identity: nil, rule: .anybody, algorithms: .weakOnly)
            else { return }
            let connection = TLSConnection(configuration, host: nil, unixSeconds: epochSeconds)
            calls[stream]?.connection = connection
            out.act(.send(stream, connection.takeOutput()))
        case .received(let stream, let bytes):
            guard let call = calls.removeValue(forKey: stream) else { return }
            judge(call, bytes, &out)
            out.act(.close(stream))
        case .closed(let stream, _):
            if let call = calls.removeValue(forKey: stream) { failed(call, "hung up", &out) }
        default: break
        }
    }

    private func judge(_ call: Call, _ bytes: [UInt8], _ out: inout Outbox) {
        let target = "\(call.target):\(call.port)"
        // A record's first byte: 22 is a handshake message (a ServerHello), 21 an alert (RFC 8446 section 5.1).
        switch bytes.first {
        case 22: succeeded(call, "\(target) agrees to TLS 1.2", &out)
        case 21: failed(call, "alert \(bytes.count > 6 ? bytes[6] : 0) in answer to TLS 1.2", &out)
        default: succeeded(call, "\(target) takes connections without TLS", &out)
        }
    }

    private func succeeded(_ call: Call, _ evidence: String, _ out: inout Outbox) {
        out.observe(.attackSucceeded, [.target: .text(call.target), .evidence: .text(evidence)])
    }

    private func failed(_ call: Call, _ reason: String, _ out: inout Outbox) {
        out.observe(.attackStep, [.step: "TLS 1.2 offered", .target: .text(call.target), .result: "failed", .reason: .text(reason)])
    }
}

public import Catalogue
import Exchange
import Fabric
import Wire

extension AttackName { public static let recordReplay = AttackName("record-replay") }

/// Records what the targets say to the service, and says it again later, byte for byte, on connections of its own.
final class RecordReplay: Attack, Tap {
    static let description = AttackDescription(
        name: .recordReplay,
        summary: "records what the targets say to the service and says it again",
        mechanism:
            "The bytes of whole connections are kept and sent once more, a minute later, from a node of the attacker's.",
        needs: "a position on the targets' path; a place from which to reach the service",
        oracle: "the service answers a recorded request with success",
        techniques: ["T0855 Unauthorized Command Message"], threats: ["TID-221", "TID-407"],
        controls: [.transportEncryption], rules: [.authenticationFailures],
        judge: AttackJudge(countsMarks: false))

    private struct Recording {
        var victim: String
        var to: Endpoint
        var bytes: [UInt8] = []
    }

    private let id: String
    private let targets: Set<String>
    private let pause: Duration
    private var recordings: [Int: Recording] = [:]
    private var order: [Int] = []
    private var replays: [StreamID: (recording: Recording, isAnswered: Bool, local: Connection?)] = [:]
    private var nextStream: UInt32 = 1
    private(set) var nextWake: Instant?

    /// Recordings that are tried; more would tell nothing new.
    private static let limit = 20

    init(_ step: Step) {
        id = "recorder-\(step.id)"
        targets = Set(step.nodes)
        pause = .minutes(1)
    }

    func apply(_ arena: inout Arena) {
        guard let victim = targets.sorted().first, arena.attach(id, near: victim) != nil else { return }
        arena.tap(self)
        nextWake = arena.fabric.now + pause
    }

    func recover(_ arena: inout Arena) {
        nextWake = nil
        arena.untap()
        arena.detach(id)
    }

    func inspect(_ passage: inout Passage, now: Instant) {
        guard targets.contains(passage.from), !passage.isRetransmission else { return }
        switch passage.content {
        case .connect(let endpoint) where endpoint.port == ServicePort.mutual && order.count < RecordReplay.limit:
            recordings[passage.stream] = Recording(victim: passage.from, to: endpoint)
            order.append(passage.stream)
        case .data(let bytes): recordings[passage.stream]?.bytes += bytes
        case .connect, .datagram, .lookup: break
        }
    }

    func handle(_ event: Event, at node: String, _ out: inout Outbox) {
        switch event {
        case .wake:
            nextWake = out.now + pause
            // What was recorded since the last time is complete by now.
            for number in order {
                guard let recording = recordings.removeValue(forKey: number), !recording.bytes.isEmpty else { continue }
                let stream = StreamID(raw: nextStream)
                nextStream += 1
                replays[stream] = (recording, false, nil)
                out.act(.connect(stream, to: recording.to))
            }
        case .connected(let stream, let local):
            guard let recording = replays[stream]?.recording else { return }
            replays[stream]?.local = Connection(local, to: recording.to.port)
            out.act(.send(stream, recording.bytes))
        case .received(let stream, let bytes): answered(stream, bytes, &out)
        case .closed(let stream, let end):
            guard let replay = replays.removeValue(forKey: stream), !replay.isAnswered else { return }
            out.failed("recording sent again", on: replay.recording.victim, Failure(end), replay.local)
        default: break
        }
    }

    private func answered(_ stream: StreamID, _ bytes: [UInt8], _ out: inout Outbox) {
        guard let replay = replays[stream], !replay.isAnswered, bytes.starts(with: Array("HTTP/1.1 2".utf8)) else { return }
        replays[stream]?.isAnswered = true
        out.succeeded(on: replay.recording.victim, "the service took a recorded request for a new one")
        out.act(.close(stream))
    }
}

import Fabric
import Wire

/// Records what the targets say to the service, and says it again later, byte for byte, on connections of its own.
final class RecordReplay: Attack, Tap {
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
    private var replays: [StreamID: (recording: Recording, isAnswered: Bool)] = [:]
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
                replays[stream] = (recording, false)
                out.act(.connect(stream, to: recording.to))
            }
        case .connected(let stream):
            if let replay = replays[stream] { out.act(.send(stream, replay.recording.bytes)) }
        case .received(let stream, let bytes): answered(stream, bytes, &out)
        case .closed(let stream, _):
            guard let replay = replays.removeValue(forKey: stream), !replay.isAnswered else { return }
            out.observe(
                .attackStep,
                [.step: "recording sent again", .target: .text(replay.recording.victim), .result: "failed", .reason: "the service hung up"])
        default: break
        }
    }

    private func answered(_ stream: StreamID, _ bytes: [UInt8], _ out: inout Outbox) {
        guard let replay = replays[stream], !replay.isAnswered, bytes.starts(with: Array("HTTP/1.1 2".utf8)) else { return }
        replays[stream]?.isAnswered = true
        out.observe(
            .attackSucceeded,
            [.target: .text(replay.recording.victim), .evidence: "the service took a recorded request for a new one"])
        out.act(.close(stream))
    }
}

import Runtime
import Synchronization
import Wire

/// The coordinator's end of the bus. One thread owns the socket; frames come out as a stream.
final class ControlLink: Sendable {
    private struct Shared {
        var outgoing: [Frame] = []
        var isOver = false
    }

    let frames: AsyncStream<Frame>
    private let shared = Mutex(Shared())

    /// How long the thread sleeps at most before it looks at what there is to send.
    private static let pauseMilliseconds = 20

    init(endpoint: String) {
        // Unbounded: a frame of the journal that is lost would falsify the run.
        let (stream, continuation) = AsyncStream.makeStream(of: Frame.self, bufferingPolicy: .unbounded)
        frames = stream
        OSThread.start { [self] in
            guard let bus = try? Bus(connect: endpoint, as: PeerName.coordinator) else {
                continuation.finish()
                return
            }
            _ = bus.send(.hello(Hello(node: "coordinator", generation: 0, publicIdentity: "")))
            while true {
                let (outgoing, isOver) = shared.withLock { state in
                    defer { state.outgoing = [] }
                    return (state.outgoing, state.isOver)
                }
                for frame in outgoing { _ = bus.send(frame) }
                if isOver { break }
                guard let (_, bytes) = bus.receive(milliseconds: ControlLink.pauseMilliseconds) else { continue }
                if let frame = try? Frame(bytes: bytes) { continuation.yield(frame) }
            }
            continuation.finish()
        }
    }

    func send(_ frame: Frame) { shared.withLock { $0.outgoing.append(frame) } }
    func end() { shared.withLock { $0.isOver = true } }
}

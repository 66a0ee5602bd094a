import Configuration
import Silicon
public import Wire

/// Recovery mode: out of reset with RTS of the debug UART held, the chip asks for all of its images anew (HW-26). The other
/// end is a cable in wall time, or a technician who has come with the files.
public struct RecoveryMode {
    public enum Outcome: Equatable, Sendable {
        /// The event was its own, or nothing else runs now.
        case taken
        /// It is over: the chip starts.
        case ended
    }

    private struct Session {
        let core: SecurityCore
        let stream: StreamID
        var wakesAt = Instant.never
    }

    private var session: Session?

    public init() {}

    /// When a chip that waits for its cable goes on; nil if it does not.
    public var wakesAt: Instant? { session?.wakesAt }

    /// A technician may have come before this start of the device's process; his files lie where the bench has put them.
    public func performOrder(_ chip: MT3620Chip, generation: Int, _ out: inout Outbox) {
        guard let order = chip.recoveryOrder, Int(order.generation) == generation else { return }
        do throws(SiliconError) {
            var host = try RecoveryHost(paths: order.files)
            let (outcome, nanoseconds) = host.recover(try chip.openSecurityCore(), chip.strapped)
            out.spend(.nanoseconds(nanoseconds))
            if case .failed(let reason) = outcome { tell(failure: reason, &out) } else { tell(failure: nil, &out) }
        } catch {
            tell(failure: "\(error)", &out)
        }
    }

    // MARK: By cable

    /// Somebody holds RTS and gives the chip a reset.
    /// - Returns: Whether the cable is taken: then what runs ends, and ``begin(_:_:)`` follows.
    public mutating func reset(_ stream: StreamID, _ chip: MT3620Chip, _ out: inout Outbox) -> Bool {
        guard session == nil, let core = try? chip.openSecurityCore() else {
            out.act(.close(stream))
            return false
        }
        out.observe(.rebooted, [.reason: "recovery mode"])
        session = Session(core: core, stream: stream)
        return true
    }

    /// Nothing else runs from now on.
    public mutating func begin(_ chip: MT3620Chip, _ out: inout Outbox) -> Outcome {
        guard let session else { return .ended }
        return carry(session.core.recover(chip.strapped), &out)
    }

    /// Nil for what does not concern it: that is nothing while it goes on.
    public mutating func handle(_ event: Event, _ out: inout Outbox) -> Outcome? {
        guard let session else { return nil }
        switch event {
        case .received(session.stream, let bytes): return carry(session.core.wake(received: bytes), &out)
        case .closed(session.stream, _): return end("the cable is gone", &out)
        case .wake where session.wakesAt <= out.now: return carry(session.core.wake(received: []), &out)
        default: return .taken
        }
    }

    /// The cable's time is the wall's: what it takes passes by itself.
    private mutating func carry(_ pause: SecurityCore.Pause, _ out: inout Outbox) -> Outcome {
        guard let stream = session?.stream else { return .taken }
        if !pause.sent.isEmpty { out.act(.send(stream, pause.sent)) }
        session?.wakesAt = pause.waitNanoseconds.map { out.now + .nanoseconds($0) } ?? .never
        guard let end = pause.end else { return .taken }
        out.act(.close(stream))
        return self.end(end == .halted(0) ? nil : end.reason, &out)
    }

    /// - Parameter failure: Nil if all images are there.
    private mutating func end(_ failure: String?, _ out: inout Outbox) -> Outcome {
        session = nil
        tell(failure: failure, &out)
        return .ended
    }

    private func tell(failure: String?, _ out: inout Outbox) {
        out.observe(.recovery, failure.map { [.result: "failed", .reason: .text($0)] } ?? [.result: "complete"])
    }
}

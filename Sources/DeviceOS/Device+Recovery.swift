import Catalogue
import Configuration
import Formats
import Silicon
import Wire

/// Recovery mode: out of reset with RTS of the debug UART held, the chip asks for all of its images anew (HW-26). The other
/// end is a cable in wall time, or a technician who has come with the files.
extension Device {
    /// A chip that waits for its cable.
    struct Recovery {
        let core: SecurityCore
        let stream: StreamID
        var wakesAt = Instant.never
    }

    /// A technician, whose files lie where the bench has put them.
    mutating func recover(_ order: RecoveryOrder, _ out: inout Outbox) {
        do throws(SiliconError) {
            var host = try RecoveryHost(paths: order.files)
            let (outcome, nanoseconds) = host.recover(try SecurityCore(rom: rom), strapped)
            out.spend(.nanoseconds(nanoseconds))
            if case .failed(let reason) = outcome { tell(failure: reason, &out) } else { tell(failure: nil, &out) }
        } catch {
            tell(failure: "\(error)", &out)
        }
    }

    /// What boot code finds when RTS is held.
    private var strapped: BootSurroundings {
        let flash = flash
        var surroundings = BootChain.surroundings(
            fuses: fuses, pluton: pluton, flash: flash, isSecure: !isOff(.secureBoot), refusesOldVersions: !isOff(.rollbackProtection),
            cost: configuration.cryptoCost)
        surroundings.changeFlash = { change in
            do throws(SiliconError) {
                switch change {
                case .erase(let sector): try flash.erase(sector: sector)
                case .program(let offset, let bytes): try flash.program(offset, bytes)
                }
                return true
            } catch { return false }
        }
        return surroundings
    }

    // MARK: By cable

    /// True for what concerns a cable at the debug UART, and for everything while there is one: nothing else runs then.
    mutating func attendRecovery(_ event: Event, _ out: inout Outbox) -> Bool {
        switch event {
        case .accepted(let stream, ServicePort.recovery, _):
            guard recovery == nil, let core = try? SecurityCore(rom: rom) else {
                out.act(.close(stream))
                return true
            }
            out.observe(.rebooted, [.reason: "recovery mode"])
            shutDown(&out)
            recovery = Recovery(core: core, stream: stream)
            carry(core.recover(strapped), &out)
        case .received(let stream, let bytes) where stream == recovery?.stream:
            if let core = recovery?.core { carry(core.wake(received: bytes), &out) }
        case .closed(let stream, _) where stream == recovery?.stream: endRecovery("the cable is gone", &out)
        case .wake:
            guard let recovery else { return false }
            if recovery.wakesAt <= out.now { carry(recovery.core.wake(received: []), &out) }
        default: return recovery != nil
        }
        return true
    }

    /// The cable's time is the wall's: what it takes passes by itself.
    private mutating func carry(_ pause: SecurityCore.Pause, _ out: inout Outbox) {
        guard let stream = recovery?.stream else { return }
        if !pause.sent.isEmpty { out.act(.send(stream, pause.sent)) }
        recovery?.wakesAt = pause.waitNanoseconds.map { out.now + .nanoseconds($0) } ?? .never
        guard let end = pause.end else { return }
        out.act(.close(stream))
        endRecovery(end == .halted(0) ? nil : end.reason, &out)
    }

    /// - Parameter failure: Nil if all images are there.
    private mutating func endRecovery(_ failure: String?, _ out: inout Outbox) {
        recovery = nil
        tell(failure: failure, &out)
        boot(&out)
    }

    private func tell(failure: String?, _ out: inout Outbox) {
        out.observe(.recovery, failure.map { [.result: "failed", .reason: .text($0)] } ?? [.result: "complete"])
    }
}

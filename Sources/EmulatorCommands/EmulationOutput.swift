import CommandSupport
import Emulator
import EmulatorHost
import Formats
import Foundation
import Silicon

/// Writes what an emulated device does: its UART as it comes, everything else on lines of its own.
final class EmulationOutput {
    private let ports: Set<SerialPortName>
    private var isAtLineStart = true
    private var pending: [UInt8] = []
    /// What has happened while a line of a UART was on its way.
    private var waiting: [String] = []
    /// Whoever reads has gone.
    private(set) var isClosed = false

    private let hasTimes: Bool

    /// - Parameter hasTimes: Lines of a UART begin with the virtual time of their first byte.
    init(ports: [SerialPortName], hasTimes: Bool) {
        self.ports = Set(ports)
        self.hasTimes = hasTimes
    }

    func take(_ now: Int64, _ event: Emulation.Event) {
        switch event {
        case .serial(let port, let bytes):
            guard ports.contains(port) else { return }
            if hasTimes && isAtLineStart { write(Array("[\(seconds(now))] ".utf8)) }
            write(bytes)
        case .console(let bytes): write(bytes)
        case .attachment(let place, let text):
            let text = "[\(seconds(now))] \(place): \(text)"
            if isAtLineStart { line(text) } else { waiting.append(text) }
        case .fault(let fault): note("[\(seconds(now))] fault: \(fault.text)")
        case .reset(let reason): note("[\(seconds(now))] core reset: \(reason)")
        }
    }

    func close(_ end: Emulation.End, _ core: RealTimeCore) {
        if !isAtLineStart { write([0x0A]) }
        flush()
        switch end {
        case .outOfTime, .exited, .breakpoint: break
        case .lockedUp: note("[\(seconds(core.now))] locked up")
        case .asleepForEver: note("[\(seconds(core.now))] asleep for ever: nothing can wake the core")
        }
        for access in core.unmodelled.all { note(access.text) }
    }

    func trace(_ now: Int64, _ event: RealTimeCore.TraceEvent, _ symbols: ELFSymbols) {
        let text =
            switch event {
            case .access(let address, let value, let isWrite, let pc):
                "\(isWrite ? "write" : "read ") 0x\(hex(address)) \(isWrite ? "←" : "→") 0x\(hex(value)) at \(symbols.name(of: pc))"
            case .entered(let exception, let pc): "\(EmulationOutput.name(exception)) interrupts \(symbols.name(of: pc))"
            case .left(let exception): "\(EmulationOutput.name(exception)) returns"
            case .called(let address): "calls \(symbols.name(of: address))"
            }
        note("[\(seconds(now))] \(text)")
    }

    private static func name(_ exception: Int) -> String {
        let names = [
            2: "NMI", 3: "hard fault", 4: "memory fault", 5: "bus fault", 6: "usage fault", 11: "SVC", 14: "PendSV", 15: "SysTick",
        ]
        return names[exception] ?? "IRQ \(exception - 16)"
    }

    private func hex(_ value: UInt32) -> String { String(value, radix: 16) }

    private func line(_ text: String) { write(Array(((isAtLineStart ? "" : "\n") + text + "\n").utf8)) }

    private func note(_ text: String) { Console.note(text) }

    private func write(_ bytes: [UInt8]) {
        pending += bytes
        guard let last = bytes.last else { return }
        isAtLineStart = last == 0x0A
        guard isAtLineStart else { return }
        tellWaiting()
        flush()
    }

    private func tellWaiting() {
        let texts = waiting
        waiting = []
        for text in texts { line(text) }
    }

    func flush() {
        // A line that has no end holds up nothing else.
        tellWaiting()
        guard !pending.isEmpty, !isClosed else { return }
        do { try FileHandle.standardOutput.write(contentsOf: pending) } catch { isClosed = true }
        pending = []
    }
}

func seconds(_ nanoseconds: Int64) -> String { EmulatorDefaults.seconds(nanoseconds) }

public import Emulator
import Runtime

/// A port of localhost for GDB.
public struct DebugServer {
    private let server: LoopbackServer
    public var port: UInt16 { server.port }

    /// - Parameter port: 0 for any.
    /// - Returns: Nil if the port is taken.
    public init?(port: UInt16) {
        guard let server = LoopbackServer(port: port) else { return nil }
        self.server = server
    }

    /// The core runs when GDB lets it, and its time stands still meanwhile.
    /// - Parameter flush: Called between stretches of its run.
    public func serve(_ emulation: Emulation, flush: () -> Void) {
        let session = DebugSession(emulation)
        var wire = DebugProtocol()
        guard let debugger = server.accept() else { return }
        while session.state != .detached {
            guard let bytes = debugger.read(milliseconds: session.state == .running ? 0 : -1) else { break }
            let (commands, answers) = wire.take(bytes)
            debugger.write(answers)
            for command in commands {
                switch command {
                case .interrupt: if session.state == .running { debugger.write(DebugProtocol.frame(session.interrupt())) }
                case .packet(let text): if let answer = session.answer(text) { debugger.write(DebugProtocol.frame(answer)) }
                }
            }
            if session.state == .running, let stop = session.run(for: 1_000_000) { debugger.write(DebugProtocol.frame(stop)) }
            flush()
        }
    }
}

import Glibc

/// The computer at the debug UART of a device in recovery mode: sends file after file, and hears how it ended (HW-26).
public struct RecoveryHost {
    public enum Outcome: Equatable, Sendable {
        case complete
        /// The device's last word, such as "recovery error 40894469", or that a file was not taken.
        case failed(String)
    }

    private let files: [[UInt8]]
    private var sender: XMODEMSender?
    /// The file that is on its way.
    public private(set) var index = 0
    private var text: [UInt8] = []
    public private(set) var outcome: Outcome?

    public init(files: [[UInt8]]) {
        self.files = files
        sender = files.first.map(XMODEMSender.init)
    }

    public init(paths: [String]) throws(SiliconError) {
        var files: [[UInt8]] = []
        for path in paths {
            guard let bytes = BackingFile.readAll(path: path) else { throw .file(path: path, operation: "read", errno: errno) }
            files.append(bytes)
        }
        self.init(files: files)
    }

    /// 0…1, of the file that is on its way.
    public var progress: Double { sender?.progress ?? 1 }

    /// - Parameter bytes: What the device has said.
    /// - Returns: What is said to it.
    public mutating func receive(_ bytes: [UInt8]) -> [UInt8] { bytes.flatMap { receive($0) } }

    private mutating func receive(_ byte: UInt8) -> [UInt8] {
        guard outcome == nil else { return [] }
        guard var current = sender else {
            hear(byte)
            return []
        }
        let answer = current.receive(byte)
        sender = current
        switch current.state {
        case .sending: break
        case .sent:
            index += 1
            sender = index < files.count ? XMODEMSender(files[index]) : nil
        // Why comes as text.
        case .cancelled: sender = nil
        case .failed: outcome = .failed("the device does not understand file \(index)")
        }
        return answer
    }

    private mutating func hear(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"):
            let line = String(decoding: text, as: UTF8.self)
            outcome = line == "recovery complete" ? .complete : .failed(line)
        case 0x20...0x7E: if text.count < 100 { text.append(byte) }
        default: break
        }
    }

    /// Both ends at once, without a cable: what a bench does to a device that is in nobody's network.
    /// - Returns: How it ended, and what it took of virtual time.
    public mutating func recover(_ core: SecurityCore, _ surroundings: BootSurroundings) -> (outcome: Outcome, nanoseconds: Int64) {
        var pause = core.recover(surroundings)
        var nanoseconds = pause.nanoseconds
        while true {
            let answer = receive(pause.sent)
            if let outcome { return (outcome, nanoseconds) }
            guard let wait = pause.waitNanoseconds else { return (.failed("the device stopped: \(pause.end ?? .hung)"), nanoseconds) }
            if answer.isEmpty { nanoseconds += wait }
            pause = core.wake(received: answer)
            nanoseconds += pause.nanoseconds
        }
    }
}

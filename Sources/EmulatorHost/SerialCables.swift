import Runtime
public import Silicon

/// Connects UARTs of boards to the world outside: pseudo-terminals and TCP, on the wall clock.
public final class SerialCables {
    private struct Line {
        let port: SerialPortName
        let end: OutsideEnd
        let cable: SerialCable
        /// Of all cores that may have the unit: what comes in reaches each, and the one that uses it listens.
        var boards: [Board]
        var saysItIsClosed = false
    }
    private var lines: [Line] = []

    /// Why a UART cannot be connected, in words for the person at the terminal.
    public struct NoCable: Error, CustomStringConvertible {
        public var description: String
        init(_ description: String) { self.description = description }
    }

    /// - Throws: ``NoCable`` if a terminal or a server cannot be had.
    public init(_ boards: [Board]) throws {
        for board in boards {
            for (port, end) in board.outside {
                if let known = lines.firstIndex(where: { $0.port == port }) {
                    lines[known].boards.append(board)
                    continue
                }
                let cable = try SerialCables.open(end)
                lines.append(Line(port: port, end: end, cable: cable, boards: [board]))
                SerialCables.note("\(AttachmentPlace(port)) is at \(cable.name)")
            }
        }
    }

    private static func open(_ end: OutsideEnd) throws -> SerialCable {
        switch end {
        case .terminal:
            guard let opened = SerialCable() else { throw NoCable("there is no pseudo-terminal left") }
            return opened
        case .tcp(let number):
            guard let opened = SerialCable(port: number) else { throw NoCable("nobody listens on 127.0.0.1:\(number)") }
            return opened
        }
    }

    public var isEmpty: Bool { lines.isEmpty }

    /// What the chip has said goes out.
    private func send(_ line: Line) {
        for board in line.boards { line.cable.write(board.takeSaid(to: line.port)) }
    }

    /// What has come goes to the UARTs, at an instant of the boards' time, and what they have said goes out.
    public func carry(at now: Int64) {
        for index in lines.indices {
            let line = lines[index]
            send(line)
            guard !line.saysItIsClosed else { continue }
            let bytes = line.cable.read()
            if !bytes.isEmpty { for board in line.boards { board.send(bytes, to: line.port, at: now) } }
            if line.cable.hasEnded {
                lines[index].saysItIsClosed = true
                SerialCables.note("[\(seconds(now))] \(AttachmentPlace(line.port)): \(line.cable.name) has closed")
            }
        }
    }

    public func wait(milliseconds: Int32) { SerialCable.wait(for: lines.map(\.cable), milliseconds: milliseconds) }

    /// What could not be given away.
    public func close() {
        for line in lines {
            send(line)
            if line.cable.lost > 0 { SerialCables.note("\(AttachmentPlace(line.port)): \(line.cable.lost) bytes found nobody") }
        }
    }

    private static func note(_ text: String) { Terminal.note(text) }
}

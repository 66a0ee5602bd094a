public import Wire

/// A node's UARTs with somebody outside at the other end, in wall time only: what comes and goes there are streams with numbers
/// that no fabric gives.
public struct SerialLines {
    private struct Line {
        let stream: StreamID
        /// Nil if nobody is there.
        let cable: SerialCable?
        var saysItIsClosed = false
    }
    private var lines: [Line]

    /// - Parameters:
    ///   - uarts: With the port of a server on this machine; nil for a terminal. Where nobody is there, the node is told.
    ///   - folder: Where a terminal's path is left, in a file of the UART's name.
    public init(_ uarts: [OutsideUART] = [], folder: String = "") {
        lines = uarts.map { uart in
            let cable = uart.tcpPort.map { SerialCable(port: $0) } ?? SerialCable()
            if uart.tcpPort == nil, let cable { leaveNote(cable.name, at: "\(folder)/\(uart.name)-terminal") }
            return Line(stream: StreamID(uart: uart.number), cable: cable)
        }
    }

    var isEmpty: Bool { lines.isEmpty }
    private var open: [SerialCable] { lines.compactMap(\.cable).filter(\.isOpen) }
    var readable: [Int32] { open.filter { !$0.hasEnded }.map(\.descriptor) }
    /// Those that have not taken all that was said to them.
    var writable: [Int32] { open.filter(\.hasPending).map(\.descriptor) }

    /// What has come; and once, that nobody is there any more.
    mutating func takeEvents() -> [Event] {
        var events: [Event] = []
        for (index, line) in lines.enumerated() {
            line.cable?.flush()
            guard !line.saysItIsClosed else { continue }
            let bytes = line.cable?.read() ?? []
            if !bytes.isEmpty { events.append(.received(line.stream, bytes)) }
            guard line.cable?.hasEnded != false else { continue }
            lines[index].saysItIsClosed = true
            events.append(.closed(line.stream, line.cable == nil ? .refused : .finished))
        }
        return events
    }

    /// True for what goes out there, and not into the network.
    func carryOut(_ action: Action) -> Bool {
        guard case .send(let stream, let bytes) = action, stream.uart != nil else { return false }
        lines.first { $0.stream == stream }?.cable?.write(bytes)
        return true
    }
}

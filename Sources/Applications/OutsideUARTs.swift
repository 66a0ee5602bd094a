import Silicon
public import Wire

/// UARTs whose other end is outside of the run, on the wall clock: each is a stream that no network carries.
public struct OutsideUARTs {
    /// For whoever runs the device to connect.
    public let outside: [OutsideUART]

    /// - Parameter attachments: What is on the device's pins, such as `serial@isu0:pty`.
    public init(_ attachments: [String]) { outside = attachments.compactMap { OutsideUART($0) } }

    /// True for what comes in there. While the chip has no power or its cores start, nobody hears it.
    public func handle(_ event: Event, _ apps: AppHost, _ out: inout Outbox) -> Bool {
        switch event {
        case .received(let stream, let bytes):
            guard let port = SerialPortName(stream) else { return false }
            for board in apps.boards where board.outside.contains(where: { $0.port == port }) {
                board.send(bytes, to: port, at: out.now.nanoseconds)
            }
        case .closed(let stream, let end):
            guard let port = SerialPortName(stream) else { return false }
            let text = end == .refused ? "nobody is there" : "the other side has closed"
            out.observe(.attachment, [.name: .text("\(AttachmentPlace(port))"), .text: .text(text)])
        default: return false
        }
        return true
    }

    /// What the cores have said goes out.
    public func send(_ apps: AppHost, _ out: inout Outbox) {
        for uart in outside {
            let bytes = SerialPortName(number: uart.number).map { port in apps.boards.flatMap { $0.takeSaid(to: port) } } ?? []
            if !bytes.isEmpty { out.act(.send(StreamID(uart: uart.number), bytes)) }
        }
    }
}

extension OutsideUART {
    /// Of an attachment such as `serial@isu0:pty`; nil for one that stays within the run.
    init?(_ attachment: String) {
        guard let (port, end) = Attachments.outsideEnd(attachment) else { return nil }
        let tcpPort: UInt16? = if case .tcp(let port) = end { port } else { nil }
        self.init(number: port.number, name: "\(AttachmentPlace(port))", tcpPort: tcpPort)
    }
}

extension SerialPortName {
    fileprivate init?(_ stream: StreamID) {
        guard let number = stream.uart, let port = SerialPortName(number: number) else { return nil }
        self = port
    }
}

import Glibc
import Wire

/// What is plugged into a node's ports for cables: TCP on 127.0.0.1, past the emulated network, in wall time only.
///
/// The node has these connections as streams with numbers that no fabric gives.
final class ServiceCable {
    private static let firstStream: UInt32 = 0x7F00_0000
    private static let chunk = 64 << 10
    /// The other end of the cable, as the original's driver has it (REST-1).
    private static let caller = Endpoint(Address(bits: 0xC0A8_2301), 0)

    private let sockets: [(listener: Int32, nodePort: UInt16)]
    private var open: [UInt32: (descriptor: Int32, unsent: [UInt8], closes: Bool)] = [:]
    private var nextStream = ServiceCable.firstStream

    /// - Parameter nodePorts: Where the node thinks that it is called.
    init?(nodePorts: [UInt16]) {
        sockets = nodePorts.compactMap { nodePort in LoopbackSocket.listen(port: 0).map { ($0, nodePort) } }
        guard sockets.count == nodePorts.count, !nodePorts.isEmpty else { return nil }
    }

    /// Where a cable is plugged in on this machine, by the node's own port.
    var ports: [UInt16: UInt16] {
        Dictionary(uniqueKeysWithValues: sockets.map { ($0.nodePort, LoopbackSocket.port(of: $0.listener)) })
    }

    deinit {
        for connection in open.values { close(connection.descriptor) }
        for socket in sockets { close(socket.listener) }
    }

    var readable: [Int32] { sockets.map(\.listener) + open.values.map(\.descriptor) }
    /// Those that have not taken all that was said to them.
    var writable: [Int32] { open.values.filter { !$0.unsent.isEmpty }.map(\.descriptor) }

    func takeEvents() -> [Event] {
        var events: [Event] = []
        for socket in sockets {
            while let accepted = LoopbackSocket.accept(socket.listener) {
                open[nextStream] = (accepted, [], false)
                events.append(.accepted(StreamID(raw: nextStream), port: socket.nodePort, from: ServiceCable.caller))
                nextStream += 1
            }
        }
        for (number, connection) in open.sorted(by: { $0.key < $1.key }) {
            flush(number)
            switch LoopbackSocket.read(connection.descriptor, ServiceCable.chunk) {
            case .bytes(let bytes): events.append(.received(StreamID(raw: number), bytes))
            case .later: break
            case .ended, .failed:
                events.append(.closed(StreamID(raw: number), .finished))
                end(number)
            }
        }
        return events
    }

    /// True for what goes over the cable, and not into the network.
    func carryOut(_ action: Action) -> Bool {
        switch action {
        case .send(let stream, let bytes):
            guard stream.raw >= ServiceCable.firstStream, stream.raw < nextStream else { return false }
            open[stream.raw]?.unsent += bytes
            flush(stream.raw)
        case .close(let stream):
            guard stream.raw >= ServiceCable.firstStream, stream.raw < nextStream else { return false }
            open[stream.raw]?.closes = true
            flush(stream.raw)
        default: return false
        }
        return true
    }

    private func flush(_ number: UInt32) {
        guard let connection = open[number] else { return }
        guard let count = LoopbackSocket.write(connection.descriptor, connection.unsent) else { return end(number) }
        open[number]?.unsent.removeFirst(count)
        if connection.closes, connection.unsent.count == count { end(number) }
    }

    private func end(_ number: UInt32) { if let connection = open.removeValue(forKey: number) { close(connection.descriptor) } }
}

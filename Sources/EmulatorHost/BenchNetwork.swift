public import ArgumentParser
public import Emulator
public import Kernel
import Runtime

/// What an emulated program has of a network: names and ports that somebody has given exits for, each to a port of 127.0.0.1, and ports
/// of 127.0.0.1 that lead to those on which it listens. All else is not there.
public final class BenchNetwork: WayOut {
    /// `NAME:PORT=127.0.0.1:PORT`, as a gateway's exits are.
    public struct Exit: ExpressibleByArgument {
        public var name: String
        public var port: UInt16
        var target: UInt16

        public init?(argument: String) {
            let sides = argument.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let colon = sides[0].lastIndex(of: ":"), colon != sides[0].startIndex,
                let port = UInt16(sides[0][sides[0].index(after: colon)...]), port > 0, sides[1].hasPrefix("127.0.0.1:"),
                let target = UInt16(sides[1].dropFirst("127.0.0.1:".count)), target > 0
            else { return nil }
            (name, self.port, self.target) = (sides[0][..<colon].lowercased(), port, target)
            guard !name.split(separator: ".", omittingEmptySubsequences: false).contains("") else { return nil }
        }
    }

    /// `PORT=127.0.0.1:PORT`: where the program listens, and where it is found.
    public struct Port: ExpressibleByArgument {
        var port: UInt16
        var target: UInt16

        public init?(argument: String) {
            let sides = argument.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let port = UInt16(sides[0]), port > 0, sides[1].hasPrefix("127.0.0.1:"),
                let target = UInt16(sides[1].dropFirst("127.0.0.1:".count)), target > 0
            else { return nil }
            (self.port, self.target) = (port, target)
        }
    }

    private struct Stream {
        var connection: LoopbackConnection
        var unwritten: [UInt8] = []
        /// The program has closed it, or its own half; what it wrote before is still on its way.
        var isClosing = false
        var isFinishing = false
        /// The server's half has ended.
        var hasEnded = false
        /// How much more the program has room for.
        var roomBytes = BenchNetwork.chunkBytes
        var isRead: Bool { !isClosing && !hasEnded && roomBytes > 0 }
    }

    private static let chunkBytes = 64 << 10
    public let address: UInt32 = 0x0A00_0002
    private let exits: [Exit]
    private let ports: [Port]
    /// By the program's port; kept as long as there is a network, for whoever connects.
    private var servers: [UInt16: LoopbackServer] = [:]
    private var acceptedCount: UInt32 = 0
    /// By name, in the order of the exits: 10.0.0.16 and on, or what an exit without a name says.
    private let addresses: [String: UInt32]
    private let note: (String) -> Void
    private var streams: [UInt32: Stream] = [:]
    private var events: [NetworkEvent] = []
    private var told: Set<String> = []

    /// - Parameter note: Told, once each, of what no exit leads to.
    init(_ exits: [Exit], ports: [Port] = [], note: @escaping (String) -> Void) {
        self.exits = exits
        self.ports = ports
        self.note = note
        var addresses: [String: UInt32] = [:]
        for exit in exits where addresses[exit.name] == nil {
            addresses[exit.name] = BenchNetwork.number(exit.name) ?? 0x0A00_0010 + UInt32(addresses.count)
        }
        self.addresses = addresses
    }

    private static func number(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, !parts.contains(nil) else { return nil }
        return parts.reduce(0) { $0 << 8 | UInt32($1 ?? 0) }
    }

    /// A name that no exit has is that of the closest wildcard (RFC 4592), as with gateways.
    private func address(of name: String) -> UInt32? {
        let labels = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        let wildcards = labels.indices.dropFirst().map { "*." + labels[$0...].joined(separator: ".") }
        return ([name.lowercased()] + wildcards).lazy.compactMap { [addresses] in addresses[$0] }.first
    }

    private func say(_ text: String) { if told.insert(text).inserted { note(text) } }

    public func take(_ action: NetworkAction) {
        switch action {
        case .resolve(let query, let name):
            let address = address(of: name)
            if address == nil { say("no --exit is named \(name)") }
            events.append(.resolved(query: query, address: address))
        case .connect(let stream, let address, let port): connect(stream, address, port)
        case .send(let stream, let bytes): streams[stream]?.unwritten += bytes
        case .close(let stream): streams[stream]?.isClosing = true
        case .finish(let stream): streams[stream]?.isFinishing = true
        case .window(let stream, let bytes): streams[stream]?.roomBytes = bytes
        case .consumed(let stream, let bytes): streams[stream]?.roomBytes += bytes
        case .datagram(_, let address, let port, _): say("datagrams have no exits: one for \(text(address)):\(port) is lost")
        case .listen(let port): listen(port)
        }
        write()
    }

    private func listen(_ port: UInt16) {
        guard servers[port] == nil, let wanted = ports.first(where: { $0.port == port }) else { return }
        servers[port] = LoopbackServer(port: wanted.target)
        if servers[port] == nil { say("127.0.0.1:\(wanted.target) is taken: nobody reaches port \(port)") }
    }

    /// Whoever has connected to a server, as from an address of the network, on streams beside the program's own numbers.
    private func accept() {
        for (port, server) in servers.sorted(by: { $0.key < $1.key }) {
            while let connection = server.acceptWaiting() {
                let stream = 0x4000_0000 + acceptedCount
                streams[stream] = Stream(connection: connection)
                let peerPort = 0xC000 + UInt16(truncatingIfNeeded: acceptedCount % 0x3FFF)
                events.append(.accepted(stream: stream, port: port, address: 0x0A00_0003, peerPort: peerPort))
                acceptedCount += 1
            }
        }
    }

    private func text(_ address: UInt32) -> String { [24, 16, 8, 0].map { "\(address >> $0 & 0xFF)" }.joined(separator: ".") }

    private func connect(_ stream: UInt32, _ address: UInt32, _ port: UInt16) {
        guard let exit = exits.first(where: { addresses[$0.name] == address && $0.port == port }) else {
            say("no --exit leads to \(addresses.first { $0.value == address }?.key ?? text(address)):\(port)")
            return events.append(.closed(stream: stream, .ENETUNREACH))
        }
        guard let connection = LoopbackConnection(port: exit.target) else {
            return events.append(.closed(stream: stream, .ECONNREFUSED))
        }
        streams[stream] = Stream(connection: connection)
        events.append(.connected(stream: stream))
    }

    public var isOpen: Bool { !events.isEmpty || !servers.isEmpty || streams.values.contains { $0.isRead || !$0.unwritten.isEmpty } }

    public func wait(_ nanoseconds: Int64, orInput: Bool) -> (events: [NetworkEvent], hasInput: Bool, passed: Int64) {
        let begun = ContinuousClock.now
        let milliseconds = events.isEmpty ? Int32(clamping: (max(0, nanoseconds) + 999_999) / 1_000_000) : 0
        let open = streams.values.filter(\.isRead).map(\.connection)
        let hasInput = LoopbackConnection.wait(
            reading: open, writing: streams.values.filter { !$0.unwritten.isEmpty }.map(\.connection), accepting: Array(servers.values),
            orInput: orInput, milliseconds: milliseconds)
        accept()
        write()
        read()
        defer { events = [] }
        let passed = (ContinuousClock.now - begun).components
        return (events, hasInput, passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000)
    }

    private func read() {
        for (number, stream) in streams.sorted(by: { $0.key < $1.key }) where stream.isRead {
            guard let bytes = stream.connection.read(milliseconds: 0, limitBytes: min(stream.roomBytes, BenchNetwork.chunkBytes)) else {
                if stream.connection.hasFailed {
                    streams[number] = nil
                    events.append(.closed(stream: number, .ECONNRESET))
                } else {
                    streams[number]?.hasEnded = true
                    events.append(.finished(stream: number))
                }
                continue
            }
            guard !bytes.isEmpty else { continue }
            streams[number]?.roomBytes -= bytes.count
            events.append(.received(stream: number, bytes))
        }
    }

    private func write() {
        for (number, stream) in streams.sorted(by: { $0.key < $1.key }) {
            if !stream.unwritten.isEmpty {
                guard let count = stream.connection.offer(Array(stream.unwritten.prefix(BenchNetwork.chunkBytes))) else {
                    streams[number] = nil
                    events.append(.closed(stream: number, .ECONNRESET))
                    continue
                }
                streams[number]?.unwritten.removeFirst(count)
                if count > 0 { events.append(.acknowledged(stream: number, bytes: count)) }
            }
            if stream.isFinishing, streams[number]?.unwritten.isEmpty ?? false {
                stream.connection.finish()
                streams[number]?.isFinishing = false
            }
            if stream.isClosing, streams[number]?.unwritten.isEmpty ?? false { streams[number] = nil }
        }
    }

    /// What the program had written before its end is still sent.
    func finish() {
        let begun = ContinuousClock.now
        while streams.values.contains(where: { !$0.unwritten.isEmpty }), ContinuousClock.now - begun < .seconds(5) {
            _ = wait(20_000_000, orInput: false)
        }
    }
}

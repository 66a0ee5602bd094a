import Formats

/// What programs do to the network: for whoever has one to carry out.
public enum NetworkAction: Equatable, Sendable {
    case connect(stream: UInt32, address: UInt32, port: UInt16)
    case listen(port: UInt16)
    case send(stream: UInt32, [UInt8])
    case close(stream: UInt32)
    /// Nothing more is sent; what comes is still taken.
    case finish(stream: UInt32)
    /// Room for so many bytes that are not given back by ``consumed(stream:bytes:)``.
    case window(stream: UInt32, bytes: Int)
    case consumed(stream: UInt32, bytes: Int)
    case datagram(fromPort: UInt16, address: UInt32, port: UInt16, [UInt8])
    case resolve(query: UInt32, name: String)
}

/// What comes back.
public enum NetworkEvent: Equatable, Sendable {
    case connected(stream: UInt32)
    case accepted(stream: UInt32, port: UInt16, address: UInt32, peerPort: UInt16)
    case received(stream: UInt32, [UInt8])
    /// The other side sends no more, and still takes what comes.
    case finished(stream: UInt32)
    /// So many bytes more of what was sent are with the other side's host.
    case acknowledged(stream: UInt32, bytes: Int)
    /// - Parameter error: nil if the other side has finished.
    case closed(stream: UInt32, Errno?)
    case datagram(port: UInt16, address: UInt32, peerPort: UInt16, [UInt8])
    case resolved(query: UInt32, address: UInt32?)
    /// No resolver has said anything.
    case unanswered(query: UInt32)
}

/// An address and a port, as sockaddr_in has them.
struct SocketAddress: Hashable {
    static let loopback: UInt32 = 0x7F00_0001
    var address: UInt32
    var port: UInt16

    var isLoopback: Bool { address >> 24 == 127 }
    /// 16 bytes: family, then port and address in the network's order.
    var record: [UInt8] {
        let big = { (value: UInt32) -> [UInt8] in value.littleEndianBytes.reversed() }
        return [2, 0] + [UInt8(port >> 8), UInt8(port & 0xFF)] + big(address) + [UInt8](repeating: 0, count: 8)
    }

    init(_ address: UInt32, _ port: UInt16) { (self.address, self.port) = (address, port) }

    init(_ bytes: [UInt8]) throws(Errno) {
        guard bytes.count >= 8 else { throw .EINVAL }
        guard bytes[0] == 2, bytes[1] == 0 else { throw .EAFNOSUPPORT }
        port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        address = bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The device's sockets, and the firewall before them: nothing goes out to a host, and nothing is let in on a port, that the
/// manifest does not list (NET-1).
final class NetworkStack {
    unowned let kernel: Kernel
    private var streams: [UInt32: StreamSocket] = [:]
    private var listeners: [UInt16: StreamSocket] = [:]
    private var datagrams: [UInt16: DatagramSocket] = [:]
    /// Questions of programs on their way: who asked, what and from where.
    private var queries: [UInt32: (socket: DatagramSocket, question: DNSQuestion)] = [:]
    /// Addresses that names from manifests had.
    private var known: Set<UInt32> = []
    private var nextStream: UInt32 = NetworkStack.firstStream
    private var nextPort: UInt16 = 49_152

    /// Numbers that no other part of a device uses for its own streams and questions.
    static let firstStream: UInt32 = 0x4000_0000
    static let nameServer = SocketAddress(SocketAddress.loopback, 53)

    init(_ kernel: Kernel) { self.kernel = kernel }

    func act(_ action: NetworkAction) throws(Errno) {
        guard let network = kernel.network else { throw .ENETUNREACH }
        network(action)
    }

    // MARK: The firewall

    func checkOut(_ to: SocketAddress, _ process: Process) throws(Errno) {
        guard !to.isLoopback, let grants = process.policy.grants else { return }
        if known.contains(to.address) { return }
        if grants.hosts.contains(where: { NetworkStack.address(of: $0) == to.address }) { return }
        kernel.deny("\(NetworkStack.text(to.address)):\(to.port)", process)
        throw .EPERM
    }

    func checkIn(_ port: UInt16, isStream: Bool, _ process: Process) throws(Errno) {
        guard let grants = process.policy.grants, port != 0 else { return }
        guard (isStream ? grants.tcpPorts : grants.udpPorts).contains(Int(port)) else {
            kernel.deny("port \(port)", process)
            throw .EACCES
        }
    }

    static func address(of text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) ?? 256 }
        return parts.count == 4 && parts.allSatisfy { $0 < 256 } ? parts.reduce(0) { $0 << 8 | $1 } : nil
    }
    static func text(_ address: UInt32) -> String { [24, 16, 8, 0].map { String(address >> $0 & 255) }.joined(separator: ".") }

    // MARK: Sockets come and go

    func port(_ wanted: UInt16, isTaken: (UInt16) -> Bool) throws(Errno) -> UInt16 {
        if wanted != 0 {
            if isTaken(wanted) { throw .EADDRINUSE }
            return wanted
        }
        for _ in 0..<16_384 {
            nextPort = nextPort == .max ? 49_152 : nextPort + 1
            if !isTaken(nextPort) { return nextPort }
        }
        throw .EADDRINUSE
    }

    func bind(_ socket: DatagramSocket, to port: UInt16) throws(Errno) -> UInt16 {
        let port = try self.port(port) { datagrams[$0] != nil }
        datagrams[port] = socket
        if let network = kernel.network { network(.listen(port: port)) }
        return port
    }

    func listen(_ socket: StreamSocket, on port: UInt16) throws(Errno) -> UInt16 {
        let port = try self.port(port) { listeners[$0] != nil && listeners[$0] !== socket }
        listeners[port] = socket
        if let network = kernel.network { network(.listen(port: port)) }
        return port
    }

    func connect(_ socket: StreamSocket, to: SocketAddress) throws(Errno) -> UInt32 {
        guard kernel.isLinked() else { throw .ENETUNREACH }
        let stream = nextStream
        nextStream += 1
        try act(.connect(stream: stream, address: to.address, port: to.port))
        try act(.window(stream: stream, bytes: StreamSocket.bufferBytes))
        streams[stream] = socket
        return stream
    }

    /// A program's own listener, for connections that do not leave the device.
    func listener(on port: UInt16) -> StreamSocket? { listeners[port] }

    func forget(_ stream: UInt32) {
        guard streams.removeValue(forKey: stream) != nil else { return }
        try? act(.close(stream: stream))
    }
    func forget(listener socket: StreamSocket) { listeners = listeners.filter { $0.value !== socket } }
    func forget(datagrams socket: DatagramSocket) { datagrams = datagrams.filter { $0.value !== socket } }

    func send(_ bytes: [UInt8], from socket: DatagramSocket, to: SocketAddress, _ process: Process) throws(Errno) {
        if to == NetworkStack.nameServer { return ask(bytes, socket, process) }
        try checkOut(to, process)
        if to.isLoopback {
            datagrams[to.port]?.deliver(bytes, from: SocketAddress(SocketAddress.loopback, socket.port))
            return kernel.changed()
        }
        try act(.datagram(fromPort: socket.port, address: to.address, port: to.port, bytes))
    }

    // MARK: Names

    /// The device's own resolver: it knows the names that a manifest lists, and no others (RFC 1035).
    private func ask(_ bytes: [UInt8], _ socket: DatagramSocket, _ process: Process) {
        guard let question = DNSQuestion(bytes) else { return }
        let isListed = process.policy.grants.map { question.isAllowed(by: $0.hosts) } ?? true
        guard isListed, kernel.isLinked(), let network = kernel.network else {
            if !isListed { kernel.deny(question.name, process) }
            socket.deliver(question.answer(nil), from: NetworkStack.nameServer)
            return kernel.changed()
        }
        if question.isOfServices {
            socket.deliver(
                question.answer(records: kernel.serviceRecords.compactMap { $0.data(for: question) }), from: NetworkStack.nameServer)
            return kernel.changed()
        }
        // Only addresses of version 4 are known.
        guard question.type == 1 else {
            socket.deliver(question.answer(nil, isEmpty: true), from: NetworkStack.nameServer)
            return kernel.changed()
        }
        queries[nextStream] = (socket, question)
        network(.resolve(query: nextStream, name: question.name))
        nextStream += 1
    }

    // MARK: What comes from outside

    func take(_ event: NetworkEvent) {
        defer { kernel.changed() }
        switch event {
        case .connected(let stream): streams[stream]?.connected()
        case .received(let stream, let bytes): streams[stream]?.received(bytes)
        case .finished(let stream): streams[stream]?.finished()
        case .acknowledged(let stream, let bytes): streams[stream]?.acknowledged(bytes)
        case .closed(let stream, let error): streams.removeValue(forKey: stream)?.closed(by: error)
        case .accepted(let stream, let port, let address, let peerPort):
            guard let listener = listeners[port], let socket = listener.accepted(SocketAddress(address, peerPort), stream: stream) else {
                try? act(.close(stream: stream))
                return
            }
            streams[stream] = socket
            try? act(.window(stream: stream, bytes: StreamSocket.bufferBytes))
        case .datagram(let port, let address, let peerPort, let bytes):
            datagrams[port]?.deliver(bytes, from: SocketAddress(address, peerPort))
        case .resolved(let query, let address):
            guard let (socket, question) = queries.removeValue(forKey: query) else { return }
            if let address { known.insert(address) }
            socket.deliver(question.answer(address), from: NetworkStack.nameServer)
        case .unanswered(let query):
            guard let (socket, question) = queries.removeValue(forKey: query) else { return }
            socket.deliver(question.failure, from: NetworkStack.nameServer)
        }
    }

    func owns(port: UInt16) -> Bool { listeners[port] != nil || datagrams[port] != nil }
}

/// A question for the address of a name, and its answer, in the wire's format (RFC 1035 section 4).
struct DNSQuestion {
    private let head: [UInt8]
    private let section: [UInt8]
    let name: String
    let type: UInt16

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 17, bytes[2] & 0x80 == 0, bytes[4] == 0, bytes[5] == 1 else { return nil }
        var labels: [String] = []
        var place = 12
        while place < bytes.count, bytes[place] != 0 {
            let length = Int(bytes[place])
            guard length < 64, place + 1 + length < bytes.count else { return nil }
            labels.append(String(decoding: bytes[(place + 1)...(place + length)], as: UTF8.self))
            place += length + 1
        }
        guard place + 4 < bytes.count, !labels.isEmpty else { return nil }
        name = labels.joined(separator: ".").lowercased()
        type = UInt16(bytes[place + 1]) << 8 | UInt16(bytes[place + 2])
        head = Array(bytes[..<2])
        section = Array(bytes[12...(place + 4)])
    }

    /// What a resolver says that could not ask anybody (SERVFAIL, RFC 1035 section 4.1.1): to programs `EAI_AGAIN`.
    var failure: [UInt8] { head + [0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0] + section }

    /// - Parameter isEmpty: The name is there, without an address of the kind asked for.
    func answer(_ address: UInt32?, isEmpty: Bool = false) -> [UInt8] {
        let code: UInt8 = address != nil || isEmpty ? 0 : 3
        var bytes = head + [0x81, 0x80 | code, 0, 1, 0, address == nil ? 0 : 1, 0, 0, 0, 0] + section
        if let address { bytes += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4] + address.littleEndianBytes.reversed() }
        return bytes
    }
}

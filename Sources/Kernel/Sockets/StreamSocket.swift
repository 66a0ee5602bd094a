import Formats

/// What sockets of all kinds are to system calls.
class Socket: OpenFile {
    let family: UInt16
    /// SO_RCVTIMEO in nanoseconds.
    var receiveTimeout: Int64?
    var pendingError: Errno?

    init(family: UInt16, flags: UInt32) {
        self.family = family
        super.init(flags: flags & OpenFile.isNonBlocking | OpenFile.readWrite)
    }

    override var mode: UInt32 { 0o140777 }
    var type: UInt32 { 1 }
    var isListening: Bool { false }
    func bind(_ address: [UInt8], _ process: Process) throws(Errno) { throw .EOPNOTSUPP }
    /// False while the connection is being made.
    func connect(_ address: [UInt8], _ process: Process) throws(Errno) -> Bool { throw .EOPNOTSUPP }
    func listen(_ process: Process) throws(Errno) { throw .EOPNOTSUPP }
    func accept() throws(Errno) -> Socket? { throw .EOPNOTSUPP }
    func send(_ bytes: [UInt8], to address: [UInt8]?, _ process: Process) throws(Errno) -> Int? { try write(bytes) }
    /// Bytes, and who they are from.
    func receive(_ count: Int, peek: Bool) throws(Errno) -> (bytes: [UInt8], from: [UInt8])? { throw .EOPNOTSUPP }
    func shutDown(_ how: UInt32) throws(Errno) { throw .ENOTCONN }
    var ownAddress: [UInt8] { family.littleEndianBytes }
    var peerAddress: [UInt8]? { nil }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? { try receive(count, peek: false)?.bytes }
}

/// TCP, and pairs of connected sockets inside the device.
final class StreamSocket: Socket {
    private enum State { case idle, listening, connecting, connected, broken }

    /// How much may wait to be read, or to arrive at the other side.
    static let bufferBytes = 64 << 10
    /// What has been read is told in steps of at least so much (RFC 9293 section 3.8.6.2.2).
    private static let stepBytes = bufferBytes / 4
    /// How many connections may wait to be accepted.
    private static let backlog = 16

    private let stack: NetworkStack
    private var state = State.idle
    private var stream: UInt32?
    /// The other end, if it is in this device.
    private weak var partner: StreamSocket?
    private var incoming: [UInt8] = []
    /// Of what the network has brought, how much it has not been told is read: no less than ``incoming``, since TLS takes some.
    private var unreported = 0
    /// Sent, and not yet with the other side's host.
    private var underway = 0
    private var hasEnded = false
    private var mayWrite = true
    private var waiting: [StreamSocket] = []
    private var own = SocketAddress(0, 0)
    private var peer: SocketAddress?
    private var secure: SecureLayer?

    init(_ stack: NetworkStack, family: UInt16, flags: UInt32) {
        self.stack = stack
        super.init(family: family, flags: flags)
    }

    /// Two that are connected (socketpair).
    static func pair(_ stack: NetworkStack, flags: UInt32) -> (StreamSocket, StreamSocket) {
        let ends = (StreamSocket(stack, family: 1, flags: flags), StreamSocket(stack, family: 1, flags: flags))
        ends.0.join(ends.1)
        return ends
    }

    private func join(_ other: StreamSocket) {
        (partner, other.partner) = (other, self)
        (state, other.state) = (.connected, .connected)
    }

    override var isListening: Bool { state == .listening }
    override var ownAddress: [UInt8] { family == 1 ? [1, 0] : own.record }
    override var peerAddress: [UInt8]? { state == .connected ? family == 1 ? [1, 0] : peer?.record : nil }

    override func bind(_ address: [UInt8], _ process: Process) throws(Errno) {
        guard state == .idle, own.port == 0 else { throw .EINVAL }
        // Sockets inside the device come in pairs, and have no names.
        guard family == 2 else { throw .EOPNOTSUPP }
        let wanted = try SocketAddress(address)
        try stack.checkIn(wanted.port, isStream: true, process)
        if wanted.port != 0, stack.listener(on: wanted.port) != nil { throw .EADDRINUSE }
        own = wanted
    }

    override func listen(_ process: Process) throws(Errno) {
        guard state == .idle || state == .listening else { throw .EINVAL }
        own.port = try stack.listen(self, on: own.port)
        state = .listening
    }

    override func connect(_ address: [UInt8], _ process: Process) throws(Errno) -> Bool {
        switch state {
        case .connected: throw .EISCONN
        case .listening: throw .EINVAL
        case .connecting: return false
        case .broken:
            let error = pendingError ?? .ECONNREFUSED
            (pendingError, state) = (nil, .idle)
            throw error
        case .idle: break
        }
        guard family == 2 else { throw .ENOENT }
        let to = try SocketAddress(address)
        try stack.checkOut(to, process)
        peer = to
        if to.isLoopback {
            guard let listener = stack.listener(on: to.port), listener.waiting.count < StreamSocket.backlog else { throw .ECONNREFUSED }
            let other = StreamSocket(stack, family: family, flags: 0)
            other.own = to
            other.peer = SocketAddress(SocketAddress.loopback, try stack.port(0) { _ in false })
            own = other.peer ?? own
            join(other)
            listener.waiting.append(other)
            return true
        }
        stream = try stack.connect(self, to: to)
        state = .connecting
        return false
    }

    override func accept() throws(Errno) -> Socket? {
        guard state == .listening else { throw .EINVAL }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }

    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        if let error = pendingError {
            pendingError = nil
            throw error
        }
        guard state == .connected else { throw state == .connecting ? .EAGAIN : .ENOTCONN }
        guard mayWrite else { throw .EPIPE }
        if let stream {
            guard !bytes.isEmpty else { return 0 }
            guard secure?.isOpen ?? true, underway < StreamSocket.bufferBytes else { return nil }
            let taken = Array(bytes.prefix(StreamSocket.bufferBytes - underway))
            if let secure {
                secure.send(taken)
                try flush(secure)
            } else {
                try send(taken, on: stream)
            }
            return taken.count
        }
        guard let partner, !partner.isClosed else { throw .EPIPE }
        let room = StreamSocket.bufferBytes - partner.incoming.count
        guard room > 0 else { return nil }
        partner.incoming += bytes.prefix(room)
        return min(room, bytes.count)
    }

    override func receive(_ count: Int, peek: Bool) throws(Errno) -> (bytes: [UInt8], from: [UInt8])? {
        guard state == .connected || state == .broken || !incoming.isEmpty else { throw .ENOTCONN }
        if incoming.isEmpty {
            if let error = pendingError {
                pendingError = nil
                throw error
            }
            return isAtEnd ? ([], []) : nil
        }
        let bytes = Array(incoming.prefix(count))
        if !peek {
            incoming.removeFirst(bytes.count)
            giveBack()
        }
        return (bytes, [])
    }

    /// Tells the network how much of what it has brought is read.
    private func giveBack() {
        let read = unreported - incoming.count
        guard let stream, read >= StreamSocket.stepBytes else { return }
        unreported -= read
        try? stack.act(.consumed(stream: stream, bytes: read))
    }

    override var takesAll: Bool { true }

    override var waitingBytes: Int? { incoming.count }
    private var isClosed: Bool { references == 0 }
    private var isAtEnd: Bool { hasEnded || state == .broken || stream == nil && (partner.map { $0.isClosed || !$0.mayWrite } ?? true) }

    override func shutDown(_ how: UInt32) throws(Errno) {
        guard state == .connected else { throw .ENOTCONN }
        if how > 0 {
            mayWrite = false
            // What was sent arrives first.
            try sayGoodbye()
            if let stream { try stack.act(.finish(stream: stream)) }
        }
        if how != 1 { hasEnded = true }
    }

    override var readiness: Readiness {
        if state == .listening { return waiting.isEmpty ? [] : [.input] }
        if state == .connecting { return [] }
        if state == .idle { return [.output, .hangUp] }
        var ready: Readiness = []
        if !incoming.isEmpty || isAtEnd { ready.insert(.input) }
        if pendingError != nil { ready.formUnion([.error, .input, .output]) }
        if isAtEnd { ready.insert(.peerClosed) }
        // As Linux says it: a third is free.
        if stream != nil && secure?.isOpen ?? true && underway <= StreamSocket.bufferBytes * 2 / 3
            || (stream == nil ? partner.map { StreamSocket.bufferBytes - $0.incoming.count > 0 } ?? true : false)
        {
            ready.insert(.output)
        }
        return ready
    }

    override func closed() {
        try? sayGoodbye()
        if let stream { stack.forget(stream) }
        if state == .listening { stack.forget(listener: self) }
        for socket in waiting {
            socket.retain()
            socket.release()
        }
    }

    // MARK: TLS

    /// From here on the program writes and reads what is inside. Writing waits until the handshake is done; if it fails, so does
    /// whatever the program tries next, with EPROTO.
    func secure(_ client: TLSClient, host: String) throws(Errno) {
        guard state == .connected, stream != nil, let peer else { throw .ENOTCONN }
        guard secure == nil, incoming.isEmpty else { throw .EALREADY }
        secure = SecureLayer(client, host: host, port: peer.port, stack.kernel)
        if let secure { try flush(secure) }
    }

    private func flush(_ secure: SecureLayer) throws(Errno) {
        let bytes = secure.takeOutput()
        if !bytes.isEmpty, let stream { try send(bytes, on: stream) }
    }

    private func send(_ bytes: [UInt8], on stream: UInt32) throws(Errno) {
        underway += bytes.count
        try stack.act(.send(stream: stream, bytes))
    }

    private func sayGoodbye() throws(Errno) {
        guard let secure, stream != nil else { return }
        secure.close()
        try flush(secure)
    }

    // MARK: What comes from the network

    func connected() { if state == .connecting { state = .connected } }
    func acknowledged(_ bytes: Int) { underway = max(0, underway - bytes) }
    func finished() { hasEnded = true }
    func received(_ bytes: [UInt8]) {
        unreported += bytes.count
        defer { giveBack() }
        guard let secure else {
            incoming += bytes
            return
        }
        incoming += secure.receive(bytes)
        try? flush(secure)
        if secure.isOver { hasEnded = true }
        guard secure.hasFailed, state == .connected else { return }
        (pendingError, state) = (.EPROTO, .broken)
        if let stream { stack.forget(stream) }
    }
    func closed(by error: Errno?) {
        stream = nil
        hasEnded = true
        secure?.broken()
        if let secure, !secure.isOpen, state == .connected { (pendingError, state) = (.EPROTO, .broken) }
        if state == .connecting || error != nil { pendingError = error ?? .ECONNREFUSED }
        // What was written and has not arrived is lost, as when a host answers data for what is closed.
        if state == .connected, error == nil, underway > 0 { pendingError = .ECONNRESET }
        if state == .connecting { state = .broken }
    }

    func accepted(_ from: SocketAddress, stream: UInt32) -> StreamSocket? {
        guard state == .listening, waiting.count < StreamSocket.backlog else { return nil }
        let socket = StreamSocket(stack, family: family, flags: 0)
        (socket.state, socket.stream, socket.own, socket.peer) = (.connected, stream, own, from)
        waiting.append(socket)
        return socket
    }
}

/// UDP.
final class DatagramSocket: Socket {
    private static let longestQueue = 64
    private static let longestDatagram = 1472
    private let stack: NetworkStack
    private(set) var port: UInt16 = 0
    private var peer: SocketAddress?
    private var waiting: [(bytes: [UInt8], from: SocketAddress)] = []

    init(_ stack: NetworkStack, flags: UInt32) {
        self.stack = stack
        super.init(family: 2, flags: flags)
    }

    override var type: UInt32 { 2 }
    override var ownAddress: [UInt8] { SocketAddress(0, port).record }
    override var peerAddress: [UInt8]? { peer?.record }

    override func bind(_ address: [UInt8], _ process: Process) throws(Errno) {
        guard port == 0 else { throw .EINVAL }
        let wanted = try SocketAddress(address)
        try stack.checkIn(wanted.port, isStream: false, process)
        port = try stack.bind(self, to: wanted.port)
    }

    override func connect(_ address: [UInt8], _ process: Process) throws(Errno) -> Bool {
        if address.count >= 2, address[0] == 0 {
            peer = nil
            return true
        }
        let to = try SocketAddress(address)
        try stack.checkOut(to, process)
        peer = to
        return true
    }

    override func send(_ bytes: [UInt8], to address: [UInt8]?, _ process: Process) throws(Errno) -> Int? {
        let to = try address.map { bytes throws(Errno) in try SocketAddress(bytes) } ?? peer
        guard let to else { throw .EDESTADDRREQ }
        guard bytes.count <= DatagramSocket.longestDatagram else { throw .EMSGSIZE }
        if port == 0 { port = try stack.bind(self, to: 0) }
        try stack.send(bytes, from: self, to: to, process)
        return bytes.count
    }

    override func receive(_ count: Int, peek: Bool) throws(Errno) -> (bytes: [UInt8], from: [UInt8])? {
        guard let first = waiting.first else { return nil }
        if !peek { waiting.removeFirst() }
        return (Array(first.bytes.prefix(count)), first.from.record)
    }

    override var waitingBytes: Int? { waiting.first?.bytes.count ?? 0 }

    func deliver(_ bytes: [UInt8], from: SocketAddress) {
        if let peer, peer != from { return }
        if waiting.count < DatagramSocket.longestQueue { waiting.append((bytes, from)) }
    }

    override var readiness: Readiness { waiting.isEmpty ? [.output] : [.input, .output] }
    override func closed() { stack.forget(datagrams: self) }
}

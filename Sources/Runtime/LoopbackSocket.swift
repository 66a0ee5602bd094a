import Glibc

/// TCP on 127.0.0.1 that never blocks.
public enum LoopbackSocket {
    public enum Read {
        case bytes([UInt8]), later, ended
        /// The connection is gone without an end (RST): something may be missing.
        case failed
    }

    private static let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

    /// - Parameter port: 0 for one that the system chooses.
    public static func listen(port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return nil }
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let isBound = unsafe withAddress(port) { unsafe bind(descriptor, $0, $1) } == 0
        guard isBound, Glibc.listen(descriptor, 64) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// Begins to connect; whether it comes about is seen when it is read from or written to.
    public static func connect(port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { return nil }
        let result = unsafe withAddress(port) { unsafe Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// 127.0.0.1 and a port, as calls on sockets want it.
    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The port that a socket is bound to; 0 if it is to none.
    public static func port(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe _ = getsockname(descriptor, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Somebody who waits to be let in; nil for nobody.
    public static func accept(_ descriptor: Int32) -> Int32? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        return accepted
    }

    /// - Parameter limit: The most bytes to take.
    public static func read(_ descriptor: Int32, _ limit: Int) -> Read {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe recv(descriptor, &bytes, limit, 0)
        if count > 0 { return .bytes(Array(bytes.prefix(count))) }
        return count == 0 ? .ended : errno == EAGAIN || errno == EINTR ? .later : .failed
    }

    /// Nothing more is written; what comes is still read.
    public static func finish(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

    /// - Parameter what: `POLLIN` or `POLLOUT`.
    public static func wait(_ descriptor: Int32, _ what: Int32, _ milliseconds: Int32) {
        var one = pollfd(fd: descriptor, events: Int16(what), revents: 0)
        unsafe _ = poll(&one, 1, milliseconds)
    }

    /// How many bytes were taken; nil if nobody reads any more.
    public static func write(_ descriptor: Int32, _ bytes: [UInt8]) -> Int? {
        guard !bytes.isEmpty else { return 0 }
        let count = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }
}

/// One connection on 127.0.0.1, whose calls wait.
public final class LoopbackConnection {
    private let descriptor: Int32
    /// It is gone without an end: something may be missing.
    public private(set) var hasFailed = false

    fileprivate init(descriptor: Int32) { self.descriptor = descriptor }

    /// To a port; nil if nobody listens there.
    public convenience init?(port: UInt16) {
        guard let descriptor = LoopbackSocket.connect(port: port) else { return nil }
        self.init(descriptor: descriptor)
        var (error, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        waitUntil(POLLOUT, milliseconds: 5_000)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        if error != 0 { return nil }
    }

    deinit { close(descriptor) }

    /// What has come within a time, -1 for as long as it takes; nil if nobody is there any more.
    public func read(milliseconds: Int32, limitBytes: Int = 65_536) -> [UInt8]? {
        waitUntil(POLLIN, milliseconds: milliseconds)
        switch LoopbackSocket.read(descriptor, limitBytes) {
        case .bytes(let bytes): return bytes
        case .later: return []
        case .ended: return nil
        case .failed:
            hasFailed = true
            return nil
        }
    }

    /// Nothing more is written; what comes is still read.
    public func finish() { LoopbackSocket.finish(descriptor) }

    public func write(_ bytes: [UInt8]) {
        var left = bytes[...]
        while !left.isEmpty, let count = LoopbackSocket.write(descriptor, Array(left)) {
            left = left.dropFirst(count)
            if !left.isEmpty { waitUntil(POLLOUT, milliseconds: -1) }
        }
    }

    /// As much as is taken at once; nil if nobody reads any more.
    public func offer(_ bytes: [UInt8]) -> Int? { LoopbackSocket.write(descriptor, bytes) }

    /// Waits until something can be read on one of several connections or written on others, or somebody connects to one of several
    /// servers, or on standard input where that is wanted, or time is up.
    /// - Returns: Whether standard input has something, or has ended.
    public static func wait(
        reading: [LoopbackConnection], writing: [LoopbackConnection], accepting: [LoopbackServer] = [], orInput: Bool,
        milliseconds: Int32
    ) -> Bool {
        var all = reading.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        all += writing.map { pollfd(fd: $0.descriptor, events: Int16(POLLOUT), revents: 0) }
        all += accepting.map { pollfd(fd: $0.listener, events: Int16(POLLIN), revents: 0) }
        if orInput { all.append(pollfd(fd: 0, events: Int16(POLLIN), revents: 0)) }
        unsafe _ = poll(&all, nfds_t(all.count), milliseconds)
        return orInput && all.last.map { $0.revents != 0 } ?? false
    }

    private func waitUntil(_ what: Int32, milliseconds: Int32) { LoopbackSocket.wait(descriptor, what, milliseconds) }
}

/// A port of 127.0.0.1 that somebody may connect to, such as a debugger.
public final class LoopbackServer {
    fileprivate let listener: Int32

    /// - Parameter port: 0 for one that the system chooses. Nil if it is taken.
    public init?(port: UInt16) {
        guard let descriptor = LoopbackSocket.listen(port: port) else { return nil }
        listener = descriptor
    }

    deinit { close(listener) }

    public var port: UInt16 { LoopbackSocket.port(of: listener) }

    /// Waits for somebody to connect.
    public func accept() -> LoopbackConnection? {
        LoopbackSocket.wait(listener, POLLIN, -1)
        return acceptWaiting()
    }

    /// Somebody who has connected already.
    public func acceptWaiting() -> LoopbackConnection? {
        LoopbackSocket.accept(listener).map(LoopbackConnection.init(descriptor:))
    }
}

import CZeroMQ
import Glibc
public import Wire

public enum BusError: Error, Equatable, Sendable {
    case cannotBind(endpoint: String, reason: String)
    case cannotConnect(endpoint: String, reason: String)
    case failed(String)
}

/// One ZeroMQ socket, owned by the thread that made it.
///
/// ZeroMQ's defaults would falsify an experiment, so all that matter are set here: how long a closing socket
/// lingers, how many messages wait (a full queue is told, not hidden), and that a router refuses an unknown
/// peer in place of dropping its message.
@safe public final class Bus {
    /// Messages that wait for one peer before a send is refused.
    private static let highWaterMark: Int32 = 100_000
    private let context: UnsafeMutableRawPointer
    private let socket: UnsafeMutableRawPointer
    private let isRouter: Bool
    private var isClosed = false

    /// A node's end: speaks to whoever is bound to the endpoint, under its own name.
    public init(connect endpoint: String, as name: String) throws(BusError) {
        isRouter = false
        unsafe context = zmq_ctx_new()
        unsafe socket = zmq_socket(context, ZMQ_DEALER)
        let identity = Array(name.utf8)
        unsafe _ = zmq_setsockopt(socket, ZMQ_ROUTING_ID, identity, identity.count)
        configure(lingerMilliseconds: 2_000)
        guard unsafe zmq_connect(socket, endpoint) == 0 else {
            throw .cannotConnect(endpoint: endpoint, reason: Bus.reason)
        }
    }

    /// The middle's end.
    public init(bind endpoint: String) throws(BusError) {
        isRouter = true
        unsafe context = zmq_ctx_new()
        unsafe socket = zmq_socket(context, ZMQ_ROUTER)
        configure(lingerMilliseconds: 2_000)
        set(ZMQ_ROUTER_MANDATORY, 1)
        guard unsafe zmq_bind(socket, endpoint) == 0 else {
            throw .cannotBind(endpoint: endpoint, reason: Bus.reason)
        }
    }

    deinit { close() }

    /// Waits until what was sent has left, or the linger time is over. Globals of a program are never
    /// deinitialised, so event loops call this at their end.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        unsafe _ = zmq_close(socket)
        unsafe _ = zmq_ctx_term(context)
    }

    private func configure(lingerMilliseconds: Int32) {
        set(ZMQ_LINGER, lingerMilliseconds)
        set(ZMQ_SNDHWM, Bus.highWaterMark)
        set(ZMQ_RCVHWM, Bus.highWaterMark)
        set(ZMQ_RECONNECT_IVL, 5)
        // Up to here an oversize frame is refused by name; beyond it ZeroMQ cuts the sender off unread.
        var limit = Int64(4 * Frame.maximumBytes)
        unsafe _ = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &limit, MemoryLayout<Int64>.size)
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        unsafe _ = zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
    }

    private static var reason: String { unsafe String(cString: zmq_strerror(zmq_errno())) }

    /// Sends a frame; `peer` names the receiver at a router. False if nobody took it.
    public func send(_ frame: Frame, to peer: String? = nil) -> Bool { send(raw: frame.encoded(), to: peer) }

    public func send(raw bytes: [UInt8], to peer: String? = nil) -> Bool {
        if let peer {
            let name = Array(peer.utf8)
            guard retry({ unsafe zmq_send(socket, name, name.count, ZMQ_SNDMORE | ZMQ_DONTWAIT) }) else {
                return false
            }
        }
        return retry { unsafe zmq_send(socket, bytes, bytes.count, isRouter ? ZMQ_DONTWAIT : 0) }
    }

    private func retry(_ call: () -> Int32) -> Bool {
        while call() < 0 { if zmq_errno() != EINTR { return false } }
        return true
    }

    /// Waits for a message. Nil when the time is over; a negative time waits for ever.
    public func receive(milliseconds: Int) -> (peer: String, bytes: [UInt8])? {
        var item = unsafe zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        guard unsafe zmq_poll(&item, 1, milliseconds) > 0 else { return nil }
        var parts: [[UInt8]] = []
        repeat { parts.append(receivePart()) } while hasMore
        let peer = isRouter ? String(decoding: parts.first ?? [], as: UTF8.self) : ""
        return (peer, parts.last ?? [])
    }

    /// Waits until a message or one of the descriptors is ready; the descriptors that are.
    public func wait(readable: [Int32], writable: [Int32], milliseconds: Int = -1) -> Set<Int32> {
        var items = unsafe [zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)]
        for descriptor in readable {
            unsafe items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        for descriptor in writable {
            unsafe items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLOUT), revents: 0))
        }
        guard unsafe zmq_poll(&items, Int32(items.count), milliseconds) > 0 else { return [] }
        return Set(unsafe items.dropFirst().filter { unsafe $0.revents != 0 }.map { unsafe $0.fd })
    }

    private func receivePart() -> [UInt8] {
        var message = zmq_msg_t()
        unsafe _ = zmq_msg_init(&message)
        defer { unsafe _ = zmq_msg_close(&message) }
        guard unsafe zmq_msg_recv(&message, socket, 0) >= 0 else { return [] }
        let count = unsafe zmq_msg_size(&message)
        guard count > 0, let data = unsafe zmq_msg_data(&message) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: data, count: count))
    }

    private var hasMore: Bool {
        var more: Int32 = 0
        var size = MemoryLayout<Int32>.size
        unsafe _ = zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size)
        return more != 0
    }
}

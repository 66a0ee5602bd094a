import Kernel
public import Wire

/// The network as apps have it: their sockets are streams and datagrams of the device's.
extension AppHost {
    /// What apps want of the network, after they have run.
    mutating func carryOut(_ actions: [NetworkAction], of app: Int, _ out: inout Outbox) {
        for action in actions {
            switch action {
            case .connect(let stream, let address, let port):
                let outer = streams.outer(stream, of: app)
                streams.asked(outer, for: port)
                out.act(.connect(StreamID(raw: outer), to: Endpoint(Address(bits: address), port)))
            case .listen(let port): out.act(.listen(port: port))
            case .send(let stream, let bytes): out.act(.send(StreamID(raw: streams.outer(stream, of: app)), bytes))
            case .close(let stream):
                let outer = streams.outer(stream, of: app)
                out.act(.close(StreamID(raw: outer)))
                streams.forget(outer)
            case .finish(let stream): out.act(.finish(StreamID(raw: streams.outer(stream, of: app))))
            case .window(let stream, let bytes):
                out.act(.window(StreamID(raw: streams.outer(stream, of: app)), bytes: UInt32(clamping: bytes)))
            case .consumed(let stream, let bytes):
                out.act(.consumed(StreamID(raw: streams.outer(stream, of: app)), bytes: UInt32(clamping: bytes)))
            case .datagram(let from, let address, let port, let bytes):
                out.act(.datagram(fromPort: from, to: Endpoint(Address(bits: address), port), bytes))
            case .resolve(let query, let name): out.act(.resolve(query: streams.outer(query, of: app), name: name))
            }
        }
    }

    /// True if an event is an app's; it then runs as soon as it can.
    public mutating func deliver(_ event: Event, _ now: Instant) -> Bool {
        guard !apps.isEmpty else { return false }
        switch event {
        case .connected(let stream, let local):
            for app in apps { app.address = local.address.bits }
            streams.opened(stream.raw, local: local)
            return pass(stream.raw, now) { .connected(stream: $0) }
        case .received(let stream, let bytes): return pass(stream.raw, now) { .received(stream: $0, bytes) }
        case .finished(let stream): return pass(stream.raw, now) { .finished(stream: $0) }
        case .acknowledged(let stream, let bytes):
            return pass(stream.raw, now) { .acknowledged(stream: $0, bytes: Int(bytes)) }
        case .closed(let stream, let end):
            let error: Errno? =
                switch end {
                case .finished: nil
                case .reset: .ECONNRESET
                case .refused: .ECONNREFUSED
                case .timedOut: .ETIMEDOUT
                case .unreachable: .ENETUNREACH
                }
            defer { streams.forget(stream.raw) }
            return pass(stream.raw, now) { .closed(stream: $0, error) }
        case .accepted(let stream, let port, let from):
            guard let app = apps.firstIndex(where: { $0.owns(port: port) }) else { return false }
            _ = streams.outer(stream.raw, of: app)
            streams.accepted(stream.raw, Connection(from, to: port))
            apps[app].take(.accepted(stream: stream.raw, port: port, address: from.address.bits, peerPort: from.port), at: now)
            return true
        case .datagram(let port, let from, let bytes):
            guard let app = apps.first(where: { $0.owns(port: port) }) else { return false }
            app.take(.datagram(port: port, address: from.address.bits, peerPort: from.port, bytes), at: now)
            return true
        case .resolved(let query, let address):
            defer { streams.forget(query) }
            return pass(query, now) { .resolved(query: $0, address: address?.bits) }
        case .unanswered(let query):
            defer { streams.forget(query) }
            return pass(query, now) { .unanswered(query: $0) }
        default: return false
        }
    }

    private func pass(_ outer: UInt32, _ now: Instant, _ event: (UInt32) -> NetworkEvent) -> Bool {
        guard let (app, number) = streams.owner(outer), app < apps.count else { return false }
        apps[app].take(event(number), at: now)
        return true
    }
}

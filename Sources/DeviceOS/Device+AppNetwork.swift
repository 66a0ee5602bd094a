import Kernel
import Wire

/// The network as apps have it: their sockets are streams and datagrams of the device's.
extension Device {
    /// Whose a stream or a question is: which app's, and under which number the app knows it. Apps count from the same number.
    struct AppStreams {
        private var byApp: [Int: [UInt32: UInt32]] = [:]
        private var owners: [UInt32: (app: Int, number: UInt32)] = [:]
        private var next: UInt32 = 0x4000_0000
        /// Where streams lead that apps have asked for.
        private var ports: [UInt32: UInt16] = [:]
        private var connections: [UInt32: Connection] = [:]

        mutating func asked(_ outer: UInt32, for port: UInt16) { ports[outer] = port }
        mutating func opened(_ outer: UInt32, local: Endpoint) { connections[outer] = ports[outer].map { Connection(local, to: $0) } }
        mutating func accepted(_ outer: UInt32, _ connection: Connection) { connections[outer] = connection }

        /// Those of an app's that are open, for whoever asks what it was doing.
        func connections(of app: Int) -> [Connection] {
            connections.filter { owners[$0.key]?.app == app }.sorted { $0.key < $1.key }.map(\.value)
        }

        mutating func outer(_ number: UInt32, of app: Int) -> UInt32 {
            if let known = byApp[app]?[number] { return known }
            // What the fabric has numbered keeps its number.
            let outer = number & StreamID.accepted != 0 ? number : next
            if outer == next { next += 1 }
            byApp[app, default: [:]][number] = outer
            owners[outer] = (app, number)
            return outer
        }

        func owner(_ outer: UInt32) -> (app: Int, number: UInt32)? { owners[outer] }

        /// The apps are gone; numbers are not given twice.
        mutating func forgetAll() { (byApp, owners, ports, connections) = ([:], [:], [:], [:]) }

        mutating func forget(_ outer: UInt32) {
            guard let (app, number) = owners.removeValue(forKey: outer) else { return }
            byApp[app]?[number] = nil
            (ports[outer], connections[outer]) = (nil, nil)
        }
    }

    /// What apps want of the network, after they have run.
    mutating func carryOut(_ actions: [NetworkAction], of app: Int, _ out: inout Outbox) {
        for action in actions {
            switch action {
            case .connect(let stream, let address, let port):
                let outer = appStreams.outer(stream, of: app)
                appStreams.asked(outer, for: port)
                out.act(.connect(StreamID(raw: outer), to: Endpoint(Address(bits: address), port)))
            case .listen(let port): out.act(.listen(port: port))
            case .send(let stream, let bytes): out.act(.send(StreamID(raw: appStreams.outer(stream, of: app)), bytes))
            case .close(let stream):
                let outer = appStreams.outer(stream, of: app)
                out.act(.close(StreamID(raw: outer)))
                appStreams.forget(outer)
            case .finish(let stream): out.act(.finish(StreamID(raw: appStreams.outer(stream, of: app))))
            case .window(let stream, let bytes):
                out.act(.window(StreamID(raw: appStreams.outer(stream, of: app)), bytes: UInt32(clamping: bytes)))
            case .consumed(let stream, let bytes):
                out.act(.consumed(StreamID(raw: appStreams.outer(stream, of: app)), bytes: UInt32(clamping: bytes)))
            case .datagram(let from, let address, let port, let bytes):
                out.act(.datagram(fromPort: from, to: Endpoint(Address(bits: address), port), bytes))
            case .resolve(let query, let name): out.act(.resolve(query: appStreams.outer(query, of: app), name: name))
            }
        }
    }

    /// True if an event is an app's; it then runs as soon as it can.
    mutating func deliver(_ event: Event, _ out: inout Outbox) -> Bool {
        guard !apps.isEmpty else { return false }
        switch event {
        case .connected(let stream, let local):
            for app in apps { app.address = local.address.bits }
            appStreams.opened(stream.raw, local: local)
            return pass(stream.raw, out.now) { .connected(stream: $0) }
        case .received(let stream, let bytes): return pass(stream.raw, out.now) { .received(stream: $0, bytes) }
        case .finished(let stream): return pass(stream.raw, out.now) { .finished(stream: $0) }
        case .acknowledged(let stream, let bytes):
            return pass(stream.raw, out.now) { .acknowledged(stream: $0, bytes: Int(bytes)) }
        case .closed(let stream, let end):
            let error: Errno? =
                switch end {
                case .finished: nil
                case .reset: .ECONNRESET
                case .refused: .ECONNREFUSED
                case .timedOut: .ETIMEDOUT
                case .unreachable: .ENETUNREACH
                }
            defer { appStreams.forget(stream.raw) }
            return pass(stream.raw, out.now) { .closed(stream: $0, error) }
        case .accepted(let stream, let port, let from):
            guard let app = apps.firstIndex(where: { $0.owns(port: port) }) else { return false }
            _ = appStreams.outer(stream.raw, of: app)
            appStreams.accepted(stream.raw, Connection(from, to: port))
            apps[app].take(.accepted(stream: stream.raw, port: port, address: from.address.bits, peerPort: from.port), at: out.now)
            return true
        case .datagram(let port, let from, let bytes):
            guard let app = apps.first(where: { $0.owns(port: port) }) else { return false }
            app.take(.datagram(port: port, address: from.address.bits, peerPort: from.port, bytes), at: out.now)
            return true
        case .resolved(let query, let address):
            defer { appStreams.forget(query) }
            return pass(query, out.now) { .resolved(query: $0, address: address?.bits) }
        default: return false
        }
    }

    private func pass(_ outer: UInt32, _ now: Instant, _ event: (UInt32) -> NetworkEvent) -> Bool {
        guard let (app, number) = appStreams.owner(outer), app < apps.count else { return false }
        apps[app].take(event(number), at: now)
        return true
    }
}

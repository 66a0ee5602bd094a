public import Configuration
import Glibc
import Logging
public import Runtime
import Wire

/// A node that is a door between the emulated network and TCP on loopback, either way: each connection to one of its ports
/// becomes a stream to a node. On the wall clock only, since real programs do not wait for virtual time.
@safe public struct GatewayProcess {
    private struct Listener {
        var descriptor: Int32
        var door: GatewayConfiguration.Door
        var address: Address?
    }

    private struct Connection {
        var descriptor: Int32
        var isOpen = false
        /// TCP bytes that came before the stream was open.
        var waiting: [UInt8] = []
        /// Bytes of the stream that TCP has not taken yet.
        var unwritten: [UInt8] = []
        /// Bytes of the stream that TCP has taken since the other side was told.
        var unreported = 0
        /// Bytes of TCP that are not with the other side yet.
        var underway = 0
        /// TCP sends no more, or the stream does.
        var hasEnded = false
        var isFinishing = false
        var isEnding = false
    }

    private static let chunkBytes = 16 << 10
    /// What may wait here for the stream's other side, and for TCP; whoever sends more waits himself.
    private static let bufferBytes = 256 << 10

    private let bus: Bus
    private let name: String
    private let log: Logger
    private var clock = WallClock()
    private var sequence: UInt64 = 0
    private var listeners: [Listener] = []
    private var connections: [StreamID: Connection] = [:]
    private var nextStream: UInt32 = 1
    private var effects: [Effect] = []
    private let exits: [GatewayConfiguration.Exit]

    public init(_ configuration: GatewayConfiguration, startup: Startup) throws(BusError) {
        name = configuration.setting.name
        log = Logger(label: name)
        exits = configuration.exits
        bus = try Bus(connect: startup.endpoint, as: PeerName.of(name, startup.generation))
        for door in configuration.doors {
            guard let descriptor = LoopbackSocket.listen(port: door.port) else {
                throw .cannotBind(endpoint: "127.0.0.1:\(door.port)", reason: "the port is taken or not allowed")
            }
            listeners.append(Listener(descriptor: descriptor, door: door))
        }
        _ = bus.send(.hello(Hello(node: name, generation: startup.generation, publicIdentity: "")))
    }

    /// Returns when the injector says stop.
    public mutating func run() {
        defer { bus.close() }
        while true {
            let readable = listeners.filter { $0.address != nil }.map(\.descriptor) + connections.values.filter(takesMore).map(\.descriptor)
            let writable = connections.values.filter { !$0.unwritten.isEmpty }.map(\.descriptor)
            let ready = bus.wait(readable: readable, writable: writable)
            while let (_, bytes) = bus.receive(milliseconds: 0) {
                guard let frame = try? Frame(bytes: bytes) else {
                    log.error("refused a frame")
                    continue
                }
                if !take(frame) { return }
            }
            for index in listeners.indices where ready.contains(listeners[index].descriptor) { accept(listeners[index]) }
            for (stream, connection) in connections.sorted(by: { $0.key < $1.key }) where ready.contains(connection.descriptor) {
                if !connection.unwritten.isEmpty { write(stream) }
                if connections[stream].map(takesMore) ?? false { read(stream) }
            }
            if !effects.isEmpty { _ = bus.send(.effects(effects)) }
            effects = []
        }
    }

    private mutating func act(_ action: Action) {
        effects.append(Effect(at: clock.now, sequence: sequence, action: action))
        sequence += 1
    }

    private mutating func take(_ frame: Frame) -> Bool {
        switch frame {
        case .welcome(_, let now): clock = WallClock(now: now)
        case .deliver(let deliveries): for delivery in deliveries { handle(delivery.event) }
        case .stop: return false
        default: log.error("a frame that is not for a gateway")
        }
        return true
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .start:
            for (index, listener) in listeners.enumerated() { act(.resolve(query: UInt32(index), name: listener.door.host)) }
            for exit in exits { act(.listen(port: exit.port)) }
        case .accepted(let stream, let port, _): leave(stream, port)
        case .resolved(let query, let address): resolved(Int(query), address)
        case .unanswered(let query):
            if listeners.indices.contains(Int(query)) { act(.resolve(query: query, name: listeners[Int(query)].door.host)) }
        case .connected(let stream, _):
            connections[stream]?.isOpen = true
            act(.window(stream, bytes: UInt32(GatewayProcess.bufferBytes)))
            if let waiting = connections[stream]?.waiting, !waiting.isEmpty { act(.send(stream, waiting)) }
        case .received(let stream, let bytes):
            connections[stream]?.unwritten += bytes
            write(stream)
        case .acknowledged(let stream, let bytes):
            let left = (connections[stream]?.underway ?? 0) - Int(bytes)
            connections[stream]?.underway = max(0, left)
        case .finished(let stream):
            connections[stream]?.isFinishing = true
            write(stream)
        case .closed(let stream, _):
            connections[stream]?.isEnding = true
            write(stream)
        default: break
        }
    }

    private mutating func resolved(_ index: Int, _ address: Address?) {
        guard listeners.indices.contains(index) else { return }
        guard let address else {
            log.error("no node is called \(listeners[index].door.host)")
            return
        }
        listeners[index].address = address
        let port = LoopbackSocket.port(of: listeners[index].descriptor)
        act(
            .observe(
                Fact(
                    .gatewayOpen,
                    [.port: .number(Int64(port)), .target: .text("\(listeners[index].door.host):\(listeners[index].door.targetPort)")])))
    }

    // MARK: TCP

    /// From the emulated network to a program on this machine.
    private mutating func leave(_ stream: StreamID, _ port: UInt16) {
        guard let exit = exits.first(where: { $0.port == port }), let descriptor = LoopbackSocket.connect(port: exit.targetPort) else {
            return act(.close(stream))
        }
        connections[stream] = Connection(descriptor: descriptor, isOpen: true)
        act(.window(stream, bytes: UInt32(GatewayProcess.bufferBytes)))
    }

    private mutating func accept(_ listener: Listener) {
        guard let address = listener.address, let descriptor = LoopbackSocket.accept(listener.descriptor) else { return }
        let stream = StreamID(raw: nextStream)
        nextStream += 1
        connections[stream] = Connection(descriptor: descriptor)
        act(.connect(stream, to: Endpoint(address, listener.door.targetPort)))
    }

    private func takesMore(_ connection: Connection) -> Bool {
        connection.isOpen && !connection.hasEnded && connection.underway < GatewayProcess.bufferBytes
    }

    private mutating func read(_ stream: StreamID) {
        guard let descriptor = connections[stream]?.descriptor else { return }
        switch LoopbackSocket.read(descriptor, GatewayProcess.chunkBytes) {
        case .bytes(let bytes):
            connections[stream]?.underway += bytes.count
            act(.send(stream, bytes))
        case .later: break
        case .failed:
            act(.reset(stream))
            end(stream)
        // It may still read: what comes from the stream shows that.
        case .ended:
            connections[stream]?.hasEnded = true
            act(.finish(stream))
            write(stream)
        }
    }

    private mutating func write(_ stream: StreamID) {
        guard let connection = connections[stream] else { return }
        guard let written = LoopbackSocket.write(connection.descriptor, connection.unwritten) else {
            act(.reset(stream))
            end(stream)
            return
        }
        connections[stream]?.unwritten.removeFirst(written)
        let unreported = connection.unreported + written
        let isEmpty = connection.unwritten.count == written
        connections[stream]?.unreported = unreported
        if unreported > 0, isEmpty || unreported >= GatewayProcess.chunkBytes {
            connections[stream]?.unreported = 0
            act(.consumed(stream, bytes: UInt32(unreported)))
        }
        guard isEmpty else { return }
        if connection.isEnding || connection.isFinishing && connection.hasEnded { return end(stream) }
        if connection.isFinishing { LoopbackSocket.finish(connection.descriptor) }
    }

    private mutating func end(_ stream: StreamID) {
        if let connection = connections.removeValue(forKey: stream) { close(connection.descriptor) }
    }
}

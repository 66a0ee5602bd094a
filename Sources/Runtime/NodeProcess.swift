import Logging
public import Wire

/// The event loop of a process that is one node: receive → handle → effects.
public struct NodeProcess<Body: Node> {
    private var runner: NodeRunner<Body>
    private let bus: Bus
    private let log: Logger
    private var clock: WallClock?
    private let cable: ServiceCable?
    private var lines: SerialLines
    /// Of the cables, on this machine, by the node's own port.
    public var cablePorts: [UInt16: UInt16] { cable?.ports ?? [:] }

    /// - Parameters:
    ///   - cablePorts: The node's ports that a cable can be plugged into, in wall time.
    ///   - lines: Its UARTs that lead outside, in wall time.
    public init(
        _ node: Body, name: String, publicIdentity: String, marks: [String] = [], startup: Startup, cablePorts: [UInt16] = [],
        lines: SerialLines = SerialLines()
    ) throws(BusError) {
        runner = NodeRunner(node)
        self.lines = lines
        cable = ServiceCable(nodePorts: cablePorts)
        bus = try Bus(connect: startup.endpoint, as: PeerName.of(name, startup.generation))
        log = Logger(label: name)
        _ = bus.send(
            .hello(Hello(node: name, generation: startup.generation, publicIdentity: publicIdentity, marks: marks)))
    }

    /// Returns when the injector says stop.
    public mutating func run() {
        defer { bus.close() }
        while true {
            if isOutside {
                _ = bus.wait(
                    readable: lines.readable + (cable?.readable ?? []), writable: lines.writable + (cable?.writable ?? []),
                    milliseconds: patience)
            }
            guard let (_, bytes) = bus.receive(milliseconds: isOutside ? 0 : patience) else {
                wake()
                serveOutside()
                continue
            }
            do {
                if !take(try Frame(bytes: bytes)) { return }
            } catch {
                log.error("refused a frame: \(error)")
            }
        }
    }

    private mutating func take(_ frame: Frame) -> Bool {
        switch frame {
        case .welcome(.wall, let now): clock = WallClock(now: now)
        case .welcome(.virtual, _): break
        case .grant(let grant): _ = bus.send(.yield(runner.run(grant)))
        case .deliver(let deliveries):
            send(deliveries.flatMap { runner.perform($0.event, at: clock?.now ?? $0.at) })
        case .stop: return false
        default: log.error("a frame that is not for a node")
        }
        return true
    }

    /// Wall time only: how long until the node wants to be woken.
    private var patience: Int {
        guard let clock else { return -1 }
        let next = runner.nextWork
        guard next != .never else { return -1 }
        return Int(max(0, min((next - clock.now).nanoseconds / 1_000_000 + 1, 60_000)))
    }

    private mutating func wake() {
        guard let clock, runner.nextWork <= clock.now else { return }
        send(runner.perform(.wake, at: clock.now))
    }

    /// Whether somebody who is no part of the run can be connected to the node.
    private var isOutside: Bool { cable != nil || !lines.isEmpty }

    private mutating func serveOutside() {
        guard let clock else { return }
        for event in lines.takeEvents() + (cable?.takeEvents() ?? []) { send(runner.perform(event, at: clock.now)) }
    }

    private func send(_ effects: [Effect]) {
        let others = isOutside ? effects.filter { cable?.carryOut($0.action) != true && !lines.carryOut($0.action) } : effects
        if !others.isEmpty { _ = bus.send(.effects(others)) }
    }
}

/// The event loop of the process in the middle.
public struct HubProcess<Body: Hub> {
    private var hub: Body
    private let bus: Bus
    private let clock = WallClock()

    public init(_ hub: Body, endpoint: String) throws(BusError) {
        self.hub = hub
        bus = try Bus(bind: endpoint)
    }

    public mutating func run() {
        defer { bus.close() }
        while !hub.isFinished {
            if let (peer, bytes) = bus.receive(milliseconds: patience) {
                take(bytes, from: peer)
                // What has come in meanwhile belongs to the same round.
                while let (peer, bytes) = bus.receive(milliseconds: 0) { take(bytes, from: peer) }
            }
            hub.advance(now: clock.now)
            let unsent = hub.takeOutgoing().count { !bus.send($0.frame, to: $0.peer) }
            if unsent > 0 { hub.dropped(unsent) }
        }
    }

    private mutating func take(_ bytes: [UInt8], from peer: String) {
        do {
            hub.receive(try Frame(bytes: bytes), from: peer, now: clock.now)
        } catch {
            hub.refused(error, from: peer, now: clock.now)
        }
    }

    private var patience: Int {
        guard let next = hub.nextWork else { return -1 }
        return Int(max(0, min((next - clock.now).nanoseconds / 1_000_000 + 1, 1_000)))
    }
}

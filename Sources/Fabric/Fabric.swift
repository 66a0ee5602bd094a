public import Wire

/// The emulated network: every byte between nodes passes here, at its time and in its order.
///
/// A value without clock or socket. Effects of nodes go in by ``submit(_:from:)``; what reaches nodes comes
/// out of ``takeDeliveries()`` with the instant at which it arrives.
public struct Fabric {
    /// What the owner of the fabric must attend to, at its place in the order of events.
    public enum Call: Equatable, Sendable {
        /// A timer that the owner set by ``schedule(_:at:source:)``.
        case timer(Int)
        /// Something reached a node that lives in the owner's process.
        case local(node: String, Event)
    }

    enum Work {
        case act(node: String, Action)
        case connectAgain(stream: Int)
        case sendAgain(stream: Int, lane: Int, unit: Int)
        case lookUpAgain(node: String, query: UInt32, name: String, attempt: Int)
        case call(Call)
    }

    struct Attached {
        var spec: NodeSpec
        var isLocal: Bool
        /// Whose it is, if it is an attacker's: what it does bears his mark.
        var owner: String?
        var isUp = true
        var listening: Set<UInt16> = []
        var egressFreeAt = Instant.start
        /// Losses and jitter towards each other node: what is sent to one changes no draw for another.
        var draws: [String: SeedStream] = [:]
    }

    struct ActiveFault {
        var networks: Set<String>
        var nodes: Set<String>
        var fault: any NetworkFault
    }

    /// Nothing takes less than this from one node to another.
    public let lookahead: Duration
    public private(set) var now = Instant.start
    public var taps: [(id: String, tap: any Tap)] = []
    /// Effects and deliveries that had no taker, by reason. Never silent: they end in the report.
    public private(set) var dropped: UInt64 = 0

    let networks: [String: NetworkSpec]
    let routes: [String: [String: [String]]]
    let seed: UInt64
    var nodes: [String: Attached] = [:]
    var nodeAt: [Address: String] = [:]
    var addressOf: [String: Address] = [:]
    var faults: [String: ActiveFault] = [:]
    var pathCache: [String: [String: Path]] = [:]
    var streams: [Int: Stream] = [:]
    var streamOf: [String: [StreamID: Int]] = [:]
    var nextStream = 1
    var nextAccepted: [String: UInt32] = [:]
    var queue = EventQueue<Work>()
    private var order: UInt64 = 0
    private var deliveries: [(node: String, delivery: Delivery)] = []
    private var earliestDelivery = Instant.never
    private var observations: [Observation] = []

    public init(networks: [NetworkSpec], links: [[String]], seed: UInt64) {
        self.networks = Dictionary(networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.seed = seed
        routes = Fabric.routes(networks: networks.map(\.name), links: links)
        lookahead = networks.map { Duration.nanoseconds($0.latencyNanoseconds) }.min() ?? .milliseconds(1)
    }

    // MARK: Nodes

    /// - Parameter owner: The source of observations that say what the node has left its mark on; nil for the fleet's own.
    public mutating func attach(_ spec: NodeSpec, isLocal: Bool = false, owner: String? = nil) {
        nodes[spec.name] = Attached(spec: spec, isLocal: isLocal, owner: owner)
        nodeAt[spec.address] = spec.name
        addressOf[spec.host] = spec.address
        pathCache = [:]
    }

    public mutating func detach(_ node: String) {
        takeDown(node, hostStaysUp: true)
        if let spec = nodes.removeValue(forKey: node)?.spec {
            nodeAt[spec.address] = nil
            addressOf[spec.host] = nil
        }
        pathCache = [:]
    }

    public func spec(of node: String) -> NodeSpec? { nodes[node]?.spec }

    /// The process of a node is gone. With its host still up, peers see their streams reset; without
    /// power they see nothing at all.
    public mutating func takeDown(_ node: String, hostStaysUp: Bool) {
        nodes[node]?.isUp = false
        nodes[node]?.listening = []
        for number in streams.keys.sorted() {
            guard let stream = streams[number], let side = stream.side(of: node) else { continue }
            streams[number]?.isOrphan = true
            if hostStaysUp { drop(number, tell: 1 - side, .reset, trips: 1) }
        }
        streamOf[node] = [:]
    }

    public mutating func bringUp(_ node: String) { nodes[node]?.isUp = true }

    // MARK: Time

    /// When the fabric next has something to do of its own.
    public var nextWork: Instant { queue.first?.at ?? .never }

    /// Nothing more happens until `time`.
    public mutating func skip(to time: Instant) { now = max(now, time) }

    public mutating func schedule(_ timer: Int, at time: Instant, source: String) {
        push(.call(.timer(timer)), at: time, source: source)
    }

    public mutating func submit(_ effects: [Effect], from node: String) {
        for effect in effects {
            if case .observe(let fact) = effect.action {
                observations.append(
                    Observation(at: effect.at, node: node, sequence: effect.sequence, fact: fact))
            } else {
                queue.push(
                    .init(
                        at: effect.at, source: node, sequence: effect.sequence,
                        item: .act(node: node, effect.action)))
            }
        }
    }

    /// Works on all that happens before `bound`, up to the next thing that the owner must attend to. Stops
    /// at the first arrival at a node outside, since the node may answer from then on.
    public mutating func next(before bound: Instant) -> Call? {
        while let head = queue.first, head.at < min(bound, earliestDelivery), let entry = queue.pop() {
            now = max(now, entry.at)
            switch entry.item {
            case .call(let call): return call
            case .act(let node, let action): perform(action, of: node)
            case .connectAgain(let stream): tryConnect(stream)
            case .sendAgain(let stream, let lane, let unit): transmit(stream, lane, unit)
            case .lookUpAgain(let node, let query, let name, let attempt):
                lookUp(node: node, query: query, name: name, attempt: attempt)
            }
        }
        return nil
    }

    /// Says something to a node out of band: from whoever operates it, or from the world it stands in.
    public mutating func command(_ name: String, _ body: [UInt8], to node: String) {
        deliver(.command(name, body), to: node, at: now + lookahead, from: "")
    }

    public mutating func takeDeliveries() -> [(node: String, delivery: Delivery)] {
        defer {
            deliveries = []
            earliestDelivery = .never
        }
        return deliveries
    }

    public mutating func takeObservations() -> [Observation] {
        defer { observations = [] }
        return observations
    }

    public mutating func observe(_ fact: Fact, by source: String = "network") {
        order += 1
        observations.append(Observation(at: now, node: source, sequence: order, fact: fact))
    }

    // MARK: Faults

    public mutating func begin(
        _ fault: any NetworkFault, id: String, networks: Set<String>, nodes: Set<String>
    ) {
        faults[id] = ActiveFault(networks: networks, nodes: nodes, fault: fault)
        pathCache = [:]
    }

    public mutating func end(_ id: String) {
        faults[id] = nil
        pathCache = [:]
    }

    // MARK: Inside

    private mutating func perform(_ action: Action, of node: String) {
        guard nodes[node]?.isUp == true else {
            dropped += 1
            return
        }
        switch action {
        case .listen(let port): nodes[node]?.listening.insert(port)
        case .resolve(let query, let name): lookUp(node: node, query: query, name: name, attempt: 0)
        case .connect(let id, let endpoint): open(id, to: endpoint, from: node)
        case .send(let id, let bytes): enqueue(.data(bytes), on: id, from: node)
        case .close(let id): enqueue(.end, on: id, from: node)
        case .datagram(let port, let to, let bytes): sendDatagram(bytes, from: node, port: port, to: to)
        case .observe: break
        }
    }

    mutating func countDrop() { dropped += 1 }

    mutating func push(_ work: Work, at time: Instant, source: String) {
        order += 1
        queue.push(.init(at: time, source: source, sequence: order, item: work))
    }

    /// Hands an event to a node, never sooner than the lookahead allows.
    mutating func deliver(_ event: Event, to node: String, at time: Instant, from source: String) {
        let time = max(time, now + lookahead)
        guard let target = nodes[node] else {
            dropped += 1
            return
        }
        if target.isLocal {
            push(.call(.local(node: node, event)), at: time, source: source)
        } else {
            order += 1
            earliestDelivery = min(earliestDelivery, time)
            deliveries.append((node, Delivery(at: time, source: source, sequence: order, event: event)))
        }
    }

    mutating func pass(
        _ content: Passage.Content, from: String, to: String?, stream: Int = 0, isRetransmission: Bool = false
    ) -> Passage {
        var passage = Passage(from: from, to: to, stream: stream, content: content)
        passage.isRetransmission = isRetransmission
        for index in taps.indices {
            let (content, way) = (passage.content, passage.divertedTo)
            taps[index].tap.inspect(&passage, now: now)
            if passage.dropped || passage.content != content || passage.divertedTo != way { passage.hands.append(taps[index].id) }
            for fact in passage.facts { observe(fact, by: taps[index].id) }
            passage.facts = []
            if passage.dropped { break }
        }
        return passage
    }
}

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
        /// One of the nodes that are heeded has said something, at this instant of its own.
        case said(node: String, Fact, at: Instant)
    }

    enum Work {
        case act(node: String, life: Int, Action)
        case connectAgain(stream: Int)
        case sendAgain(stream: Int, lane: Int, unit: Int)
        case windowOpens(stream: Int, lane: Int, bytes: Int)
        case toxicEnds(stream: Int, fault: String)
        case lookUpAgain(node: String, life: Int, query: UInt32, name: String, attempt: Int)
        case arrive(node: String, life: Int, Event)
        case call(Call)
    }

    struct Attached {
        var spec: NodeSpec
        var isLocal: Bool
        /// Whose it is, if it is an attacker's: what it does bears his mark.
        var owner: Origin?
        var isUp = true
        /// The machine that it runs on, which answers that nobody is there.
        var isHostUp = true
        /// What it has made of its own link; and the address that the network gives it.
        var isLinked = true
        let assigned: Address
        var listening: Set<UInt16> = []
        var egressFreeAt = Instant.start
        /// Losses and jitter towards each other node: what is sent to one changes no draw for another.
        var draws: [String: SeedStream] = [:]
        var connections = 0
        /// When it has done all handshakes that have come so far, where it can do only so many.
        var handshakeFreeAt = Instant.start
    }

    struct ActiveFault {
        var networks: Set<String>
        var nodes: Set<String>
        var sides: Sides?
        var name: String
        var fault: any NetworkFault
        /// Pairs of nodes, beside connections, that the journal has told of.
        var told: Set<String> = []
    }

    /// Nothing takes less than this from one node to another.
    public let lookahead: Duration
    public private(set) var now = Instant.start
    public var taps: [(by: Origin, tap: any Tap)] = []
    /// Nodes whose facts the owner attends to, in the order of events.
    public var heeded: Set<String> = []
    /// Effects and deliveries that had no taker, by reason. Never silent: they end in the report.
    public private(set) var dropped: UInt64 = 0

    let networks: [String: NetworkSpec]
    let routes: [String: [String: [String]]]
    let seed: UInt64
    var nodes: [String: Attached] = [:]
    /// How often each node has gone down: what it began before means nothing to who has its name now.
    var lives: [String: Int] = [:]
    var nodeAt: [Address: String] = [:]
    var addressOf: [String: Address] = [:]
    var faults: [String: ActiveFault] = [:]
    var pathCache: [String: [String: Path]] = [:]
    var streams: [Int: Stream] = [:]
    var streamOf: [String: [StreamID: Int]] = [:]
    /// When nodes hear that their streams are over: until then there is nothing to tell them.
    var ends: [String: [StreamID: Instant]] = [:]
    /// Whether any fault asks for more than a look at the links; most never do.
    private(set) var hasToxics = false
    private(set) var hasSides = false
    var nextStream = 1
    var nextAccepted: [String: UInt32] = [:]
    var queue = EventQueue<Work>()
    private var order: UInt64 = 0
    private var deliveries: [(node: String, delivery: Delivery)] = []
    private var earliestDelivery = Instant.never
    private var statements: [Statement] = []

    public init(networks: [NetworkSpec], links: [[String]], seed: UInt64) {
        self.networks = Dictionary(networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.seed = seed
        routes = Fabric.routes(networks: networks.map(\.name), links: links)
        lookahead = networks.map { Duration.nanoseconds($0.latencyNanoseconds) }.min() ?? .milliseconds(1)
    }

    // MARK: Nodes

    /// - Parameter owner: The source of observations that say what the node has left its mark on; nil for the fleet's own.
    public mutating func attach(_ spec: NodeSpec, isLocal: Bool = false, owner: Origin? = nil) {
        nodes[spec.name] = Attached(spec: spec, isLocal: isLocal, owner: owner, assigned: spec.address)
        nodeAt[spec.address] = spec.name
        for name in [spec.host] + spec.names { addressOf[name.lowercased()] = spec.address }
        pathCache = [:]
    }

    public mutating func detach(_ node: String) {
        takeDown(node, hostStaysUp: true)
        if let spec = nodes.removeValue(forKey: node)?.spec {
            nodeAt[spec.address] = nil
            for name in [spec.host] + spec.names { addressOf[name.lowercased()] = nil }
        }
        pathCache = [:]
    }

    public func spec(of node: String) -> NodeSpec? { nodes[node]?.spec }
    public func isInUse(_ address: Address) -> Bool { nodeAt[address] != nil }

    /// The process of a node is gone. With its host still up, peers see their streams reset; without
    /// power they see nothing at all.
    public mutating func takeDown(_ node: String, hostStaysUp: Bool) {
        lives[node, default: 0] += 1
        nodes[node]?.isUp = false
        nodes[node]?.isHostUp = hostStaysUp
        nodes[node]?.listening = []
        setLink(isUp: true, nil, of: node)
        streamOf[node] = [:]
        ends[node] = nil
        for number in streams.keys.sorted() {
            guard let stream = streams[number], let side = stream.side(of: node) else { continue }
            // Whoever still knocks at its door goes on knocking.
            if stream.isOpen || side == 0 { streams[number]?.isOrphan = true }
            if hostStaysUp { drop(number, tell: 1 - side, .reset, trips: 1) }
        }
    }

    public mutating func bringUp(_ node: String) {
        nodes[node]?.isUp = true
        nodes[node]?.isHostUp = true
    }

    // MARK: Time

    /// When the fabric next has something to do of its own.
    public var nextWork: Instant { queue.first?.at ?? .never }

    /// Nothing more happens until `time`.
    public mutating func skip(to time: Instant) { now = max(now, time) }

    public mutating func schedule(_ timer: Int, at time: Instant, source: Origin) {
        push(.call(.timer(timer)), at: time, source: source)
    }

    public mutating func submit(_ effects: [Effect], from node: String) {
        let life = lives[node] ?? 0
        for effect in effects {
            if case .observe(let fact) = effect.action {
                let observation = Observation(at: effect.at, node: node, sequence: effect.sequence, fact: fact)
                statements.append(Statement(by: .node(node), observation: observation))
                guard heeded.contains(node) else { continue }
            }
            queue.push(
                .init(
                    at: effect.at, source: .node(node), sequence: effect.sequence,
                    item: .act(node: node, life: life, effect.action)))
        }
    }

    /// Works on all that happens before `bound`, up to the next thing that the owner must attend to. Stops
    /// at the first arrival at a node outside, since the node may answer from then on.
    public mutating func next(before bound: Instant) -> Call? {
        while let head = queue.first, head.at < min(bound, earliestDelivery), let entry = queue.pop() {
            now = max(now, entry.at)
            switch entry.item {
            case .call(let call): return call
            case .act(let node, let life, .observe(let fact)):
                if lives[node] ?? 0 == life { return .said(node: node, fact, at: entry.at) }
            case .act(let node, let life, let action): perform(action, of: node, life)
            case .arrive(let node, let life, let event):
                if lives[node] ?? 0 == life { return .local(node: node, event) }
            case .connectAgain(let stream): tryConnect(stream)
            case .sendAgain(let stream, let lane, let unit): transmit(stream, lane, unit)
            case .windowOpens(let stream, let lane, let bytes): openWindow(stream, lane, bytes)
            case .toxicEnds(let stream, let fault): toxicEnds(stream, fault)
            case .lookUpAgain(let node, let life, let query, let name, let attempt):
                if lives[node] ?? 0 == life { lookUp(node: node, query: query, name: name, attempt: attempt) }
            }
        }
        return nil
    }

    /// Says something to a node out of band: from whoever operates it, or from the world it stands in.
    public mutating func command(_ name: String, _ body: [UInt8], to node: String) {
        deliver(.command(name, body), to: node, at: now + lookahead, from: .plan)
    }

    public mutating func takeDeliveries() -> [(node: String, delivery: Delivery)] {
        defer {
            deliveries = []
            earliestDelivery = .never
        }
        return deliveries
    }

    public mutating func takeStatements() -> [Statement] {
        defer { statements = [] }
        return statements
    }

    /// Only in the order of events, as everything that counts up `order`.
    public mutating func observe(_ fact: Fact, by source: Origin = .network, at time: Instant? = nil) {
        order += 1
        let observation = Observation(at: time ?? now, node: source.name, sequence: order, fact: fact)
        statements.append(Statement(by: source, observation: observation))
    }

    // MARK: Faults

    /// - Parameters:
    ///   - id: Of its step.
    ///   - sides: Between whom; nil for all that the networks and nodes have to do with.
    ///   - name: As the journal tells of it.
    public mutating func begin(
        _ fault: any NetworkFault, id: String, networks: Set<String>, nodes: Set<String>, sides: Sides? = nil, name: String = ""
    ) {
        faults[id] = ActiveFault(networks: networks, nodes: nodes, sides: sides, name: name, fault: fault)
        faultsChanged()
        guard fault.isToxic else { return }
        for number in streams.keys.sorted() { takeHold(of: number) }
    }

    public mutating func end(_ id: String) {
        if faults[id]?.fault.isToxic == true { release(from: id) }
        faults[id] = nil
        faultsChanged()
    }

    private mutating func faultsChanged() {
        pathCache = [:]
        hasToxics = faults.values.contains { $0.fault.isToxic }
        hasSides = faults.values.contains { $0.sides != nil }
    }

    // MARK: Inside

    private mutating func perform(_ action: Action, of node: String, _ life: Int) {
        guard nodes[node]?.isUp == true, lives[node] ?? 0 == life else {
            dropped += 1
            return
        }
        switch action {
        case .listen(let port): nodes[node]?.listening.insert(port)
        case .resolve(let query, let name): lookUp(node: node, query: query, name: name, attempt: 0)
        case .connect(let id, let endpoint): open(id, to: endpoint, from: node)
        case .send(let id, let bytes): enqueue(.data(bytes), on: id, from: node)
        case .close(let id): enqueue(.end, on: id, from: node)
        case .finish(let id): enqueue(.finish, on: id, from: node)
        case .reset(let id):
            guard let number = streamOf[node]?[id], let side = streams[number]?.side(of: node) else { return }
            drop(number, tell: 1 - side, .reset, trips: 1)
        case .window(let id, let bytes): setWindow(Int(bytes), of: id, at: node)
        case .consumed(let id, let bytes): consumed(Int(bytes), on: id, at: node)
        case .datagram(let port, let to, let bytes): sendDatagram(bytes, from: node, port: port, to: to)
        case .link(let isUp, let address): setLink(isUp: isUp, address, of: node)
        case .tell(let other, let name, let body):
            // Whoever is no operator's has nobody to tell.
            guard let (own, target) = nodes[node].flatMap({ own in nodes[other].map { (own, $0) } }), own.spec.role == .service,
                target.spec.role == .service
            else { return countDrop() }
            // One that is gone is told nothing.
            guard target.isUp else { return }
            deliver(.command(name, body), to: other, at: now, from: .node(node))
        case .observe: break
        }
    }

    mutating func countDrop() { dropped += 1 }

    mutating func push(_ work: Work, at time: Instant, source: Origin) {
        order += 1
        queue.push(.init(at: time, source: source, sequence: order, item: work))
    }

    /// Hands an event to a node, never sooner than the lookahead allows.
    mutating func deliver(_ event: Event, to node: String, at time: Instant, from source: Origin) {
        let time = max(time, now + lookahead)
        guard let target = nodes[node] else {
            dropped += 1
            return
        }
        if target.isLocal {
            push(.arrive(node: node, life: lives[node] ?? 0, event), at: time, source: source)
        } else {
            order += 1
            earliestDelivery = min(earliestDelivery, time)
            deliveries.append((node, Delivery(at: time, source: source.name, sequence: order, event: event)))
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
            if passage.dropped || passage.content != content || passage.divertedTo != way { passage.hands.append(taps[index].by) }
            for fact in passage.facts { observe(fact, by: taps[index].by) }
            passage.facts = []
            if passage.dropped { break }
        }
        return passage
    }
}

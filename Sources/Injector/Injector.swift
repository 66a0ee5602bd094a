import Adversary
public import Catalogue
public import Configuration
import Fabric
import Faults
public import Wire

/// The threat injector: owner of the network, its time, its faults and its attackers.
///
/// A value behind `Wire.Hub`: frames in, frames out. The same code runs the virtual clock, where nodes are
/// granted stretches of time, and the wall clock, where they run free.
public struct Injector: Hub {
    enum Phase { case gathering, running, finished }

    enum Timer {
        case begin(Int)
        case end(Int)
        case restart(node: String)
        case cut(node: String, pause: Duration)
        case wake(attack: Int)
    }

    let configuration: ThreatConfiguration
    var arena: Arena
    var scheduler: Scheduler
    var phase = Phase.gathering
    var generations: [String: UInt32] = [:]
    var lastGeneration: [String: UInt32] = [:]
    var awaited: Set<String> = []
    var timers: [Int: Timer] = [:]
    var attacks: [Int: any Attack] = [:]
    /// Under way, by their step.
    var faults: [Int: any Fault] = [:]
    /// Targets that each attack has got into, by its step, and since when.
    var gains: [String: [String: Instant]] = [:]
    var plannedWakes: [Int: Instant] = [:]
    var localSequences: [String: UInt64] = [:]
    /// No node may run past the next of these instants before it is over.
    var barriers: [Instant] = []
    /// Processes that have come while others are still awaited.
    var arrivals: [String: [String]] = [:]
    let services: Set<String>
    /// Where devices of the fleet are to go, and what is ordered.
    var serviceInCharge = ServiceNode.maker
    /// Steps that aim at the service, and whose is another's by the time that they begin.
    var redirected: [Int: Step] = [:]
    /// Nodes that nobody starts again.
    var retired: Set<String> = []
    /// What was done to nodes without power, which they find when they have it again.
    var waiting: [String: [Event]] = [:]
    /// How long devices stay off whose power goes in the middle of a flash operation.
    var powerPauses: [String: (step: String, pause: Duration)] = [:]
    var statements: [Statement] = []
    var outgoing: [(peer: String, frame: Frame)] = []
    var pending: [(node: String, delivery: Delivery)] = []
    /// What each node's process has used up to its last yield.
    var uses: [String: ResourceUse] = [:]
    let measured: Set<String>
    var droppedFrames: UInt64 = 0
    var lastProgress = Instant.start
    var nextTimer = 0
    let capture: Capture?

    /// What a plan can have it do.
    public static let catalogue = ActCatalogue(attacks: Attacks.catalogue, faults: Faults.catalogue)

    var isVirtual: Bool { configuration.setting.clock == .virtual }
    public var isFinished: Bool { phase == .finished }

    public init(_ configuration: ThreatConfiguration) {
        self.configuration = configuration
        var fabric = Fabric(
            networks: configuration.networks, links: configuration.links, seed: configuration.setting.seed)
        for node in configuration.nodes { fabric.attach(node) }
        capture = configuration.capture ? Capture(configuration) : nil
        if let capture { fabric.taps.append((.network, capture)) }
        services = Set(configuration.nodes.filter { $0.role == .service }.map(\.name))
        measured = Set(configuration.measuresUse ? configuration.nodes.filter { $0.role == .device }.map(\.name) : [])
        fabric.heeded = services.union(configuration.steps.flatMap(\.nodes))
        scheduler = Scheduler(lookahead: fabric.lookahead)
        scheduler.witnesses = services
        arena = Arena(
            fabric: fabric, names: configuration.names, epochSeconds: configuration.setting.epochSeconds,
            loot: configuration.loot)
        awaited = Set(configuration.nodes.map { PeerName.of($0.name, 0) } + [PeerName.coordinator])
    }

    // MARK: Hub

    public mutating func receive(_ frame: Frame, from peer: String, now: Instant) {
        guard let (node, generation) = PeerName.split(peer) else { return }
        switch frame {
        case .hello(let hello): arrived(hello, peer, now)
        case .yield(let yield) where generations[node] == generation:
            take(yield.effects, from: node)
            if measured.contains(node) { uses[node] = yield.use }
            scheduler.yielded(node, yield)
        case .effects(let effects) where generations[node] == generation: take(effects, from: node)
        case .finish where peer == PeerName.coordinator: finish(at: isVirtual ? arena.fabric.now : now)
        case .processGone(let node, let generation) where peer == PeerName.coordinator:
            lost(node, generation)
        // A process that a fault has killed may still have had words on the wire.
        default: break
        }
    }

    public mutating func refused(_ error: WireError, from peer: String, now: Instant) {
        arena.fabric.observe(Fact(.frameRefused, [.peer: .text(peer), .reason: .text("\(error)")]))
    }

    public mutating func dropped(_ count: Int) { droppedFrames += UInt64(count) }

    public mutating func takeOutgoing() -> [(peer: String, frame: Frame)] {
        defer { outgoing = [] }
        return outgoing
    }

    public var nextWork: Instant? {
        guard !isVirtual, phase == .running else { return nil }
        let arrival = pending.map(\.delivery.at).min() ?? .never
        return min(arena.fabric.nextWork, arrival, configuration.stop)
    }

    public mutating func advance(now: Instant) {
        guard phase == .running, awaited.isEmpty else { return }
        if isVirtual { advanceVirtual() } else { advanceWall(now) }
        if (now - lastProgress) > .milliseconds(100) {
            lastProgress = now
            sendToCoordinator(.progress(arena.fabric.now, dropped: droppedFrames + arena.fabric.dropped))
        }
    }

    // MARK: Processes

    private mutating func arrived(_ hello: Hello, _ peer: String, _ now: Instant) {
        guard awaited.remove(peer) != nil else { return }
        outgoing.append((peer, .welcome(clock: configuration.setting.clock, now: now)))
        guard peer != PeerName.coordinator else { return begin(now) }
        generations[hello.node] = hello.generation
        arena.labels[hello.node] = hello.publicIdentity
        if phase == .gathering { return begin(now) }
        arrivals[hello.node] = hello.marks
        welcome()
    }

    /// Time goes on when all are there that it waits for, in one order whoever came first.
    private mutating func welcome() {
        guard awaited.isEmpty else { return }
        for (node, marks) in arrivals.sorted(by: { $0.key < $1.key }) {
            powerOn(node, at: arena.fabric.now)
            for digest in marks {
                for attacker in arena.watched[node, default: []].sorted() {
                    arena.fabric.observe(
                        Fact(.trace, [.digest: .text(digest.digestHead), .target: .text(node)]), by: .step(attacker))
                }
            }
        }
        arrivals = [:]
    }

    /// Everybody is there: claims and power, then the clock runs.
    private mutating func begin(_ now: Instant) {
        guard phase == .gathering, awaited.isEmpty else { return }
        if let node = configuration.nodes.first(where: { PeerName.of($0.name, 0) == PeerName.coordinator }) {
            sendToCoordinator(.refused("a node cannot be called '\(node.name)': its process could not be told from the coordinator"))
            phase = .finished
            return
        }
        phase = .running
        sendToCoordinator(.ready)
        arena.fabric.observe(
            Fact(
                .runStarted,
                [
                    .seed: .text(String(configuration.setting.seed)), .clock: .text(configuration.setting.clock.rawValue),
                    .count: .number(Int64(configuration.nodes.count)),
                ]))
        let devices = configuration.nodes.filter { $0.role == .device }
        for node in configuration.nodes { join(node.name, at: .start + .nanoseconds(node.powerOnNanoseconds)) }
        if let service = configuration.nodes.first(where: { $0.role == .service }) {
            let claims = devices.map {
                Claim(deviceID: arena.labels[$0.name] ?? "", name: $0.name, product: $0.product, group: $0.group, kind: $0.kind)
            }
            deliver(.command(CommandName.claim, JSON.encode(claims)), to: service.name, at: .start, sequence: 1)
        }
        for (index, step) in configuration.steps.enumerated() {
            schedule(.begin(index), at: step.at)
            if let length = step.duration { schedule(.end(index), at: step.at + length) }
        }
    }

    private mutating func join(_ node: String, at time: Instant) {
        scheduler.join(node, nextWork: .never)
        let found = waiting.removeValue(forKey: node) ?? []
        for (index, event) in (found + [.start]).enumerated() { deliver(event, to: node, at: time, sequence: UInt64(index)) }
    }

    mutating func powerOn(_ node: String, at time: Instant) {
        arena.fabric.bringUp(node)
        arena.fabric.observe(
            Fact(.processStarted, [.name: .text(node), .generation: .number(Int64(generations[node] ?? 0))]))
        join(node, at: time + arena.fabric.lookahead)
    }

    private mutating func deliver(_ event: Event, to node: String, at time: Instant, sequence: UInt64) {
        place(node, Delivery(at: time, source: "", sequence: sequence, event: event))
    }

    mutating func place(_ node: String, _ delivery: Delivery) {
        if isVirtual { scheduler.deliver(delivery, to: node) } else { pending.append((node, delivery)) }
    }

    /// A process died that nobody killed: the run goes on and the report says so. Before the run has begun
    /// there is nothing to go on with.
    private mutating func lost(_ node: String, _ generation: UInt32) {
        let wasAwaited = awaited.remove(PeerName.of(node, generation)) != nil
        guard wasAwaited || generations[node] == generation else { return }
        if phase == .gathering {
            sendToCoordinator(.refused("\(node) did not start: see its log"))
            phase = .finished
            return
        }
        generations[node] = nil
        scheduler.leave(node)
        arena.fabric.takeDown(node, hostStaysUp: true)
        tellUse(of: node)
        arena.fabric.observe(Fact(.processLost, [.name: .text(node)]))
        arrivals[node] = nil
        welcome()
    }

    /// A life of a device is over. In virtual time: what it has done before its end is all there, and nothing that came after.
    mutating func tellUse(of node: String) {
        if let use = uses.removeValue(forKey: node) { arena.fabric.observe(use.fact(of: node)) }
    }

    // MARK: Effects and the journal

    private mutating func take(_ effects: [Effect], from node: String) { arena.fabric.submit(effects, from: node) }

    /// What a node has said changes something for others: at its instant, and at its place in the order of the run,
    /// whenever the words came in.
    mutating func conclude(from fact: Fact, of node: String, at time: Instant) {
        if fact.kind == .powerLost, let (_, pause) = powerPauses.removeValue(forKey: node) {
            schedule(.cut(node: node, pause: pause), at: time + .nanoseconds(1))
        }
        if services.contains(node) { keepEvidence(fact) }
        let attackers = (arena.watched[node] ?? []).union(arena.owners[node].map { [$0] } ?? [])
        for index in attackers.sorted() {
            guard let success = attacks[index]?.observed(fact, by: node, at: time) else { continue }
            arena.fabric.observe(label(success, index), by: .step(index), at: time)
        }
    }

    /// Evidence in the service's log, for an attack that has got hold of it.
    private mutating func keepEvidence(_ fact: Fact) {
        guard fact.kind == .evidenceAppraised, fact.text(.result) == "accepted", let device = fact.text(.device),
            let token = fact.text(.evidence).flatMap({ Base64.decode(Array($0.utf8)) })
        else { return }
        arena.loggedEvidence[device] = LoggedEvidence(mediaType: fact.text(.mediaType), token)
    }

    func label(_ fact: Fact, _ step: Int) -> Fact {
        var details = Dictionary(uniqueKeysWithValues: fact.details.map { ($0.key, $0.value) })
        details[.attack] = .text(configuration.steps[step].act.name)
        details[.instance] = .text(configuration.steps[step].id)
        return Fact(fact.kind, details)
    }

    /// Takes over what the network has collected.
    mutating func absorb() {
        statements += arena.fabric.takeStatements().map { statement in
            let attack: Int? =
                switch statement.by {
                case .step(let index): index
                case .node(let name): arena.owners[name]
                case .plan, .network: nil
                }
            guard let attack else { return statement }
            var labelled = statement
            labelled.observation.fact = label(statement.observation.fact, attack)
            if labelled.observation.fact.kind == .attackSucceeded, let target = labelled.observation.fact.text(.target) {
                let (step, at) = (configuration.steps[attack].id, statement.observation.at)
                gains[step, default: [:]][target] = min(at, gains[step]?[target] ?? .never)
            }
            return labelled
        }
    }

    /// A node without power says nothing more, also not what it was still computing.
    mutating func silence(_ node: String) {
        absorb()
        statements.removeAll { $0.by == .node(node) && $0.observation.at >= arena.fabric.now }
    }

    /// Sends what can no longer be preceded by anything.
    mutating func flushJournal(before bound: Instant) {
        if let bytes = capture?.take(all: bound == .never) { sendToCoordinator(.capture(bytes)) }
        absorb()
        guard statements.count >= 256 || bound == .never || !isVirtual else { return }
        statements.sort(by: Statement.inJournalOrder)
        let count = statements.firstIndex { $0.observation.at >= bound } ?? statements.count
        guard count > 0 else { return }
        sendToCoordinator(.journal(statements[..<count].map(\.observation)))
        statements.removeFirst(count)
    }

    mutating func sendToCoordinator(_ frame: Frame) { outgoing.append((PeerName.coordinator, frame)) }

    mutating func finish(at time: Instant) {
        guard phase != .finished else { return }
        phase = .finished
        arena.fabric.skip(to: time)
        for index in attacks.keys.sorted() { endStep(index) }
        for (node, missed) in powerPauses.sorted(by: { $0.key < $1.key }) {
            arena.fabric.observe(
                Fact(
                    .faultEnded,
                    [
                        .fault: .text(FaultName.powerCut.rawValue), .instance: .text(missed.step), .target: .text(node), .result: "missed",
                        .reason: "no flash operation came that it could fall into",
                    ]))
        }
        for node in uses.keys.sorted() { tellUse(of: node) }
        arena.fabric.observe(Fact(.runEnded, [.count: .number(Int64(droppedFrames + arena.fabric.dropped))]))
        flushJournal(before: .never)
        for (node, generation) in generations.sorted(by: { $0.key < $1.key }) {
            outgoing.append((PeerName.of(node, generation), .stop))
        }
        sendToCoordinator(.finished(arena.fabric.now))
    }
}

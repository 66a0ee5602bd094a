import Exchange
import Fabric
public import Wire

/// The threat injector: owner of the network, its time, its faults and its attackers.
///
/// A value behind ``Wire/Hub``: frames in, frames out. The same code runs the virtual clock, where nodes are
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
    /// Targets that each attack has got into, by its step.
    var gains: [String: Set<String>] = [:]
    var plannedWakes: [Int: Instant] = [:]
    var localSequences: [String: UInt64] = [:]
    /// Instants at which processes are killed or started: no node may run past the next one.
    var processTimes: [Instant] = []
    /// How long devices stay off whose power goes in the middle of a flash operation.
    var powerPauses: [String: Duration] = [:]
    var observations: [Observation] = []
    var outgoing: [(peer: String, frame: Frame)] = []
    var pending: [(node: String, delivery: Delivery)] = []
    var droppedFrames: UInt64 = 0
    var lastProgress = Instant.start
    var nextTimer = 0
    let capture: Capture?

    var isVirtual: Bool { configuration.setting.clock == .virtual }
    public var isFinished: Bool { phase == .finished }

    public init(_ configuration: ThreatConfiguration) {
        self.configuration = configuration
        var fabric = Fabric(
            networks: configuration.networks, links: configuration.links, seed: configuration.setting.seed)
        for node in configuration.nodes { fabric.attach(node) }
        capture = configuration.capture ? Capture(configuration) : nil
        if let capture { fabric.taps.append(("capture", capture)) }
        scheduler = Scheduler(lookahead: fabric.lookahead)
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
        if phase == .gathering {
            begin(now)
        } else {
            powerOn(hello.node, at: arena.fabric.now)
            guard let attacker = arena.watched[hello.node] else { return }
            for digest in hello.marks {
                arena.fabric.observe(Fact(.trace, [.digest: .text(digest.digestHead), .target: .text(hello.node)]), by: attacker)
            }
        }
    }

    /// Everybody is there: claims and power, then the clock runs.
    private mutating func begin(_ now: Instant) {
        guard phase == .gathering, awaited.isEmpty else { return }
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
                Claim(deviceID: arena.labels[$0.name] ?? "", name: $0.name, product: $0.product, group: $0.group)
            }
            deliver(.command("claim", JSON.encode(claims)), to: service.name, at: .start, sequence: 1)
        }
        for (index, step) in configuration.steps.enumerated() {
            schedule(.begin(index), at: step.at)
            if let length = step.duration { schedule(.end(index), at: step.at + length) }
        }
    }

    private mutating func join(_ node: String, at time: Instant) {
        scheduler.join(node, nextWork: .never)
        deliver(.start, to: node, at: time, sequence: 0)
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
        arena.fabric.observe(Fact(.processLost, [.name: .text(node)]))
    }

    // MARK: Effects and the journal

    private mutating func take(_ effects: [Effect], from node: String) {
        arena.fabric.submit(effects, from: node)
        for effect in effects {
            if case .observe(let fact) = effect.action, fact.kind == .powerLost {
                schedule(.cut(node: node, pause: powerPauses[node] ?? .seconds(1)), at: effect.at + .nanoseconds(1), source: node)
            }
        }
        if configuration.nodes.first(where: { $0.name == node })?.role == .service { readLog(effects) }
        guard let owner = arena.owners[node] ?? arena.watched[node], let index = Int(owner), let attack = attacks[index] else { return }
        for effect in effects {
            if case .observe(let fact) = effect.action, let success = attack.observed(fact, by: node, at: effect.at) {
                arena.fabric.observe(label(success, index), by: owner)
            }
        }
    }

    /// Evidence in the service's log, for an attack that has got hold of it.
    private mutating func readLog(_ effects: [Effect]) {
        for effect in effects {
            guard case .observe(let fact) = effect.action, fact.kind == .evidenceAppraised, fact.text(.result) == "accepted",
                let device = fact.text(.device), let token = fact.text(.evidence).flatMap({ Base64.decode(Array($0.utf8)) })
            else { continue }
            arena.loggedEvidence[device] = token
        }
    }

    func label(_ fact: Fact, _ step: Int) -> Fact {
        var details = Dictionary(uniqueKeysWithValues: fact.details.map { ($0.key, $0.value) })
        details[.attack] = .text(configuration.steps[step].act.name)
        details[.instance] = .text(configuration.steps[step].id)
        return Fact(fact.kind, details)
    }

    /// Takes over what the network has collected.
    mutating func absorb() {
        observations += arena.fabric.takeObservations().map { observation in
            guard let step = Int(arena.owners[observation.node] ?? observation.node) else { return observation }
            var labelled = observation
            labelled.fact = label(observation.fact, step)
            if labelled.fact.kind == .attackSucceeded, let target = labelled.fact.text(.target) {
                gains[configuration.steps[step].id, default: []].insert(target)
            }
            return labelled
        }
    }

    /// A node without power says nothing more, also not what it was still computing.
    mutating func silence(_ node: String) {
        absorb()
        observations.removeAll { $0.node == node && $0.at >= arena.fabric.now }
    }

    /// Sends what can no longer be preceded by anything.
    mutating func flushJournal(before bound: Instant) {
        if let bytes = capture?.take(all: bound == .never) { sendToCoordinator(.capture(bytes)) }
        absorb()
        guard observations.count >= 256 || bound == .never || !isVirtual else { return }
        observations.sort(by: Observation.inJournalOrder)
        let count = observations.firstIndex { $0.at >= bound } ?? observations.count
        guard count > 0 else { return }
        sendToCoordinator(.journal(Array(observations[..<count])))
        observations.removeFirst(count)
    }

    mutating func sendToCoordinator(_ frame: Frame) { outgoing.append((PeerName.coordinator, frame)) }

    mutating func finish(at time: Instant) {
        guard phase != .finished else { return }
        phase = .finished
        arena.fabric.skip(to: time)
        for index in attacks.keys.sorted() { endStep(index) }
        arena.fabric.observe(Fact(.runEnded, [.count: .number(Int64(droppedFrames + arena.fabric.dropped))]))
        flushJournal(before: .never)
        for (node, generation) in generations.sorted(by: { $0.key < $1.key }) {
            outgoing.append((PeerName.of(node, generation), .stop))
        }
        sendToCoordinator(.finished(arena.fabric.now))
    }
}

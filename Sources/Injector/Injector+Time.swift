import Adversary
import Catalogue
import Configuration
import Fabric
import Faults
import Wire

extension Injector {
    mutating func schedule(_ timer: Timer, at time: Instant) {
        timers[nextTimer] = timer
        arena.fabric.schedule(nextTimer, at: time, source: .plan)
        nextTimer += 1
        if isBarrier(timer) {
            barriers.append(time)
            barriers.sort()
        }
    }

    /// Whether a timer kills or starts a process, or makes something of what nodes have said so far: all that happens
    /// before it is done first, and nobody is ahead of it.
    private func isBarrier(_ timer: Timer) -> Bool {
        switch timer {
        case .restart, .cut: true
        case .wake: false
        case .begin(let index), .end(let index):
            switch configuration.steps[index].act {
            case .fault(.powerCut), .fault(.serviceKill), .attack, .operate(.recover), .operate(.handOver): true
            default: false
            }
        }
    }

    // MARK: Virtual time

    mutating func advanceVirtual() {
        while phase == .running && awaited.isEmpty {
            let barrier = barriers.first ?? .never
            var bound = min(scheduler.safe, configuration.stop)
            if scheduler.isAnyRunning || scheduler.settled < barrier {
                bound = min(bound, barrier)
            } else {
                // What nodes do at the barrier's instant they do after it, so they cannot be waited for.
                bound = min(max(bound, barrier == .never ? bound : barrier + .nanoseconds(1)), configuration.stop)
            }
            if let call = arena.fabric.next(before: bound) {
                attend(call)
                collect()
                continue
            }
            let moved = collect()
            let network = arena.fabric.nextWork
            for (node, grant) in scheduler.grants(network: network, limit: min(barrier, configuration.stop)) {
                outgoing.append((PeerName.of(node, generations[node] ?? 0), .grant(grant)))
            }
            let settled = min(scheduler.settled, arena.fabric.nextWork)
            flushJournal(before: min(settled, configuration.stop))
            if !scheduler.isAnyRunning && !moved && settled >= configuration.stop {
                finish(at: configuration.stop)
            }
            if !moved { return }
        }
    }

    /// Hands arrivals to the scheduler; true if there were any.
    @discardableResult
    private mutating func collect() -> Bool {
        let deliveries = arena.fabric.takeDeliveries()
        for (node, delivery) in deliveries { place(node, delivery) }
        return !deliveries.isEmpty
    }

    // MARK: Wall time

    mutating func advanceWall(_ now: Instant) {
        while let call = arena.fabric.next(before: min(now, configuration.stop) + .nanoseconds(1)) {
            attend(call)
            collect()
        }
        collect()
        let due = pending.filter { $0.delivery.at <= now }.sorted { Delivery.isBefore($0.delivery, $1.delivery) }
        pending.removeAll { $0.delivery.at <= now }
        for (node, deliveries) in Dictionary(grouping: due, by: \.node).sorted(by: { $0.key < $1.key }) {
            guard let generation = generations[node] else { continue }
            outgoing.append((PeerName.of(node, generation), .deliver(deliveries.map(\.delivery))))
        }
        flushJournal(before: now)
        if now >= configuration.stop { finish(at: now) }
    }

    // MARK: The plan and the attackers

    private mutating func attend(_ call: Fabric.Call) {
        switch call {
        case .timer(let number):
            guard let timer = timers.removeValue(forKey: number) else { return }
            if isBarrier(timer), !barriers.isEmpty { barriers.removeFirst() }
            switch timer {
            case .begin(let index): beginStep(index)
            case .end(let index): endStep(index)
            case .restart(let node): restart(node)
            case .cut(let node, let pause): cut(node, for: pause, hostStaysUp: false)
            case .wake(let index):
                plannedWakes[index] = nil
                for node in arena.owners.filter({ $0.value == index }).keys.sorted() {
                    act(.wake, at: node, attack: index)
                }
            }
            scheduler.witnesses = services.union(arena.watched.keys).union(arena.owners.keys).union(powerPauses.keys)
        case .local(let node, let event):
            guard let index = arena.owners[node] else { return }
            act(event, at: node, attack: index)
        case .said(let node, let fact, let time): conclude(from: fact, of: node, at: time)
        }
    }

    private mutating func act(_ event: Event, at node: String, attack index: Int) {
        guard let attack = attacks[index] else { return }
        var out = Outbox(now: arena.fabric.now, sequence: localSequences[node] ?? 1 << 32)
        attack.handle(event, at: node, &out)
        localSequences[node] = out.nextSequence
        arena.fabric.submit(out.effects, from: node)
        planWake(index)
    }

    private mutating func planWake(_ index: Int) {
        guard let wake = attacks[index]?.nextWake, wake < plannedWakes[index] ?? .never else { return }
        plannedWakes[index] = wake
        schedule(.wake(attack: index), at: wake)
    }

    private mutating func beginStep(_ index: Int) {
        let step = redirect(index)
        let targets = (step.nodes + step.networks).joined(separator: " ")
        switch step.act {
        case .fault(let name):
            arena.fabric.observe(
                Fact(.faultStarted, [.fault: .text(name.rawValue), .instance: .text(step.id), .target: .text(targets)]))
            let fault = Faults.make(name, step, seed: configuration.setting.seed)
            faults[index] = fault
            carryOut(fault?.begin ?? [], of: step)
        case .attack(let name):
            arena.fabric.observe(
                Fact(.attackStarted, [.attack: .text(name.rawValue), .instance: .text(step.id), .target: .text(targets)]))
            absorb()
            guard let step = withGains(step) else {
                return
            }
            guard let attack = Attacks.make(step, name) else { return }
            attacks[index] = attack
            arena.actor = index
            attack.apply(&arena)
            carryOut(arena.takeOrders())
            planWake(index)
        case .update(let order):
            release(order, of: step)
        case .operate(.recover):
            carryOut(step.nodes.map { ProcessOrder(.recover, node: $0, generation: 0, template: step.id) })
        case .operate(.handOver): handOver(step)
        case .operate(.withdraw):
            guard let withdrawal = step.withdrawal else { return }
            for node in step.nodes { command(CommandName.withdraw, JSON.encode(withdrawal), to: node) }
        case .operate(let act) where act.isOfInventory:
            let order = InventoryOrder(step: step.id, devices: step.nodes, group: step.group)
            command(act.rawValue, JSON.encode(order), to: serviceInCharge)
        case .operate(let act):
            let order = OperatorOrder(step: step.id, overlapNanoseconds: step.duration("overlap")?.nanoseconds)
            for node in step.nodes { command(act.rawValue, JSON.encode(order), to: node) }
            if let rollout = step.rollout { release(rollout, of: step) }
        }
    }

    /// What is said of the service from a hand-over on means the new owner's.
    private mutating func redirect(_ index: Int) -> Step {
        var step = configuration.steps[index]
        guard serviceInCharge != ServiceNode.maker, step.nodes == [ServiceNode.maker] else { return step }
        step.nodes = [serviceInCharge]
        redirected[index] = step
        return step
    }

    private mutating func release(_ order: UpdateOrder, of step: Step) {
        let release = Release(step: step.id, packages: order.packages, terms: order.terms, signingKey: order.signingKey)
        command(CommandName.release, JSON.encode(release), to: serviceInCharge)
    }

    /// The former owner publishes the update, and gives the new one what he has to know.
    private mutating func handOver(_ step: Step) {
        guard let names = configuration.successorNames, let order = step.rollout else { return }
        release(order, of: step)
        command(CommandName.handOver, JSON.encode(ServiceNode.successor), to: ServiceNode.maker)
        serviceInCharge = ServiceNode.successor
        arena.handOver(to: serviceInCharge, names)
    }

    /// An attack that uses another's gains aims at what that one has got into; nil if it is nothing.
    private func withGains(_ step: Step) -> Step? {
        guard let uses = step.uses else { return step }
        let source = configuration.steps.last { $0.name == uses && $0.at < step.at }
        var aimed = step
        aimed.nodes = step.nodes.filter { node in gains[source?.id ?? ""]?[node].map { $0 <= arena.fabric.now } ?? false }
        return aimed.nodes.isEmpty ? nil : aimed
    }

    /// Who has no power hears of it when he has it again.
    private mutating func command(_ name: String, _ body: [UInt8], to node: String) {
        if generations[node] == nil {
            waiting[node, default: []].append(.command(name, body))
        } else {
            arena.fabric.command(name, body, to: node)
        }
    }

    mutating func endStep(_ index: Int) {
        let step = redirected.removeValue(forKey: index) ?? configuration.steps[index]
        switch step.act {
        case .fault(let name):
            arena.fabric.end(step.id)
            carryOut(faults.removeValue(forKey: index)?.end ?? [], of: step)
            arena.fabric.observe(Fact(.faultEnded, [.fault: .text(name.rawValue), .instance: .text(step.id)]))
        case .attack(let name):
            guard let attack = attacks[index] else { return }
            // While its nodes are still known as its own.
            absorb()
            arena.actor = index
            attack.recover(&arena)
            carryOut(arena.takeOrders())
            arena.unwatch()
            attacks[index] = nil
            arena.fabric.observe(Fact(.attackEnded, [.attack: .text(name.rawValue), .instance: .text(step.id)]))
        case .operate(.handOver):
            retired.insert(ServiceNode.maker)
            kill(ServiceNode.maker, hostStaysUp: false)
        case .update, .operate: break
        }
    }

    private mutating func carryOut(_ effects: [FaultEffect], of step: Step) {
        for effect in effects {
            switch effect {
            case .condition(let fault):
                arena.fabric.begin(
                    fault, id: step.id, networks: Set(step.networks), nodes: Set(step.nodes), sides: sides(of: step), name: step.act.name)
            case .command(let name, let body, let node): command(name, body, to: node)
            case .cut(let node, nil, let pause, let hostStaysUp): cut(node, for: pause, hostStaysUp: hostStaysUp)
            case .cut(let node, let at?, let pause, _): schedule(.cut(node: node, pause: pause), at: at)
            case .cutAtFlashOperation(let node, let count, let pause):
                powerPauses[node] = (step.id, pause)
                command(CommandName.powerCut, JSON.encode(count), to: node)
            }
        }
    }

    private func sides(of step: Step) -> Sides? {
        guard step.hasSides else { return nil }
        let direction = step.word("direction").flatMap(Sides.Direction.init(rawValue:)) ?? .both
        return Sides(direction, networks: Set(step.otherNetworks ?? []), nodes: Set(step.otherNodes ?? []))
    }

    /// Takes a process away and brings it back.
    private mutating func cut(_ node: String, for pause: Duration, hostStaysUp: Bool) {
        guard kill(node, hostStaysUp: hostStaysUp) else { return }
        schedule(.restart(node: node), at: arena.fabric.now + pause)
    }

    @discardableResult
    private mutating func kill(_ node: String, hostStaysUp: Bool) -> Bool {
        guard let generation = generations[node] else { return false }
        scheduler.leave(node)
        silence(node)
        pending.removeAll { $0.node == node }
        arena.fabric.takeDown(node, hostStaysUp: hostStaysUp)
        tellUse(of: node)
        arena.fabric.observe(Fact(.processKilled, [.name: .text(node)]))
        generations[node] = nil
        lastGeneration[node] = generation
        sendToCoordinator(.processWanted(ProcessOrder(.kill, node: node, generation: generation)))
        return true
    }

    private mutating func restart(_ node: String) {
        let generation = (lastGeneration[node] ?? 0) + 1
        // Somebody has brought it back already: a technician, while the power was away.
        guard generations[node] == nil, !retired.contains(node), !awaited.contains(PeerName.of(node, generation)) else { return }
        awaited.insert(PeerName.of(node, generation))
        sendToCoordinator(.processWanted(ProcessOrder(.start, node: node, generation: generation)))
    }

    private mutating func carryOut(_ orders: [ProcessOrder]) {
        for order in orders {
            switch order.verb {
            case .kill: kill(order.node, hostStaysUp: false)
            // When the run is over nothing is started any more.
            case _ where phase == .finished: break
            case .start, .clone, .duplicate: want(order)
            case .rewrite, .glitch, .recover:
                // A device that has no power already is as good as one that loses it.
                kill(order.node, hostStaysUp: false)
                want(
                    ProcessOrder(order.verb, node: order.node, generation: (lastGeneration[order.node] ?? 0) + 1, template: order.template))
            }
        }
    }

    private mutating func want(_ order: ProcessOrder) {
        var order = order
        // A name that has been used before: its process is another now.
        if let last = lastGeneration[order.node] { order.generation = max(order.generation, last + 1) }
        awaited.insert(PeerName.of(order.node, order.generation))
        sendToCoordinator(.processWanted(order))
    }
}

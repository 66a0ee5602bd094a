import Fabric
import Faults
import Testing
import Wire

/// Two nodes on two networks, driven by hand.
struct Wires {
    var fabric: Fabric
    private var sequence: UInt64 = 0
    private(set) var received: [(node: String, delivery: Delivery)] = []

    init(latency: Duration = .milliseconds(10), loss: Double = 0, bitsPerSecond: Int64? = nil, seed: UInt64 = 1) {
        fabric = Fabric(
            networks: [
                NetworkSpec(name: "home", latencyNanoseconds: latency.nanoseconds, bitsPerSecond: bitsPerSecond, lossRatio: loss),
                NetworkSpec(name: "cloud", latencyNanoseconds: latency.nanoseconds * 2),
            ], links: [["home", "cloud"]], seed: seed)
        fabric.attach(node("a", "home", 1))
        fabric.attach(node("b", "cloud", 2))
    }

    private func node(_ name: String, _ network: String, _ bits: UInt32) -> NodeSpec {
        NodeSpec(name: name, role: .device, network: network, address: Address(bits: bits), host: "\(name).test")
    }

    mutating func act(_ node: String, _ action: Action, at time: Instant = .start) {
        fabric.submit([Effect(at: max(time, fabric.now), sequence: sequence, action: action)], from: node)
        sequence += 1
    }

    mutating func run(until: Instant = .never) {
        repeat {
            while fabric.next(before: until) != nil {}
            let arrived = fabric.takeDeliveries()
            received += arrived
            if arrived.isEmpty { break }
        } while true
    }

    /// Hands each event to a node at its instant, which may act then.
    mutating func play(_ react: (inout Wires, String, Delivery) -> Void) {
        var open: [(node: String, delivery: Delivery)] = []
        while true {
            while fabric.next(before: open.map(\.delivery.at).min() ?? .never) != nil {}
            let arrived = fabric.takeDeliveries()
            received += arrived
            open += arrived
            guard arrived.isEmpty else { continue }
            guard let next = open.indices.min(by: { Delivery.isBefore(open[$0].delivery, open[$1].delivery) }) else { return }
            let (node, delivery) = open.remove(at: next)
            react(&self, node, delivery)
        }
    }

    func events(at node: String) -> [Event] {
        received.filter { $0.node == node }.map(\.delivery).sorted(by: Delivery.isBefore).map(\.event)
    }
    func arrivals(at node: String) -> [Int64] { received.filter { $0.node == node }.map { $0.delivery.at.nanoseconds } }
}

@Suite struct StreamTests {
    static let stream = StreamID(raw: 1)
    static let server = Endpoint(Address(bits: 2), 443)

    private func connected(_ wires: inout Wires) {
        wires.act("b", .listen(port: 443))
        wires.run()
        wires.act("a", .connect(Self.stream, to: Self.server))
        wires.run()
    }

    @Test func connectingTakesOneRoundTripAndDataHalfOfOne() {
        var wires = Wires()
        connected(&wires)
        // 10 ms at home and 20 ms in the cloud, each way.
        #expect(wires.arrivals(at: "b") == [30_000_000])
        #expect(wires.arrivals(at: "a") == [60_000_000])
        wires.act("a", .send(Self.stream, [1, 2, 3]), at: Instant(nanoseconds: 60_000_000))
        wires.run()
        #expect(wires.arrivals(at: "b").last == 90_000_000)
        #expect(wires.events(at: "b").last == .received(StreamID(raw: StreamID.accepted | 1), [1, 2, 3]))
    }

    @Test func nobodyListening() {
        var wires = Wires()
        wires.act("a", .connect(Self.stream, to: Self.server))
        wires.act("a", .connect(StreamID(raw: 2), to: Endpoint(Address(bits: 99), 1)))
        wires.run()
        #expect(wires.events(at: "a").contains(.closed(Self.stream, .refused)))
        #expect(wires.events(at: "a").contains(.closed(StreamID(raw: 2), .unreachable)))
    }

    /// What is lost comes later, complete and in order.
    @Test(arguments: 1...20) func lossCostsTimeNotData(seed: UInt64) {
        var wires = Wires(loss: 0.3, seed: seed)
        connected(&wires)
        guard wires.events(at: "a").contains(where: { $0.isConnected(Self.stream) }) else { return }
        for number in 0..<20 { wires.act("a", .send(Self.stream, [UInt8(number)])) }
        wires.run()
        let bytes = wires.events(at: "b").compactMap { if case .received(_, let bytes) = $0 { bytes.first } else { nil } }
        #expect(bytes == (0..<20).map { UInt8($0) })
    }

    @Test func partitionEndsInATimeoutAndEndsClean() {
        var wires = Wires()
        connected(&wires)
        wires.fabric.begin(PartitionFault(), id: "f", networks: ["home"], nodes: [])
        wires.act("a", .send(Self.stream, [1]))
        wires.run()
        #expect(wires.events(at: "a").last == .closed(Self.stream, .timedOut))
        wires.fabric.end("f")
        wires.act("a", .connect(StreamID(raw: 2), to: Self.server))
        wires.run()
        #expect(wires.events(at: "a").last?.isConnected(StreamID(raw: 2)) == true)
    }

    @Test func shortPartitionIsRiddenOut() {
        var wires = Wires()
        connected(&wires)
        wires.fabric.begin(PartitionFault(), id: "f", networks: ["home"], nodes: [])
        wires.act("a", .send(Self.stream, [1]))
        wires.run(until: wires.fabric.now + .seconds(2))
        wires.fabric.end("f")
        wires.run()
        #expect(wires.events(at: "b").last == .received(StreamID(raw: StreamID.accepted | 1), [1]))
    }

    @Test func bandwidthQueuesBytes() {
        var wires = Wires(bitsPerSecond: 8_000)
        connected(&wires)
        wires.act("a", .send(Self.stream, [UInt8](repeating: 0, count: 960)))
        wires.run()
        // 40 bytes of SYN, then 960 and 40 of headers, at 1,000 bytes per second; then 30 ms.
        #expect(wires.arrivals(at: "b").last == 1_070_000_000)
    }

    @Test func latencyFaultAddsAndLeavesNothingBehind() {
        var wires = Wires()
        wires.fabric.begin(LatencyFault(delay: .milliseconds(100)), id: "f", networks: ["home"], nodes: [])
        wires.act("a", .resolve(query: 1, name: "b.test"))
        wires.run()
        #expect(wires.arrivals(at: "a") == [260_000_000])
        wires.fabric.end("f")
        let now = wires.fabric.now.nanoseconds
        wires.act("a", .resolve(query: 2, name: "b.test"))
        wires.run()
        #expect(wires.arrivals(at: "a").last == now + 60_000_000)
    }

    /// A device without power says nothing; a host whose process died resets at once.
    @Test(arguments: [true, false]) func deathOfAPeer(hostStaysUp: Bool) {
        var wires = Wires()
        connected(&wires)
        wires.fabric.skip(to: .start + .seconds(1))
        wires.fabric.takeDown("b", hostStaysUp: hostStaysUp)
        wires.run()
        #expect(wires.events(at: "a").contains(.closed(Self.stream, .reset)) == hostStaysUp)
        wires.fabric.bringUp("b")
        wires.act("a", .send(Self.stream, [1]))
        wires.run()
        #expect(wires.events(at: "a").last == .closed(Self.stream, .reset))
    }

    @Test func datagramsArriveOrAreJustLost() {
        var wires = Wires(loss: 0.5, seed: 4)
        for number in 0..<100 { wires.act("a", .datagram(fromPort: 7, to: Endpoint(Address(bits: 2), 123), [UInt8(number)])) }
        wires.run()
        let arrived = wires.events(at: "b")
        #expect((30...70).contains(arrived.count))
        #expect(arrived.first.map { if case .datagram(123, Endpoint(Address(bits: 1), 7), _) = $0 { true } else { false } } == true)
    }

    @Test func datagramsAreDuplicatedAndReordered() {
        var wires = Wires()
        wires.fabric.begin(DuplicateFault(ratio: 0.5), id: "d", networks: ["home"], nodes: [])
        wires.fabric.begin(ReorderFault(ratio: 0.5), id: "r", networks: ["home"], nodes: [])
        for number in 0..<100 {
            let at = Instant.start + .milliseconds(number)
            wires.act("a", .datagram(fromPort: 7, to: Endpoint(Address(bits: 2), 123), [UInt8(number)]), at: at)
        }
        wires.run()
        let numbers = wires.events(at: "b").compactMap { if case .datagram(_, _, let bytes) = $0 { bytes.first } else { nil } }
        #expect((130...170).contains(numbers.count))
        #expect(Set(numbers).count == 100)
        #expect(numbers != numbers.sorted())
    }

    @Test func namesAreLookedUp() {
        var wires = Wires()
        wires.act("a", .resolve(query: 1, name: "b.test"))
        wires.act("a", .resolve(query: 2, name: "nobody.test"))
        wires.run()
        #expect(
            Set(wires.events(at: "a").map { "\($0)" })
                == Set([
                    "\(Event.resolved(query: 1, Address(bits: 2)))", "\(Event.resolved(query: 2, nil))",
                ]))
    }

    /// A position on the path: what passes can be seen, changed, dropped and answered by somebody else.
    @Test func tapsSeeAndChange() {
        struct Meddler: Tap {
            mutating func inspect(_ passage: inout Passage, now: Instant) {
                switch passage.content {
                case .data: passage.content = .data([9])
                case .lookup: passage.content = .lookup(name: "", answer: Address(bits: 77))
                case .connect, .datagram: break
                }
            }
        }
        var wires = Wires()
        connected(&wires)
        wires.fabric.taps.append((by: .step(0), tap: Meddler()))
        wires.act("a", .send(Self.stream, [1, 2, 3]))
        wires.act("a", .resolve(query: 5, name: "b.test"))
        wires.run()
        #expect(wires.events(at: "b").last == .received(StreamID(raw: StreamID.accepted | 1), [9]))
        #expect(wires.events(at: "a").contains(.resolved(query: 5, Address(bits: 77))))
    }

    @Test func effectsOfADeadNodeAreCounted() {
        var wires = Wires()
        wires.fabric.takeDown("a", hostStaysUp: false)
        wires.act("a", .connect(Self.stream, to: Self.server))
        wires.run()
        #expect(wires.fabric.dropped == 1)
    }

    @Test func addingANodeChangesNoDrawOfAnother() {
        func arrivals(_ extra: Bool) -> [Int64] {
            var wires = Wires(loss: 0.4, seed: 9)
            connected(&wires)
            if extra {
                wires.fabric.attach(
                    NodeSpec(name: "c", role: .device, network: "home", address: Address(bits: 3), host: "c.test"))
                wires.act("c", .resolve(query: 1, name: "b.test"))
            }
            for _ in 0..<10 { wires.act("a", .send(Self.stream, [1])) }
            wires.run()
            return wires.arrivals(at: "b")
        }
        #expect(arrivals(true) == arrivals(false))
    }
}

@Suite struct SchedulerTests {
    @Test func nobodyRunsAheadOfWhatCouldReachIt() {
        var scheduler = Scheduler(lookahead: .milliseconds(10))
        scheduler.join("a", nextWork: Instant(nanoseconds: 0))
        scheduler.join("b", nextWork: Instant(nanoseconds: 5_000_000))
        let grants = scheduler.grants(network: .never, limit: .never)
        #expect(grants.map(\.node) == ["a", "b"])
        // a may be reached by b from 5 ms + 10 ms on; b by a from 10 ms on.
        #expect(grants.map(\.grant.until.nanoseconds) == [15_000_000, 10_000_000])
        #expect(scheduler.safe == .start)
    }

    @Test func aNodeThatIsTooFarAheadWaits() {
        var scheduler = Scheduler(lookahead: .milliseconds(10))
        scheduler.join("a", nextWork: .start)
        scheduler.join("b", nextWork: Instant(nanoseconds: 50_000_000))
        #expect(scheduler.grants(network: .never, limit: .never).map(\.node) == ["a"])
        #expect(scheduler.isRunning("a"))
        scheduler.yielded("a", Yield(effects: [], nextWork: .never, nextSend: .never))
        #expect(scheduler.grants(network: .never, limit: .never).map(\.grant.until) == [.never])
    }

    @Test func thePlanHoldsEverybodyBack() {
        var scheduler = Scheduler(lookahead: .milliseconds(10))
        scheduler.join("a", nextWork: .start)
        let limit = Instant(nanoseconds: 3)
        #expect(scheduler.grants(network: .never, limit: limit).map(\.grant.until) == [limit])
    }
}

extension Event {
    func isConnected(_ stream: StreamID) -> Bool { if case .connected(stream, _) = self { true } else { false } }
}

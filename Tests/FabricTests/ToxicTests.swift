import Fabric
import Faults
import Testing
import Wire

/// What faults do to single connections and to what they carry.
@Suite struct ToxicTests {
    private static let accepted = StreamID(raw: StreamID.accepted | 1)

    private func connected(_ wires: inout Wires, count: UInt32 = 1) {
        wires.act("b", .listen(port: 443))
        wires.run()
        for number in 1...count { wires.act("a", .connect(StreamID(raw: number), to: StreamTests.server)) }
        wires.run()
    }

    private func begin(_ fault: any NetworkFault, _ wires: inout Wires, sides: Sides? = nil, nodes: Set<String> = []) {
        let networks: Set<String> = nodes.isEmpty ? ["home"] : []
        wires.fabric.begin(fault, id: "s1", networks: networks, nodes: nodes, sides: sides, name: "fault")
    }

    private func received(_ wires: Wires, at node: String = "b") -> [[UInt8]] {
        wires.events(at: node).compactMap { if case .received(_, let bytes) = $0 { bytes } else { nil } }
    }

    private func ends(_ wires: Wires, at node: String) -> [StreamEnd] {
        wires.events(at: node).compactMap { if case .closed(_, let end) = $0 { end } else { nil } }
    }

    /// Of whom the journal says that the fault has taken hold.
    private func told(_ wires: inout Wires) -> [Fact] {
        wires.fabric.takeStatements().map(\.observation.fact).filter { $0.kind == .trace && $0.text(.instance) == "s1" }
    }

    @Test func resetPeerResetsBothEndsAfterItsTime() {
        var wires = Wires()
        connected(&wires)
        let begun = wires.fabric.now
        begin(ResetPeerFault(timeout: .seconds(5)), &wires)
        wires.act("a", .send(StreamTests.stream, [1]), at: begun + .seconds(1))
        wires.run()
        #expect(ends(wires, at: "a") == [.reset] && ends(wires, at: "b") == [.reset] && received(wires) == [[1]])
        #expect(wires.arrivals(at: "a").last == (begun + .seconds(5) + .milliseconds(30)).nanoseconds)
        let told = told(&wires)
        #expect(told.count == 1 && told.first?.text(.connection) == "0.0.0.1:32768>443" && told.first?.text(.fault) == "fault")
        // One that is opened later has its own time.
        wires.act("a", .connect(StreamID(raw: 2), to: StreamTests.server), at: begun + .seconds(20))
        wires.run()
        #expect(ends(wires, at: "a") == [.reset, .reset])
        wires.fabric.end("s1")
        wires.act("a", .connect(StreamID(raw: 3), to: StreamTests.server), at: begun + .seconds(40))
        wires.run()
        #expect(ends(wires, at: "a").count == 2)
    }

    @Test(arguments: [(0.0, 0...0), (0.5, 10...30), (1.0, 40...40)]) func toxicityIsAShareOfConnections(
        toxicity: Double, wanted: ClosedRange<Int>
    ) {
        var wires = Wires()
        connected(&wires, count: 40)
        begin(ResetPeerFault(toxicity: toxicity), &wires)
        wires.run()
        #expect(wanted.contains(ends(wires, at: "a").count))
    }

    /// Half-open: nothing arrives, nobody is told, not even that the other has closed.
    @Test func timeoutLeavesConnectionsHalfOpen() {
        var wires = Wires()
        connected(&wires)
        begin(TimeoutFault(), &wires)
        wires.act("a", .send(StreamTests.stream, [1]))
        wires.act("b", .send(Self.accepted, [2]))
        wires.act("b", .close(Self.accepted))
        wires.run(until: wires.fabric.now + .hours(1))
        #expect(received(wires).isEmpty && received(wires, at: "a").isEmpty && ends(wires, at: "a").isEmpty)
        #expect(told(&wires).count == 1)
        wires.fabric.end("s1")
        wires.run()
        #expect(ends(wires, at: "a") == [.finished] && ends(wires, at: "b").isEmpty)
    }

    @Test func timeoutClosesAfterItsTime() {
        var wires = Wires()
        connected(&wires)
        let begun = wires.fabric.now
        begin(TimeoutFault(timeout: .seconds(3)), &wires)
        wires.act("a", .send(StreamTests.stream, [1]))
        wires.run()
        #expect(ends(wires, at: "a") == [.finished] && ends(wires, at: "b") == [.finished] && received(wires).isEmpty)
        #expect(wires.arrivals(at: "a").last == (begun + .seconds(3) + .milliseconds(30)).nanoseconds)
    }

    /// Of a side with a window, too: who sends goes on sending, and keeps no more than it has room for.
    @Test func whatIsSwallowedIsAcknowledged() {
        var wires = Wires()
        connected(&wires)
        for (node, stream) in [("a", StreamTests.stream), ("b", Self.accepted)] { wires.act(node, .window(stream, bytes: 65_536)) }
        wires.run()
        begin(TimeoutFault(), &wires)
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 300_000)))
        wires.run()
        let acknowledged = wires.events(at: "a").reduce(0) { if case .acknowledged(_, let bytes) = $1 { $0 + Int(bytes) } else { $0 } }
        #expect(acknowledged == 300_000 && received(wires).isEmpty)
    }

    @Test func slowCloseTellsOfAnEndLate() {
        var wires = Wires()
        connected(&wires)
        begin(SlowCloseFault(delay: .seconds(4)), &wires)
        let begun = Instant.start + .seconds(1)
        wires.act("b", .send(Self.accepted, [1]), at: begun)
        wires.act("b", .close(Self.accepted), at: begun)
        wires.run()
        #expect(wires.events(at: "a").suffix(2) == [.received(StreamTests.stream, [1]), .closed(StreamTests.stream, .finished)])
        #expect(wires.arrivals(at: "a").suffix(2) == [30_000_000, 4_030_000_000].map { begun.nanoseconds + $0 })
    }

    @Test func theSlicerCutsAndNothingGetsLost() {
        var wires = Wires()
        connected(&wires)
        begin(SlicerFault(averageBytes: 100, variationBytes: 50, delay: .milliseconds(10)), &wires)
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        wires.act("a", .send(StreamTests.stream, bytes))
        wires.act("a", .send(StreamTests.stream, [7]))
        wires.run()
        let pieces = received(wires)
        #expect((7...21).contains(pieces.count) && Array(pieces.joined()) == bytes + [7])
        #expect(pieces.dropLast(2).allSatisfy { (50...150).contains($0.count) } && Set(pieces.map(\.count)).count > 2)
        let times = wires.arrivals(at: "b").dropFirst()
        #expect(zip(times, times.dropFirst()).dropLast().allSatisfy { $1 - $0 == 10_000_000 })
    }

    @Test func limitDataCutsOff() {
        var wires = Wires()
        connected(&wires)
        begin(LimitDataFault(bytes: 250), &wires)
        for _ in 0..<4 { wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 100))) }
        wires.run()
        #expect(received(wires).map(\.count) == [100, 100, 50])
        #expect(ends(wires, at: "a") == [.finished] && ends(wires, at: "b") == [.finished])
    }

    @Test func corruptFlipsABitOfAPacket() {
        var wires = Wires()
        connected(&wires)
        begin(CorruptFault(ratio: 0.5), &wires)
        let bytes = [UInt8](repeating: 0, count: 1460 * 100)
        wires.act("a", .send(StreamTests.stream, bytes))
        wires.act("a", .datagram(fromPort: 7, to: Endpoint(Address(bits: 2), 123), [UInt8](repeating: 0, count: 1460 * 100)))
        wires.run()
        let datagrams = wires.events(at: "b").compactMap { if case .datagram(_, _, let bytes) = $0 { bytes } else { nil } }
        for all in received(wires) + datagrams {
            let flipped = stride(from: 0, to: all.count, by: 1460).map { all[$0..<$0 + 1460].reduce(0) { $0 + $1.nonzeroBitCount } }
            #expect(all.count == bytes.count && Set(flipped) == [0, 1] && (30...70).contains(flipped.reduce(0, +)))
        }
        #expect(received(wires).count == 1 && datagrams.count == 1 && told(&wires).count == 2)
    }

    @Test func truncateTakesTheEndOffAPacket() {
        var wires = Wires()
        connected(&wires)
        begin(TruncateFault(ratio: 1), &wires)
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 1400)))
        wires.act("a", .datagram(fromPort: 7, to: Endpoint(Address(bits: 2), 123), [UInt8](repeating: 1, count: 1400)))
        wires.run()
        let datagrams = wires.events(at: "b").compactMap { if case .datagram(_, _, let bytes) = $0 { bytes.count } else { nil } }
        #expect(received(wires).allSatisfy { $0.count < 1400 } && datagrams.allSatisfy { $0 < 1400 } && datagrams.count == 1)
    }

    /// A seed says what is hit, and nothing that happens elsewhere changes it.
    @Test func damageRepeats() {
        func heard(_ seed: UInt64, others: Bool) -> [[UInt8]] {
            var wires = Wires(seed: seed)
            connected(&wires)
            begin(CorruptFault(ratio: 0.3), &wires)
            if others {
                wires.act("b", .connect(StreamID(raw: 9), to: Endpoint(Address(bits: 1), 443)))
                wires.act("b", .send(Self.accepted, [UInt8](repeating: 0, count: 99)))
            }
            for _ in 0..<20 { wires.act("a", .send(StreamTests.stream, [0, 0, 0])) }
            wires.run()
            return received(wires)
        }
        #expect(heard(3, others: false) == heard(3, others: true) && heard(3, others: false) != heard(4, others: false))
    }

    // MARK: Sides

    /// What goes from the target is lost; what comes arrives, once, though nobody is told that it did.
    @Test func aPartitionInOneDirection() {
        var wires = Wires()
        connected(&wires)
        begin(PartitionFault(), &wires, sides: Sides(.to), nodes: ["a"])
        wires.act("b", .send(Self.accepted, [1]))
        wires.run()
        #expect(received(wires, at: "a") == [[1]] && ends(wires, at: "b") == [.timedOut])
        #expect(told(&wires).count == 1)
        wires.act("a", .listen(port: 443))
        wires.act("b", .connect(StreamID(raw: 5), to: Endpoint(Address(bits: 1), 443)))
        wires.act("a", .connect(StreamID(raw: 6), to: StreamTests.server))
        wires.run()
        #expect(wires.events(at: "b").contains(.closed(StreamID(raw: 5), .timedOut)))
        #expect(wires.events(at: "a").contains(.closed(StreamID(raw: 6), .timedOut)))
        #expect(!wires.events(at: "a").contains { if case .accepted = $0 { true } else { false } })
    }

    /// A short one costs time only: what was there already is not heard twice.
    @Test func aShortPartitionInOneDirectionIsRiddenOut() {
        var wires = Wires()
        connected(&wires)
        begin(PartitionFault(), &wires, sides: Sides(.from), nodes: ["a"])
        wires.act("a", .send(StreamTests.stream, [1]))
        wires.act("b", .send(Self.accepted, [2]))
        wires.run(until: wires.fabric.now + .seconds(2))
        #expect(received(wires) == [[1]] && received(wires, at: "a").isEmpty)
        wires.fabric.end("s1")
        wires.run()
        #expect(received(wires) == [[1]] && received(wires, at: "a") == [[2]] && ends(wires, at: "a").isEmpty)
    }

    @Test func aPartitionBetweenTwoSides() {
        var wires = Wires()
        wires.fabric.attach(NodeSpec(name: "c", role: .device, network: "cloud", address: Address(bits: 3), host: "c.test"))
        connected(&wires)
        wires.act("c", .listen(port: 443))
        wires.run()
        begin(PartitionFault(), &wires, sides: Sides(.both, nodes: ["b"]), nodes: ["a"])
        wires.act("a", .connect(StreamID(raw: 2), to: Endpoint(Address(bits: 3), 443)))
        wires.act("a", .connect(StreamID(raw: 3), to: StreamTests.server))
        wires.act("c", .connect(StreamID(raw: 4), to: StreamTests.server))
        wires.run()
        #expect(wires.events(at: "a").contains { $0.isConnected(StreamID(raw: 2)) })
        #expect(wires.events(at: "a").contains(.closed(StreamID(raw: 3), .timedOut)))
        #expect(wires.events(at: "c").contains { $0.isConnected(StreamID(raw: 4)) })
    }

    /// Nobody has said that the name is not there.
    @Test(arguments: [Sides?.none, Sides(.to), Sides(.from)]) func aLookUpThatNobodyAnswers(sides: Sides?) {
        var wires = Wires()
        begin(sides == nil ? DNSOutageFault() : PartitionFault(), &wires, sides: sides)
        wires.act("a", .resolve(query: 1, name: "b.test"))
        wires.act("a", .resolve(query: 2, name: "nobody.test"))
        wires.run()
        #expect(wires.events(at: "a") == [.resolved(query: 2, nil), .unanswered(query: 1)])
        let told = told(&wires)
        #expect(told.count == 1 && told.first?.text(.wanted) == "b.test" && told.first?.text(.name) == "a")
    }

    // MARK: Handshakes

    private struct Limit: NetworkFault {
        func apply(to conditions: inout LinkConditions) { conditions.toxics.append(Toxic(.handshakes(perSecond: 2, inClear: [80]))) }
    }

    @Test func connectionsWaitForTheirTurn() {
        var wires = Wires()
        wires.act("b", .listen(port: 443))
        wires.act("b", .listen(port: 80))
        wires.run()
        begin(Limit(), &wires, nodes: ["b"])
        for number: UInt32 in 1...200 { wires.act("a", .connect(StreamID(raw: number), to: StreamTests.server)) }
        for number: UInt32 in 201...210 { wires.act("a", .connect(StreamID(raw: number), to: Endpoint(Address(bits: 2), 80))) }
        wires.run(until: .start + .milliseconds(900))
        let taken = wires.received.filter { $0.node == "b" }.map(\.delivery)
        let (limited, free) = (taken.filter { $0.event.isAccepted(443) }, taken.filter { $0.event.isAccepted(80) })
        // As many as there is room for; the others try again.
        #expect(limited.count == 129 && free.count == 10)
        #expect(zip(limited, limited.dropFirst()).allSatisfy { $1.at - $0.at == .milliseconds(500) })
        #expect(free.allSatisfy { $0.at == .start + .milliseconds(30) })
        // Whose turn has not come is connected, and is not read.
        #expect(wires.events(at: "a").contains { $0.isConnected(StreamID(raw: 100)) })
        wires.act("a", .send(StreamID(raw: 100), [9]))
        wires.run(until: .start + .milliseconds(980))
        let read = wires.received.last { if case .received(_, [9]) = $0.delivery.event { true } else { false } }
        #expect(read.map { $0.delivery.at > .start + .seconds(40) } == true)
        // The first has not waited.
        #expect(told(&wires).count == 128)
    }
}

extension Event {
    fileprivate func isAccepted(_ port: UInt16) -> Bool { if case .accepted(_, port, _) = self { true } else { false } }
}

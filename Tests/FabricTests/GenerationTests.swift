import Fabric
import Faults
import Testing
import Wire

/// A node that comes back has the name of the one before, and numbers everything from one again. Nothing that one began may reach it.
@Suite struct GenerationTests {
    private static let server = Endpoint(Address(bits: 2), 443)

    private func restart(_ node: String, _ wires: inout Wires) {
        wires.fabric.takeDown(node, hostStaysUp: false)
        wires.fabric.bringUp(node)
    }

    @Test func anAnswerToTheOneBeforeDoesNotReachIt() {
        var wires = Wires()
        wires.fabric.begin(Unanswered(), id: "dns", networks: ["home", "cloud"], nodes: [])
        wires.act("a", .resolve(query: 1, name: "b.test"))
        wires.run(until: .start + .milliseconds(1500))
        restart("a", &wires)
        wires.fabric.end("dns")
        wires.run()
        #expect(wires.events(at: "a").isEmpty)
    }

    /// The old connection's end would end the new one, since both have number 1.
    @Test func anOldConnectionDoesNotEndANewOneOfTheSameNumber() {
        var wires = Wires()
        wires.act("b", .listen(port: 443))
        wires.run()
        wires.act("a", .connect(StreamID(raw: 1), to: Self.server))
        wires.run()
        wires.fabric.begin(PartitionFault(), id: "f", networks: ["home"], nodes: [])
        wires.act("a", .send(StreamID(raw: 1), [1]))
        wires.run(until: wires.fabric.now + .milliseconds(1))
        restart("a", &wires)
        wires.fabric.end("f")
        let before = wires.events(at: "a").count
        wires.act("a", .connect(StreamID(raw: 1), to: Self.server))
        wires.run()
        // What the first one had in flight, and the other side's next word on it.
        guard case .accepted(let old, _, _)? = wires.events(at: "b").first else {
            Issue.record("b was not reached")
            return
        }
        wires.act("b", .send(old, [9]))
        wires.run()
        wires.act("a", .send(StreamID(raw: 1), [2]))
        wires.run()
        let connected = wires.events(at: "a").dropFirst(before)
        #expect(connected.count == 1 && connected.first?.isConnected(StreamID(raw: 1)) == true)
        #expect(wires.events(at: "b").contains { if case .received(_, [2]) = $0 { true } else { false } })
        #expect(!wires.events(at: "b").contains { if case .received(_, [1]) = $0 { true } else { false } })
    }

    /// What a node was still computing when its power went, after it has come back.
    @Test func whatTheOneBeforeHadInMindIsNotDone() {
        var wires = Wires()
        wires.fabric.heeded = ["a"]
        wires.act("a", .resolve(query: 1, name: "b.test"), at: .start + .seconds(2))
        wires.act("a", .observe(Fact(.osReady)), at: .start + .seconds(2))
        wires.fabric.skip(to: .start + .seconds(1))
        restart("a", &wires)
        #expect(wires.fabric.next(before: .never) == nil)
        #expect(wires.events(at: "a").isEmpty)
        wires.act("a", .observe(Fact(.osReady)), at: .start + .seconds(3))
        #expect(wires.fabric.next(before: .never) == .said(node: "a", Fact(.osReady), at: .start + .seconds(3)))
    }

    @Test func eachNodeCountsItsOwnPorts() {
        var wires = Wires()
        wires.act("b", .listen(port: 443))
        wires.act("a", .listen(port: 443))
        wires.run()
        for number in 1...2 { wires.act("a", .connect(StreamID(raw: UInt32(number)), to: Self.server)) }
        wires.act("b", .connect(StreamID(raw: 1), to: Endpoint(Address(bits: 1), 443)))
        wires.run()
        func ports(_ node: String) -> [UInt16] {
            wires.events(at: node).compactMap { if case .accepted(_, _, let from) = $0 { from.port } else { nil } }
        }
        #expect(ports("b") == [32_768, 32_769])
        #expect(ports("a") == [32_768])
    }

    /// Steps come first at their instant; no name of a node comes before them or among them.
    @Test func namesDoNotCollideWithTheNetworksOwn() {
        #expect(Origin.plan < Origin.network && Origin.network < Origin.step(7) && Origin.step(7) < Origin.node("7"))
        #expect(Origin.node("network") != Origin.network)
    }

    private struct Unanswered: NetworkFault {
        func apply(to conditions: inout LinkConditions) { conditions.resolves = false }
    }
}

import Fabric
import Testing
import Wire

/// Flow control, for sides that ask for it.
@Suite struct WindowTests {
    private static let accepted = StreamID(raw: StreamID.accepted | 1)
    private static let window = 64 << 10

    private func connected(_ wires: inout Wires, windows: [String]) {
        wires.act("b", .listen(port: 443))
        wires.run()
        wires.act("a", .connect(StreamTests.stream, to: StreamTests.server))
        wires.run()
        for node in windows {
            wires.act(node, .window(node == "a" ? StreamTests.stream : Self.accepted, bytes: UInt32(Self.window)))
        }
        wires.run()
    }

    private func received(_ wires: Wires) -> [UInt8] {
        wires.events(at: "b").flatMap { event -> [UInt8] in
            if case .received(Self.accepted, let bytes) = event { bytes } else { [] }
        }
    }

    /// A reset is told as one, once, and what waited behind a window comes no more.
    @Test func aResetIsNoEnd() {
        var wires = Wires()
        connected(&wires, windows: ["a", "b"])
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 7, count: 2 * Self.window)))
        wires.run()
        let taken = received(wires).count
        wires.act("a", .reset(StreamTests.stream))
        wires.run()
        #expect(wires.events(at: "b").suffix(1) == [.closed(Self.accepted, .reset)] && received(wires).count == taken)
        let told = wires.events(at: "b").count
        wires.act("b", .consumed(Self.accepted, bytes: 20_000))
        wires.act("a", .reset(StreamTests.stream))
        wires.run()
        #expect(wires.events(at: "b").count == told && !wires.events(at: "a").contains(.closed(StreamTests.stream, .reset)))
    }

    @Test func whatTheReceiverHasNoRoomForWaits() {
        var wires = Wires()
        connected(&wires, windows: ["a", "b"])
        let all = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        for start in stride(from: 0, to: all.count, by: 40_000) {
            wires.act("a", .send(StreamTests.stream, Array(all[start..<start + 40_000])))
        }
        wires.act("a", .finish(StreamTests.stream))
        wires.run()
        var taken = received(wires).count
        #expect((48_000...Self.window).contains(taken))
        // As slowly as it reads, so slowly it comes.
        while taken < all.count {
            wires.act("b", .consumed(Self.accepted, bytes: 20_000))
            wires.run()
            let now = received(wires).count
            #expect(now > taken && now - taken <= 40_000, "\(now)")
            taken = now
        }
        #expect(received(wires) == all)
        #expect(wires.events(at: "b").last == .finished(Self.accepted))
        // All that has arrived is acknowledged, once.
        let told = wires.events(at: "a").reduce(0) { if case .acknowledged(_, let bytes) = $1 { $0 + Int(bytes) } else { $0 } }
        #expect(told == all.count)
    }

    /// Whoever has shut his half hears the other one out.
    @Test func anAnswerComesAfterTheEnd() {
        var wires = Wires()
        connected(&wires, windows: ["a", "b"])
        wires.act("a", .send(StreamTests.stream, [1]))
        wires.act("a", .finish(StreamTests.stream))
        wires.run()
        wires.act("a", .send(StreamTests.stream, [9]))
        wires.act("b", .send(Self.accepted, [2, 3]))
        wires.act("b", .finish(Self.accepted))
        wires.run()
        #expect(received(wires) == [1])
        let last = wires.events(at: "a").suffix(3)
        #expect(last.contains(.received(StreamTests.stream, [2, 3])) && last.last == .finished(StreamTests.stream), "\(last)")
    }

    /// Nodes without windows know of no halves.
    @Test func toOthersTheStreamIsClosed() {
        var wires = Wires()
        connected(&wires, windows: ["a"])
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 100_000)))
        wires.act("a", .finish(StreamTests.stream))
        wires.run()
        #expect(received(wires).count == 100_000)
        #expect(wires.events(at: "b").last == .closed(Self.accepted, .finished))
    }

    /// What somebody on the way makes shorter or longer is counted as it arrives.
    @Test func aChangedLengthStopsNothing() {
        struct Meddler: Tap {
            mutating func inspect(_ passage: inout Passage, now: Instant) {
                if case .data(let bytes) = passage.content { passage.content = .data(bytes + bytes.prefix(1000)) }
            }
        }
        var wires = Wires()
        connected(&wires, windows: ["b"])
        wires.fabric.taps.append((by: .step(0), tap: Meddler()))
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 200_000)))
        wires.run()
        var taken = 0
        while received(wires).count > taken {
            wires.act("b", .consumed(Self.accepted, bytes: UInt32(received(wires).count - taken)))
            taken = received(wires).count
            wires.run()
        }
        #expect(taken == 200_000 + 1000 * 13)
    }

    /// The least of it that matters: bytes leave a slow link as fast as it goes, and no faster.
    @Test func aFullWindowKeepsTheLinkBusy() {
        var wires = Wires(bitsPerSecond: 1_000_000)
        connected(&wires, windows: ["a", "b"])
        let begun = wires.fabric.now.nanoseconds
        wires.act("a", .send(StreamTests.stream, [UInt8](repeating: 1, count: 1_000_000)))
        var taken = 0
        repeat {
            wires.run()
            let now = received(wires).count
            wires.act("b", .consumed(Self.accepted, bytes: UInt32(now - taken)))
            taken = now
        } while taken < 1_000_000
        let seconds = Double(wires.arrivals(at: "b").last! - begun) / 1e9
        // With headers 8.22 s; what waits for the window's news is a part of it.
        #expect((8.2...10.5).contains(seconds), "\(seconds)")
    }
}

/// Names beside a node's own.
@Suite struct NameTests {
    private func answers(_ names: [String], _ asked: [String]) -> [Address?] {
        var wires = Wires()
        wires.fabric.attach(
            NodeSpec(name: "c", role: .gateway, network: "cloud", address: Address(bits: 3), host: "c.test", names: names))
        for (index, name) in asked.enumerated() { wires.act("a", .resolve(query: UInt32(index), name: name)) }
        wires.run()
        return asked.indices.map { index in
            wires.events(at: "a").lazy.compactMap { event -> Address?? in
                if case .resolved(UInt32(index), let address) = event { .some(address) } else { nil }
            }.first ?? nil
        }
    }

    @Test func namesAndWildcards() {
        let found = Address(bits: 3)
        let asked = [
            "example.com", "EXAMPLE.com", "www.example.com", "hub.azure-devices.net", "a.b.azure-devices.net", "azure-devices.net",
        ]
        #expect(answers(["example.com", "*.azure-devices.net"], asked) == [found, found, nil, found, found, nil])
        #expect(answers(["*.example.com", "b.test"], ["b.test", "b.example.com"]) == [found, found])
    }

    @Test func theyGoWithTheirNode() {
        var wires = Wires()
        wires.fabric.attach(
            NodeSpec(name: "c", role: .gateway, network: "cloud", address: Address(bits: 3), host: "c.test", names: ["*.example.com"]))
        wires.fabric.detach("c")
        wires.act("a", .resolve(query: 1, name: "x.example.com"))
        wires.run()
        #expect(wires.events(at: "a").contains(.resolved(query: 1, nil)))
    }
}

import Testing
import Wire

@Suite struct FrameTests {
    static let frames: [Frame] = [
        .hello(Hello(node: "fridge-1", generation: 3, publicIdentity: "ab")),
        .welcome(clock: .virtual, now: Instant(nanoseconds: 5)),
        .grant(
            Grant(
                until: Instant(nanoseconds: 9), lookahead: .milliseconds(8),
                deliveries: [
                    Delivery(at: .start, source: "a", sequence: 1, event: .start),
                    Delivery(at: .start, source: "a", sequence: 2, event: .received(StreamID(raw: 7), [1, 2, 3])),
                    Delivery(at: .start, source: "b", sequence: 3, event: .closed(StreamID(raw: 7), .timedOut)),
                    Delivery(at: .start, source: "b", sequence: 4, event: .resolved(query: 4, nil)),
                    Delivery(at: .start, source: "b", sequence: 5, event: .unanswered(query: 5)),
                ])),
        .yield(
            Yield(
                effects: [
                    Effect(at: .start, sequence: 0, action: .connect(StreamID(raw: 1), to: Endpoint(Address(bits: 1), 443))),
                    Effect(at: .start, sequence: 1, action: .observe(Fact(.handshake, [.result: "accepted", .count: -5]))),
                ], nextWork: .never, nextSend: .start, use: FrameTests.use)),
        .journal([Observation(at: .start, node: "ü", sequence: 1, fact: Fact(.osReady))]),
        .processWanted(ProcessOrder(.clone, node: "x", generation: 0, template: "y")),
        .progress(.start, dropped: 7), .finished(.start), .refused("why"), .stop, .ready, .finish, .capture([9]),
        .processGone(node: "x", generation: 2), .deliver([]), .effects([]),
    ]

    private static let use: ResourceUse = {
        var use = ResourceUse()
        (use.cpuNanoseconds, use.sentBytes, use.receivedBytes) = (1, 2 << 40, 3)
        (use.erasedSectors, use.programmedBytes, use.mostErasures) = (4, 5, 6)
        return use
    }()

    @Test(arguments: frames) func roundTrip(frame: Frame) throws {
        #expect(try Frame(bytes: frame.encoded()) == frame)
    }

    /// Every cut and every changed byte gives a frame or a named refusal: never a trap.
    @Test(arguments: frames) func garbledFramesAreRefusedByName(frame: Frame) {
        let bytes = frame.encoded()
        for length in 0..<bytes.count {
            #expect(throws: WireError.self) { try Frame(bytes: Array(bytes[..<length])) }
        }
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x7F, 0xFF] {
                var changed = bytes
                changed[index] = value
                do throws(WireError) { _ = try Frame(bytes: changed) } catch { #expect("\(error)" != "") }
            }
        }
    }

    @Test func refusalsSayWhatIsWrong() {
        #expect(throws: WireError.wrongVersion(9)) { try Frame(bytes: [9, 0]) }
        #expect(throws: WireError.unknownKind(200)) { try Frame(bytes: [1, 200]) }
        #expect(throws: WireError.trailingBytes(1)) { try Frame(bytes: Frame.stop.encoded() + [0]) }
        #expect(throws: WireError.oversize(bytes: Frame.maximumBytes + 1)) {
            try Frame(bytes: [UInt8](repeating: 1, count: Frame.maximumBytes + 1))
        }
    }

    /// A list that claims four billion elements takes no memory.
    @Test func lyingLengthsAreRefused() {
        #expect(throws: WireError.truncated) { try Frame(bytes: [1, 2, 0xFF, 0xFF, 0xFF, 0xFF]) }
    }
}

@Suite struct SeedStreamTests {
    @Test func streamsDependOnEachPartOfTheirName() {
        let base = Array(draws(SeedStream(seed: 1, node: "a", purpose: "b")))
        #expect(base == draws(SeedStream(seed: 1, node: "a", purpose: "b")))
        for other in [
            SeedStream(seed: 2, node: "a", purpose: "b"), SeedStream(seed: 1, node: "ab", purpose: ""),
            SeedStream(seed: 1, node: "a", purpose: "c"), SeedStream(seed: 1, node: "a", purpose: "b", generation: 1),
        ] { #expect(draws(other) != base) }
    }

    @Test func unitStaysInsideItsRange() {
        var stream = SeedStream(seed: 3, node: "n", purpose: "p")
        for _ in 0..<1000 { #expect((0..<1).contains(stream.unit())) }
        #expect(stream.bytes(13).count == 13)
    }

    private func draws(_ stream: SeedStream) -> [UInt64] {
        var stream = stream
        return (0..<4).map { _ in stream.next() }
    }
}

@Suite struct NodeRunnerTests {
    /// Wakes every second, sends at each third wake.
    struct Ticker: Node {
        var nextWake: Instant? = Instant(nanoseconds: 1_000_000_000)
        var count = 0
        mutating func handle(_ event: Event, _ out: inout Outbox) {
            guard event == .wake else {
                out.observe(.exchange)
                return
            }
            count += 1
            out.observe(.osReady, [.count: .number(Int64(count))])
            if count % 3 == 0 { out.act(.send(StreamID(raw: 1), [UInt8(count)])) }
            nextWake = out.now + .seconds(1)
        }
    }

    /// What a node does must not depend on how its time is cut into grants.
    @Test func resultsDoNotDependOnTheSizeOfGrants() {
        func run(steps: [Int64]) -> [Effect] {
            var runner = NodeRunner(Ticker())
            var effects: [Effect] = []
            let delivery = Delivery(
                at: Instant(nanoseconds: 7_500_000_000), source: "x", sequence: 1,
                event: .connected(StreamID(raw: 1), local: Endpoint(Address(bits: 7), 32768)))
            for (index, until) in steps.enumerated() {
                // After it sends, a node stops early: grant the same stretch until it is done.
                var yield: Yield
                repeat {
                    yield = runner.run(
                        Grant(
                            until: Instant(nanoseconds: until), lookahead: .milliseconds(10),
                            deliveries: index == 0 && effects.isEmpty ? [delivery] : []))
                    effects += yield.effects
                } while yield.nextWork.nanoseconds < until
            }
            return effects
        }
        let whole = run(steps: [20_000_000_000])
        #expect(whole == run(steps: Array(stride(from: 500_000_000, through: 20_000_000_000, by: 500_000_000))))
        #expect(whole.count == 19 + 6 + 1)
    }

    /// Answers each byte with two, takes a second for it, and loses its power with the third event.
    private struct Echo: Node {
        var nextWake: Instant?
        var hasPower = true
        var count = 0
        var ownUse: ResourceUse {
            var use = ResourceUse()
            (use.cpuNanoseconds, use.erasedSectors, use.programmedBytes) = (7, 1, 2)
            return use
        }
        mutating func handle(_ event: Event, _ out: inout Outbox) {
            guard hasPower, case .received(let stream, let bytes) = event else { return }
            count += 1
            out.spend(.seconds(1))
            out.act(.send(stream, bytes + bytes))
            out.act(.datagram(fromPort: 1, to: Endpoint(Address(bits: 1), 2), [0]))
            hasPower = count < 3
        }
    }

    /// What a node has used is what it did, not what it waited; what a cable carries is none of the network's.
    @Test func useIsWhatANodeDidWhileItHadPower() {
        let cable = StreamID(uart: 0)
        let events: [Event] = [
            .received(StreamID(raw: 1), [1, 2, 3]), .received(cable, [1]), .datagram(port: 1, from: Endpoint(Address(bits: 1), 2), [1, 2]),
            .received(StreamID(raw: 1), [4]), .received(StreamID(raw: 1), [5, 6, 7, 8]),
        ]
        let deliveries = events.enumerated().map {
            Delivery(at: .start + .hours(Int64($0.offset)), source: "x", sequence: UInt64($0.offset), event: $0.element)
        }
        func use(_ ends: [Instant]) -> ResourceUse? {
            var runner = NodeRunner(Echo())
            var last: ResourceUse?
            for (index, until) in ends.enumerated() {
                var yield: Yield
                var inbox = index == 0 ? deliveries : []
                repeat {
                    yield = runner.run(Grant(until: until, lookahead: .milliseconds(1), deliveries: inbox))
                    inbox = []
                } while yield.nextWork < until
                last = yield.use
            }
            return last
        }
        let whole = use([.never])
        #expect(whole?.cpuNanoseconds == 3_000_000_007)
        // Twice 3 and 1, and three datagrams. The cable's bytes count neither way, and the last event found no power.
        #expect(whole?.sentBytes == 11)
        #expect(whole?.receivedBytes == 6)
        #expect(whole?.erasedSectors == 1 && whole?.programmedBytes == 2)
        #expect(use([.start + .hours(1), .start + .hours(3), .never]) == whole)
    }

    @Test func computingDelaysWhatFollows() {
        struct Slow: Node {
            var nextWake: Instant?
            mutating func handle(_ event: Event, _ out: inout Outbox) {
                out.spend(.seconds(2))
                out.observe(.osReady)
            }
        }
        var runner = NodeRunner(Slow())
        let deliveries = (0..<2).map { Delivery(at: .start, source: "x", sequence: UInt64($0), event: .start) }
        let yield = runner.run(Grant(until: .never, lookahead: .milliseconds(1), deliveries: deliveries))
        #expect(yield.effects.map(\.at.nanoseconds) == [2_000_000_000, 4_000_000_000])
    }
}

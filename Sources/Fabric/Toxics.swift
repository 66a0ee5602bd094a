import Wire

/// What befalls single connections, or what they carry, while a condition lasts. Named as Toxiproxy and Chaos Mesh name it.
public struct Toxic: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// Both ends are reset so long after it took hold.
        case resetPeer(after: Duration)
        /// Nothing gets through any more, not even that a side has closed, and nobody is told: half-open. Both ends are closed after a time;
        /// without one, when the condition is over.
        case timeout(after: Duration?)
        /// That a side has closed is known so much later.
        case slowClose(delay: Duration)
        /// What is sent at once comes in pieces of this many bytes, give or take, one `delay` after the other.
        case slicer(averageBytes: Int, variationBytes: Int, delay: Duration)
        /// After so many bytes in one direction the rest is cut off, and both ends are closed.
        case limitData(bytes: Int)
        /// A share of the packets has one bit flipped, unseen by their checksums.
        case corrupt(ratio: Double)
        /// A share of the packets loses its end, unseen by their checksums.
        case truncate(ratio: Double)
        /// Connections are taken no faster than this; others wait in the backlog. Ports in clear have no handshake.
        case handshakes(perSecond: Int, inClear: Set<UInt16>)
    }

    public var kind: Kind
    /// The share of connections that it takes hold of, 0…1.
    public var toxicity: Double
    /// By which fault.
    var fault = ""

    public init(_ kind: Kind, toxicity: Double = 1) { (self.kind, self.toxicity) = (kind, toxicity) }
}

extension Stream {
    /// What a toxic has to do with one connection.
    struct Grip {
        var toxic: Toxic
        /// Spared by ``Toxic/toxicity``.
        var isSpared: Bool
        /// By lane: draws, and bytes that have passed since it took hold.
        var draws: [SeedStream]
        var passed = [0, 0]
        /// Something has got lost that nobody sends again.
        var hasSwallowed = false
        /// The journal has it.
        var isTold = false
    }
}

extension Fabric {
    /// As many connections wait to be taken as Linux's `SOMAXCONN` once let; then knocks are not answered.
    static var backlog: Int { 128 }

    /// A connection has opened, or a fault has begun.
    mutating func takeHold(of number: Int) {
        guard let stream = streams[number], stream.isOpen else { return }
        let (client, server) = (stream.sides[0], stream.sides[1])
        var toxics = path(from: client.node, to: server.node)?.toxics ?? []
        for toxic in path(from: server.node, to: client.node)?.toxics ?? [] where !toxics.contains(where: { $0.fault == toxic.fault }) {
            toxics.append(toxic)
        }
        for toxic in toxics where stream.grips[toxic.fault] == nil {
            let name = Connection(client.endpoint, to: server.endpoint.port)
            var draws = SeedStream(seed: seed, node: client.node, purpose: "toxic \(toxic.fault) \(name)")
            let isSpared = draws.unit() >= toxic.toxicity
            streams[number]?.grips[toxic.fault] = Stream.Grip(
                toxic: toxic, isSpared: isSpared, draws: [draws.branch(), draws.branch()])
            switch toxic.kind {
            case _ where isSpared: break
            case .resetPeer(let after), .timeout(let after?):
                push(.toxicEnds(stream: number, fault: toxic.fault), at: now + max(after, .zero), source: .network)
            default: break
            }
        }
    }

    /// What holds a connection in one direction, in the order of the faults.
    private mutating func grips(on stream: Stream, _ lane: Int) -> [(fault: String, grip: Stream.Grip)] {
        guard !stream.grips.isEmpty else { return [] }
        let known = path(from: stream.sides[lane].node, to: stream.sides[1 - lane].node)?.toxics ?? []
        return stream.grips.filter { fault, grip in !grip.isSpared && known.contains { $0.fault == fault } }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }

    /// The time of a connection is over.
    mutating func toxicEnds(_ number: Int, _ fault: String) {
        guard let grip = streams[number]?.grips[fault], faults[fault] != nil else { return }
        tell(fault, number)
        switch grip.toxic.kind {
        case .resetPeer: endBoth(number, .reset)
        default: endBoth(number, .finished)
        }
    }

    /// Connections from which something is missing cannot go on when that is over.
    mutating func release(from fault: String) {
        for number in streams.keys.sorted() {
            if streams[number]?.grips[fault]?.hasSwallowed == true { endBoth(number, .finished) }
            streams[number]?.grips[fault] = nil
        }
    }

    /// Whether what a side sends is gone without anybody's knowing.
    mutating func isSwallowed(_ number: Int, _ lane: Int) -> Bool {
        guard let stream = streams[number] else { return false }
        for (fault, grip) in grips(on: stream, lane) {
            guard case .timeout = grip.toxic.kind else { continue }
            streams[number]?.grips[fault]?.hasSwallowed = true
            tell(fault, number)
            return true
        }
        return false
    }

    /// The pieces that a payload is sent in, and the time between them; nil for one.
    mutating func slices(of payload: Stream.Payload, _ number: Int, _ lane: Int) -> (pieces: [Stream.Payload], delay: Duration)? {
        guard case .data(let bytes) = payload, let stream = streams[number] else { return nil }
        for (fault, grip) in grips(on: stream, lane) {
            guard case .slicer(let average, let variation, let delay) = grip.toxic.kind else { continue }
            var own = grip.draws[lane]
            var draws = own.branch()
            streams[number]?.grips[fault]?.draws[lane] = own
            var pieces: [Stream.Payload] = []
            var start = 0
            while start < bytes.count {
                let size = max(1, average - variation + Int(draws.unit() * Double(2 * variation + 1)))
                pieces.append(.data(Array(bytes[start..<min(bytes.count, start + size)])))
                start += size
            }
            guard pieces.count > 1 else { return nil }
            tell(fault, number)
            return (pieces, delay)
        }
        return nil
    }

    /// What becomes of something that has arrived, in the order of the stream.
    ///
    /// - Returns: What is delivered, how much later, and whether the connection is over with it.
    mutating func affect(_ payload: Stream.Payload, _ number: Int, _ lane: Int) -> (payload: Stream.Payload, late: Duration, isOver: Bool) {
        guard let stream = streams[number] else { return (payload, .zero, false) }
        var (payload, late, isOver) = (payload, Duration.zero, false)
        for (fault, grip) in grips(on: stream, lane) {
            var draws = grip.draws[lane]
            let before = payload
            switch (grip.toxic.kind, payload) {
            case (.slowClose(let delay), .end), (.slowClose(let delay), .finish): late += delay
            case (.limitData(let limit), .data(let bytes)):
                let room = max(0, limit - grip.passed[lane])
                if bytes.count >= room { isOver = true }
                payload = .data(Array(bytes.prefix(room)))
                streams[number]?.grips[fault]?.passed[lane] += min(bytes.count, room)
            case (.corrupt, .data(let bytes)), (.truncate, .data(let bytes)):
                payload = .data(Fabric.damaged(bytes, grip.toxic.kind, &draws))
                streams[number]?.grips[fault]?.draws[lane] = draws
            default: break
            }
            if payload != before || late > .zero || isOver { tell(fault, number) }
        }
        return (payload, late, isOver)
    }

    /// A datagram on its way.
    mutating func damaged(_ bytes: [UInt8], from: String, to: String, _ toxics: [Toxic]) -> [UInt8] {
        var bytes = bytes
        for toxic in toxics {
            let before = bytes
            var draws =
                nodes[from]?.draws["\(to) \(toxic.fault)"] ?? SeedStream(seed: seed, node: from, purpose: "damage \(toxic.fault) \(to)")
            bytes = Fabric.damaged(bytes, toxic.kind, &draws)
            nodes[from]?.draws["\(to) \(toxic.fault)"] = draws
            if bytes != before { tell(toxic.fault, from: from, to: to) }
        }
        return bytes
    }

    /// Each packet by itself.
    private static func damaged(_ bytes: [UInt8], _ kind: Toxic.Kind, _ stream: inout SeedStream) -> [UInt8] {
        var draws = stream.branch()
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: payloadBytes) {
            var packet = Array(bytes[start..<min(bytes.count, start + payloadBytes)])
            switch kind {
            case .corrupt(let ratio) where draws.unit() < ratio:
                packet[Int(draws.unit() * Double(packet.count))] ^= 1 << UInt8(draws.unit() * 8)
            case .truncate(let ratio) where draws.unit() < ratio: packet.removeLast(packet.count - Int(draws.unit() * Double(packet.count)))
            default: break
            }
            result += packet
        }
        return result
    }

    /// When a connection that has come to a node is taken there; nil if it has no room to wait in.
    ///
    /// - Parameter node: Nil where nobody listens.
    mutating func turn(of stream: Stream, at node: String?, arriving time: Instant) -> (at: Instant, fault: String?)? {
        guard hasToxics, let node else { return (time, nil) }
        for toxic in path(from: stream.sides[0].node, to: node)?.toxics ?? [] {
            guard case .handshakes(let rate, let inClear) = toxic.kind, !inClear.contains(stream.sides[1].endpoint.port), rate > 0 else {
                continue
            }
            let each = Duration.nanoseconds(1_000_000_000 / Int64(rate))
            let turn = max(time, nodes[node]?.handshakeFreeAt ?? .start)
            if turn - time > each * Fabric.backlog { return nil }
            nodes[node]?.handshakeFreeAt = turn + each
            return (turn, turn > time ? toxic.fault : nil)
        }
        return (time, nil)
    }

    // MARK: Telling

    /// Writes down, once for each connection, that a fault has taken hold of it.
    mutating func tell(_ fault: String, _ number: Int) {
        guard let stream = streams[number], let active = faults[fault] else { return }
        if stream.grips[fault] == nil {
            guard streams[number]?.told.insert(fault).inserted == true else { return }
        } else {
            guard stream.grips[fault]?.isTold == false else { return }
            streams[number]?.grips[fault]?.isTold = true
        }
        observe(Fact(.trace, details(of: stream).merging(active.marks(fault)) { $1 }))
    }

    /// The same of what belongs to no connection: datagrams from one node to another.
    mutating func tell(_ fault: String, from: String, to: String) {
        guard let active = faults[fault], faults[fault]?.told.insert("\(from) \(to)").inserted == true else { return }
        observe(Fact(.trace, [.name: .text(from), .peer: .text(to)].merging(active.marks(fault)) { $1 }))
    }

    /// Each look-up that nobody has answered.
    mutating func tell(_ fault: String, lookUp name: String, of node: String) {
        guard let active = faults[fault] else { return }
        observe(Fact(.trace, [.name: .text(node), .operation: "look up", .wanted: .text(name)].merging(active.marks(fault)) { $1 }))
    }
}

extension Fabric.ActiveFault {
    func marks(_ id: String) -> [Fact.Detail: Fact.Value] { [.fault: .text(name), .instance: .text(id)] }
}

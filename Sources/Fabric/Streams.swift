import Wire

/// A connection between two nodes. Side 0 opened it, side 1 accepted it.
struct Stream {
    struct Side {
        var node: String
        var id: StreamID
        var endpoint: Endpoint
        var isClosed = false
        /// It has sent all that it will.
        var hasFinished = false
        /// How many bytes it takes that it has not consumed; nil for all that come.
        var window: Int?
    }

    enum Payload: Equatable {
        case data([UInt8])
        /// One side sends no more.
        case finish
        case end
        /// What somebody on the way has swallowed.
        case nothing

        var count: Int { if case .data(let bytes) = self { bytes.count } else { 0 } }
    }

    /// One `send` of a node, with the packets of it that are still to arrive.
    struct Unit {
        var payload: Payload
        /// As it was sent, whatever somebody has made of it on the way.
        var bytes: Int
        var packetsLeft: Int
        var attempts = 0
        /// It is there; only its sender does not know, since nothing comes back.
        var hasArrived = false
    }

    /// What one side has sent and the other has not yet seen.
    struct Lane {
        var nextUnit = 0
        var nextExpected = 0
        var inFlight: [Int: Unit] = [:]
        var arrived: [Int: (at: Instant, payload: Payload, bytes: Int)] = [:]
        var floor = Instant.start
        /// What a full window keeps at the sender, and how many bytes of the window are taken.
        var held: [Payload] = []
        var taken = 0

        /// The next in the order of the stream, if it is there.
        mutating func takeNext() -> (at: Instant, payload: Payload, bytes: Int)? {
            guard let next = arrived.removeValue(forKey: nextExpected) else { return nil }
            nextExpected += 1
            return next
        }
    }

    var sides: [Side]
    var lanes = [Lane(), Lane()]
    var isOpen = false
    var isOrphan = false
    /// Who has laid hands on it.
    var marks: Set<Origin> = []
    var connectAttempts = 0
    /// What holds it, by the fault; and faults that the journal has told of it.
    var grips: [String: Grip] = [:]
    var told: Set<String> = []

    /// Both sides have closed it, and nothing is under way that the other's host has to wait for.
    var isOver: Bool {
        sides.allSatisfy(\.isClosed) && lanes.allSatisfy { $0.inFlight.isEmpty && $0.held.isEmpty && $0.arrived.isEmpty }
    }

    func side(of node: String) -> Int? { sides.firstIndex { $0.node == node } }
}

extension Fabric {
    /// RFC 6298: one second for the first SYN, doubled each time; six tries as Linux does by default.
    static var connectTries: Int { 6 }
    /// Streams whose end is under way: as many as a busy node closes within a round trip, before those that are over are cleared away.
    static var endsKept: Int { 64 }
    /// About 200 ms × (2⁸ − 1) = 51 s until a sender gives up.
    static var sendTries: Int { 8 }

    mutating func open(_ id: StreamID, to endpoint: Endpoint, from node: String) {
        guard let source = nodes[node]?.spec.address else { return }
        guard let target = nodeAt[endpoint.address], target != node else {
            deliver(.closed(id, .unreachable), to: node, at: now + lookahead + lookahead, from: .network)
            return
        }
        let number = nextStream
        nextStream += 1
        let ephemeral = freePort(of: node)
        streams[number] = Stream(sides: [
            .init(node: node, id: id, endpoint: Endpoint(source, ephemeral)),
            .init(node: target, id: StreamID(raw: 0), endpoint: endpoint),
        ])
        streamOf[node, default: [:]][id] = number
        tryConnect(number)
    }

    /// Linux's range. Each node counts its own, over restarts too: a port says whose connection it was.
    private mutating func freePort(of node: String) -> UInt16 {
        let (first, count) = (32_768, 28_232)
        func isUsed(_ port: UInt16) -> Bool {
            streamOf[node]?.values.contains { number in
                guard let client = streams[number]?.sides[0] else { return false }
                return client.endpoint.port == port && client.node == node
            } ?? false
        }
        for _ in 0..<count {
            let port = UInt16(first + (nodes[node]?.connections ?? 0) % count)
            nodes[node]?.connections += 1
            if !isUsed(port) { return port }
        }
        return UInt16(first)
    }

    /// Whether a side's process is the one that the stream was made with: another may have its name now, and numbers
    /// its streams from one again.
    func isCurrent(_ number: Int, _ side: Stream.Side) -> Bool { streamOf[side.node]?[side.id] == number }

    mutating func tryConnect(_ number: Int) {
        guard var stream = streams[number], !stream.isOpen else { return }
        let client = stream.sides[0]
        guard isCurrent(number, client) else { return forget(number) }
        let meant = nodeAt[stream.sides[1].endpoint.address] ?? ""
        let passage = pass(
            .connect(to: stream.sides[1].endpoint), from: client.node, to: meant, stream: number,
            isRetransmission: stream.connectAttempts > 0)
        let target = passage.divertedTo ?? meant
        let isAnswered = nodes[target]?.listening.contains(stream.sides[1].endpoint.port) == true || passage.divertedTo != nil
        // An attacker who is not there tries nothing, though what comes of it is his doing.
        let answer: [Fact.Detail: Fact.Value] =
            isAnswered ? [.answeredBy: .text(target)] : [.code: .text(Code.connectionRefused.rawValue)]
        if let owner = nodes[target]?.owner { mark(number, by: [owner], answer) }
        mark(number, by: passage.hands + [nodes[client.node]?.owner].compactMap(\.self))
        guard !passage.dropped, !isCut(from: client.node, to: target, number),
            let (arrival, lost) = carry(bytes: 0, packets: 1, from: client.node, to: target), lost == 0,
            !isCut(from: target, to: client.node, number), let turn = turn(of: stream, at: isAnswered ? target : nil, arriving: arrival)
        else {
            // A host whose process is gone still answers: nobody listens here.
            if nodes[target]?.isUp == false, nodes[target]?.isHostUp == true, nodes[target]?.spec.role == .service {
                drop(number, tell: 0, .refused)
                return
            }
            stream.connectAttempts += 1
            stream.told = streams[number]?.told ?? []
            streams[number] = stream
            if stream.connectAttempts >= Fabric.connectTries {
                drop(number, tell: 0, .timedOut)
            } else {
                let wait = Duration.seconds(1 << (stream.connectAttempts - 1))
                push(.connectAgain(stream: number), at: now + wait, source: .node(client.node))
            }
            return
        }
        let back = arrival + (path(from: target, to: client.node)?.latency ?? lookahead)
        guard isAnswered else {
            if nodes[target]?.isUp == true, nodes[client.node]?.owner != nil { observeClosedPort(of: target, on: stream) }
            drop(number, tell: 0, .refused)
            return
        }
        let raw = (nextAccepted[target] ?? 0) + 1
        nextAccepted[target] = raw
        stream.sides[1].node = target
        stream.sides[1].id = StreamID(raw: raw | StreamID.accepted)
        stream.isOpen = true
        streams[number] = stream
        streamOf[target, default: [:]][stream.sides[1].id] = number
        deliver(
            .accepted(stream.sides[1].id, port: stream.sides[1].endpoint.port, from: client.endpoint),
            to: target, at: turn.at, from: .node(client.node))
        deliver(.connected(client.id, local: client.endpoint), to: client.node, at: back, from: .node(target))
        // Answers must not overtake the handshake, and nothing is read before the connection is taken.
        streams[number]?.lanes[1].floor = back
        if turn.at > arrival { streams[number]?.lanes[0].floor = turn.at }
        if let fault = turn.fault { tell(fault, number) }
        if hasToxics { takeHold(of: number) }
    }

    /// Writes down, once for each of them, that a connection is somebody's doing.
    private mutating func mark(_ number: Int, by actors: [Origin], _ more: [Fact.Detail: Fact.Value] = [:]) {
        for actor in actors where streams[number]?.marks.insert(actor).inserted == true {
            guard let stream = streams[number] else { return }
            observe(Fact(.trace, details(of: stream).merging(more) { $1 }), by: actor)
        }
    }

    /// A host that runs has said by itself that nobody is there for an attacker.
    private mutating func observeClosedPort(of target: String, on stream: Stream) {
        observe(Fact(.portClosed, details(of: stream).merging([.peer: .text(target)]) { $1 }))
    }

    func details(of stream: Stream) -> [Fact.Detail: Fact.Value] {
        let connection = Connection(stream.sides[0].endpoint, to: stream.sides[1].endpoint.port)
        return [.connection: .text("\(connection)"), .name: .text(stream.sides[0].node), .peer: .text(stream.sides[1].node)]
    }

    mutating func enqueue(_ payload: Stream.Payload, on id: StreamID, from node: String) {
        guard let number = streamOf[node]?[id], let stream = streams[number], let side = stream.side(of: node),
            !stream.sides[side].isClosed, payload == .end || !stream.sides[side].hasFinished
        else {
            // Who will hear of the end anyway hears it behind all that was sent before (RFC 9293 section 3.5.2).
            if case .data = payload, ends[node]?[id] ?? .start <= now {
                deliver(.closed(id, .reset), to: node, at: now + lookahead + lookahead, from: .network)
            }
            return
        }
        guard stream.isOpen else {
            if payload == .end { forget(number) }
            return
        }
        if payload == .end { streams[number]?.sides[side].isClosed = true }
        if payload == .finish { streams[number]?.sides[side].hasFinished = true }
        guard stream.sides[1 - side].window != nil else { return launch(payload, number, side) }
        if case .data(let bytes) = payload {
            for start in stride(from: 0, to: bytes.count, by: Fabric.pieceBytes) {
                streams[number]?.lanes[side].held.append(.data(Array(bytes[start..<min(bytes.count, start + Fabric.pieceBytes)])))
            }
        } else {
            streams[number]?.lanes[side].held.append(payload)
        }
        pump(number, side)
    }

    /// Sends a payload on its way for the first time.
    mutating func launch(_ payload: Stream.Payload, _ number: Int, _ side: Int) {
        guard let unit = streams[number]?.lanes[side].nextUnit, let sender = streams[number]?.sides[side].node else { return }
        if hasToxics, let (pieces, delay) = slices(of: payload, number, side) {
            for (index, piece) in pieces.enumerated() {
                stow(piece, number, side)
                push(.sendAgain(stream: number, lane: side, unit: unit + index), at: now + delay * index, source: .node(sender))
            }
        } else {
            stow(payload, number, side)
            transmit(number, side, unit)
        }
    }

    private mutating func stow(_ payload: Stream.Payload, _ number: Int, _ side: Int) {
        guard let unit = streams[number]?.lanes[side].nextUnit else { return }
        let packets = if case .data(let bytes) = payload { Fabric.packets(for: bytes.count) } else { 1 }
        streams[number]?.lanes[side].nextUnit += 1
        streams[number]?.lanes[side].inFlight[unit] = Stream.Unit(payload: payload, bytes: payload.count, packetsLeft: packets)
    }

    mutating func transmit(_ number: Int, _ lane: Int, _ unitNumber: Int) {
        guard let stream = streams[number], var unit = stream.lanes[lane].inFlight[unitNumber] else { return }
        let (sender, receiver) = (stream.sides[lane].node, stream.sides[1 - lane].node)
        // Nobody is left to send it again.
        guard isCurrent(number, stream.sides[lane]) else { return }
        if stream.isOrphan && nodes[receiver]?.isUp == true {
            drop(number, tell: lane, .reset)
            return
        }
        if hasToxics, isSwallowed(number, lane) {
            streams[number]?.lanes[lane].inFlight[unitNumber] = nil
            streams[number]?.lanes[lane].arrived[unitNumber] = (now, .nothing, unit.bytes)
            return release(number, lane)
        }
        var reached: (arrival: Instant, lost: Int)?
        var size = 0
        if case .data(let bytes) = unit.payload {
            size = min(bytes.count, unit.packetsLeft * Fabric.payloadBytes)
            let passage = pass(
                .data(bytes), from: sender, to: receiver, stream: number, isRetransmission: unit.attempts > 0)
            if case .data(let seen) = passage.content { unit.payload = .data(seen) }
            mark(number, by: passage.hands)
            if !passage.dropped, !isCut(from: sender, to: receiver, number) {
                reached = carry(bytes: size, packets: unit.packetsLeft, from: sender, to: receiver)
            }
        } else if !isCut(from: sender, to: receiver, number) {
            reached = carry(bytes: 0, packets: 1, from: sender, to: receiver)
        }
        if let (arrival, lost) = reached, lost == 0 {
            // Without an acknowledgement it is sent again and again, though the other side has it.
            let isKnown = !isCut(from: receiver, to: sender, number)
            let isNew = !unit.hasArrived
            unit.hasArrived = true
            streams[number]?.lanes[lane].inFlight[unitNumber] = isKnown ? nil : unit
            if isNew {
                streams[number]?.lanes[lane].arrived[unitNumber] = (arrival, unit.payload, unit.bytes)
                release(number, lane)
            } else if isKnown {
                acknowledge(unit.bytes, number, lane, at: arrival)
            }
            if isKnown { return }
        } else {
            unit.packetsLeft = reached.map(\.lost) ?? unit.packetsLeft
        }
        unit.attempts += 1
        streams[number]?.lanes[lane].inFlight[unitNumber] = unit
        if unit.attempts >= Fabric.sendTries {
            drop(number, tell: lane, .timedOut)
            return
        }
        let roundTrip = (path(from: sender, to: receiver)?.latency ?? .zero) * 2
        let timeout = max(.milliseconds(200), roundTrip * 2) * (1 << (unit.attempts - 1))
        push(.sendAgain(stream: number, lane: lane, unit: unitNumber), at: now + timeout, source: .node(sender))
    }

    /// Whether a partition may keep packets from one side only, or from some: in one direction they go, and nothing comes back.
    private mutating func isCut(from node: String, to other: String, _ number: Int) -> Bool {
        guard hasSides, let path = path(from: node, to: other), path.cut else { return false }
        for fault in path.cutBy { tell(fault, number) }
        return true
    }

    /// Delivers what has arrived without a gap before it.
    private mutating func release(_ number: Int, _ lane: Int) {
        while var stream = streams[number], let (at, sentPayload, sent) = stream.lanes[lane].takeNext() {
            streams[number] = stream
            let (payload, late, isOver) = hasToxics ? affect(sentPayload, number, lane) : (sentPayload, .zero, false)
            stream = streams[number] ?? stream
            let (sender, receiver) = (stream.sides[lane], stream.sides[1 - lane])
            let time = max(at, stream.lanes[lane].floor) + late
            if payload != .nothing { stream.lanes[lane].floor = time }
            if receiver.window != nil { stream.lanes[lane].taken += payload.count - sent }
            streams[number] = stream
            if receiver.isClosed || !isCurrent(number, receiver) {
                if stream.isOver { forget(number) }
                continue
            }
            switch payload {
            case .data(let bytes):
                if !bytes.isEmpty { deliver(.received(receiver.id, bytes), to: receiver.node, at: time, from: .node(sender.node)) }
                acknowledge(sent, number, lane, at: time)
            case .nothing:
                acknowledge(sent, number, lane, at: time)
                push(.windowOpens(stream: number, lane: lane, bytes: 0), at: time + lookahead, source: .node(receiver.node))
            case .finish where receiver.window != nil:
                deliver(.finished(receiver.id), to: receiver.node, at: time, from: .node(sender.node))
                // Both have said all, and heard it.
                guard receiver.hasFinished, stream.lanes[1 - lane].inFlight.isEmpty, stream.lanes[1 - lane].held.isEmpty else { continue }
                forget(number)
                return
            case .end, .finish:
                end(receiver, .finished, at: time, from: sender.node)
                forget(number)
                return
            }
            if isOver { return endBoth(number, .finished) }
        }
    }

    /// Tells a side that a stream is over.
    private mutating func end(_ side: Stream.Side, _ end: StreamEnd, at time: Instant, from other: String) {
        deliver(.closed(side.id, end), to: side.node, at: time, from: .node(other))
        if ends[side.node, default: [:]].count >= Fabric.endsKept { ends[side.node] = ends[side.node]?.filter { $0.value > now } }
        ends[side.node, default: [:]][side.id] = max(time, now + lookahead)
    }

    /// Ends a stream for one side; the other side learns of it when it next sends.
    ///
    /// - Parameter trips: How often a packet crosses the network before that side knows: once if the other
    ///   side's host says so by itself, twice if it answers.
    mutating func drop(_ number: Int, tell side: Int, _ end: StreamEnd, trips: Int = 2) {
        guard let stream = streams[number] else { return }
        tell(side, of: stream, number, end, trips)
        forget(number)
    }

    /// Ends a stream for both sides, neither of which has wanted it.
    mutating func endBoth(_ number: Int, _ end: StreamEnd) {
        guard let stream = streams[number] else { return }
        for side in stream.sides.indices where !stream.sides[side].isClosed { tell(side, of: stream, number, end, 1) }
        forget(number)
    }

    /// Behind all that the other side has sent before.
    private mutating func tell(_ side: Int, of stream: Stream, _ number: Int, _ end: StreamEnd, _ trips: Int) {
        let told = stream.sides[side]
        guard isCurrent(number, told) else { return }
        let other = stream.sides[1 - side].node
        let latency = max(path(from: other, to: told.node)?.latency ?? lookahead, lookahead)
        self.end(told, end, at: max(now + latency * trips, stream.lanes[1 - side].floor), from: other)
    }

    mutating func forget(_ number: Int) {
        guard let stream = streams.removeValue(forKey: number) else { return }
        for side in stream.sides where isCurrent(number, side) { streamOf[side.node]?[side.id] = nil }
    }
}

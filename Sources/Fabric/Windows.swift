import Wire

/// Flow control of streams (RFC 9293 section 3.8.6), for sides that ask for it: what a receiver has no room for waits at the sender,
/// and a sender is told what has arrived, so that it can keep no more than it has room for.
extension Fabric {
    /// What is sent at once to a side with a window: eleven full packets.
    static var pieceBytes: Int { 11 * payloadBytes }

    mutating func setWindow(_ bytes: Int, of id: StreamID, at node: String) {
        guard let number = streamOf[node]?[id], let side = streams[number]?.side(of: node) else { return }
        streams[number]?.sides[side].window = bytes
    }

    /// The receiver has read: its next packet says how much room there is now.
    mutating func consumed(_ bytes: Int, on id: StreamID, at node: String) {
        guard let number = streamOf[node]?[id], let stream = streams[number], let side = stream.side(of: node) else { return }
        let time = now + shortestWay(from: node, to: stream.sides[1 - side].node)
        push(.windowOpens(stream: number, lane: 1 - side, bytes: bytes), at: time, source: .node(node))
    }

    /// How long what has no bytes of its own takes at least: never less than nodes may be apart in time.
    private mutating func shortestWay(from node: String, to other: String) -> Duration {
        max(path(from: node, to: other)?.latency ?? lookahead, lookahead)
    }

    mutating func openWindow(_ number: Int, _ lane: Int, _ bytes: Int) {
        guard let taken = streams[number]?.lanes[lane].taken else { return }
        streams[number]?.lanes[lane].taken = max(0, taken - bytes)
        pump(number, lane)
    }

    /// Sends what the window has room for; something at least, if all before it has been read.
    mutating func pump(_ number: Int, _ lane: Int) {
        while let stream = streams[number], let next = stream.lanes[lane].held.first {
            let taken = stream.lanes[lane].taken
            guard next.count == 0 || taken == 0 || taken + next.count <= stream.sides[1 - lane].window ?? .max else { return }
            streams[number]?.lanes[lane].held.removeFirst()
            streams[number]?.lanes[lane].taken += next.count
            launch(next, number, lane)
        }
    }

    /// Tells a sender that keeps count what the other side's host has.
    ///
    /// - Parameter time: When it was delivered.
    mutating func acknowledge(_ bytes: Int, _ number: Int, _ lane: Int, at time: Instant) {
        guard let stream = streams[number], stream.sides[lane].window != nil, isCurrent(number, stream.sides[lane]) else { return }
        let (sender, receiver) = (stream.sides[lane], stream.sides[1 - lane].node)
        // It is sent again then, until one comes through.
        if hasSides, path(from: receiver, to: sender.node)?.cut == true { return }
        deliver(
            .acknowledged(sender.id, bytes: UInt32(bytes)), to: sender.node, at: time + shortestWay(from: receiver, to: sender.node),
            from: .node(receiver))
    }
}

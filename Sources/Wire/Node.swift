/// An address on the emulated network, written like IPv4.
public struct Address: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var bits: UInt32
    public init(bits: UInt32) { self.bits = bits }
    public static func < (a: Address, b: Address) -> Bool { a.bits < b.bits }
    public var description: String {
        "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    }
}

/// Where a stream or a datagram goes.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    public var address: Address
    public var port: UInt16
    public init(_ address: Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }
    public var description: String { "\(address):\(port)" }
}

/// A stream's name at one node: chosen by whoever opens it, given by the fabric to whoever accepts it.
public struct StreamID: Hashable, Comparable, Sendable {
    public var raw: UInt32
    public init(raw: UInt32) { self.raw = raw }
    public static func < (a: StreamID, b: StreamID) -> Bool { a.raw < b.raw }
    /// Streams that the fabric announces have this bit, so that the two sides never choose the same number.
    public static let accepted: UInt32 = 0x8000_0000

    /// UARTs whose other end is outside of the run: what comes and goes there are streams that no network carries.
    private static let firstUART: UInt32 = 0x7E00_0000
    private static let mostUARTs: UInt32 = 16

    /// - Parameter uart: 0…15, as the node numbers them.
    public init(uart: Int) { raw = StreamID.firstUART + UInt32(uart) }

    public var uart: Int? {
        let (number, isBelow) = raw.subtractingReportingOverflow(StreamID.firstUART)
        return isBelow || number >= StreamID.mostUARTs ? nil : Int(number)
    }
}

/// A UART whose other end is outside of the run: a server on this machine, or a terminal.
public struct OutsideUART: Equatable, Sendable {
    /// 0…15, as the node numbers them.
    public var number: Int
    public var name: String
    /// Nil for a terminal.
    public var tcpPort: UInt16?

    public init(number: Int, name: String, tcpPort: UInt16?) { (self.number, self.name, self.tcpPort) = (number, name, tcpPort) }
}

/// How a stream ended, in TCP's terms.
public enum StreamEnd: UInt8, Sendable, CaseIterable {
    case finished, reset, refused, timedOut, unreachable
}

/// What reaches a node.
public enum Event: Equatable, Sendable {
    /// Power is on (a device) or the process may work (any other node).
    case start
    case wake
    /// The resolver has answered; nil if there is no such name.
    case resolved(query: UInt32, Address?)
    /// Nobody has answered a look-up, however often it was sent.
    case unanswered(query: UInt32)
    /// A stream that the node opened is open, and this is its end of it.
    case connected(StreamID, local: Endpoint)
    case accepted(StreamID, port: UInt16, from: Endpoint)
    case received(StreamID, [UInt8])
    case closed(StreamID, StreamEnd)
    /// Only for a side with a ``Action/window(_:bytes:)``: the other has sent all that it will, and still takes what comes (FIN).
    case finished(StreamID)
    /// Only for a side with a ``Action/window(_:bytes:)``: so many bytes more of what it sent are with the other side's host (ACK).
    case acknowledged(StreamID, bytes: UInt32)
    case datagram(port: UInt16, from: Endpoint, [UInt8])
    /// Out of band, from whoever operates the node: a name and a JSON body.
    case command(String, [UInt8])
}

/// What a node does to the world.
public enum Action: Equatable, Sendable {
    case listen(port: UInt16)
    case resolve(query: UInt32, name: String)
    case connect(StreamID, to: Endpoint)
    case send(StreamID, [UInt8])
    case close(StreamID)
    /// Nothing more is sent; what comes is still taken (SHUT_WR). To a side without a window the stream is closed then.
    case finish(StreamID)
    /// The other side is told that this is no end: something may be missing (RST).
    case reset(StreamID)
    /// This side has room for so many bytes that it has not given back by ``consumed(_:bytes:)``; more waits at the sender
    /// (RFC 9293 section 3.8.6). Sides without one take all that comes, at once.
    case window(StreamID, bytes: UInt32)
    case consumed(StreamID, bytes: UInt32)
    case datagram(fromPort: UInt16, to: Endpoint, [UInt8])
    /// The node's own link: whether it is up, and with which address; nil for the one that the network gives it.
    case link(isUp: Bool, Address?)
    /// Out of band, from one operator's service to another's, which gets it as an ``Event/command(_:_:)``: a name and a JSON body.
    case tell(node: String, String, [UInt8])
    case observe(Fact)
}

public struct Effect: Equatable, Sendable {
    public var at: Instant
    public var sequence: UInt64
    public var action: Action
    public init(at: Instant, sequence: UInt64, action: Action) {
        self.at = at
        self.sequence = sequence
        self.action = action
    }
}

/// Collects what a node does while it handles one event, and the time that this costs it.
public struct Outbox {
    public private(set) var now: Instant
    public private(set) var effects: [Effect] = []
    private var sequence: UInt64
    /// Nothing but observations leaves the node: what it does has no way to a network.
    public var isCutOff = false

    public init(now: Instant, sequence: UInt64 = 0) {
        self.now = now
        self.sequence = sequence
    }

    public var nextSequence: UInt64 { sequence }

    /// Computing takes time: what follows happens that much later.
    public mutating func spend(_ cost: Duration) { now = now + cost }

    public mutating func act(_ action: Action) {
        if isCutOff {
            guard case .observe = action else { return }
        }
        effects.append(Effect(at: now, sequence: sequence, action: action))
        sequence += 1
    }

    public mutating func observe(_ kind: Fact.Kind, _ details: [Fact.Detail: Fact.Value] = [:]) {
        act(.observe(Fact(kind, details)))
    }
}

/// Anything with an address on the emulated network: a value that takes events and returns effects.
///
/// A node has no clock, no socket and no unseeded randomness. `Outbox.now` is all the time there is.
public protocol Node {
    mutating func handle(_ event: Event, _ out: inout Outbox)
    /// When the node wants its next `.wake`.
    var nextWake: Instant? { get }
    /// The earliest instant at which the node may send of its own accord; never before ``nextWake``.
    ///
    /// A promise, not a wish: it lets the fabric grant other nodes a longer stretch of time.
    var nextSend: Instant? { get }
    /// A node without it takes nothing in.
    var hasPower: Bool { get }
    /// What only the node itself can tell of what it has used: its flash, and programs whose time is not its outbox's.
    var ownUse: ResourceUse { get }
}

extension Node {
    public var nextSend: Instant? { nextWake }
    public var hasPower: Bool { true }
    public var ownUse: ResourceUse { ResourceUse() }
}

/// Runs one node through granted stretches of virtual time, or event by event in wall time.
public struct NodeRunner<Body: Node> {
    public private(set) var node: Body
    private var inbox: [Delivery] = []
    private var busyUntil = Instant.start
    /// It does nothing before this, though it has power.
    private var hangsUntil = Instant.start
    /// What has come in wall time while it hung.
    private var missed: [Event] = []
    private var sequence: UInt64 = 0
    /// What everything it did has taken, as far as that is seen from outside.
    private var seenUse = ResourceUse()

    public init(_ node: Body) { self.node = node }

    /// All that the node has used since it was made.
    public var use: ResourceUse { seenUse + node.ownUse }

    /// Runs all work before `grant.until`. Once the node has sent, the world may answer from one round
    /// trip later on, so it stops there and waits for the next grant.
    public mutating func run(_ grant: Grant) -> Yield {
        for delivery in grant.deliveries { insert(delivery) }
        var until = grant.until
        var effects: [Effect] = []
        while true {
            let wake = node.nextWake ?? .never
            let arrival = inbox.first?.at ?? .never
            let next = max(min(wake, arrival), hangsUntil)
            guard next < until else { break }
            let event = arrival <= wake ? inbox.removeFirst().event : .wake
            let done = carryOut(event, at: next)
            if let sent = done.first(where: \.action.reachesOthers) {
                until = min(until, sent.at + grant.lookahead + grant.lookahead)
            }
            effects += done
        }
        return Yield(effects: effects, nextWork: nextWork, nextSend: nextSend, use: use)
    }

    /// Handles one event that has just come, at the given time or as soon as the node is free; with one that hangs it waits, and is handled
    /// before the next.
    public mutating func perform(_ event: Event, at time: Instant) -> [Effect] {
        guard time >= hangsUntil else {
            missed.append(event)
            return []
        }
        let due = missed + [event]
        missed = []
        return due.flatMap { carryOut($0, at: time) }
    }

    private mutating func carryOut(_ event: Event, at time: Instant) -> [Effect] {
        if case .command(CommandName.hang, let until) = event {
            hangsUntil = max(hangsUntil, JSON.decode(Instant.self, until) ?? .start)
            return []
        }
        let begin = max(time, busyUntil)
        var out = Outbox(now: begin, sequence: sequence)
        if node.hasPower { seenUse.take(event) }
        node.handle(event, &out)
        seenUse.cpuNanoseconds += (out.now - begin).nanoseconds
        for effect in out.effects { seenUse.take(effect.action) }
        busyUntil = out.now
        sequence = out.nextSequence
        return out.effects
    }

    public var nextWork: Instant {
        missed.isEmpty ? max(min(node.nextWake ?? .never, inbox.first?.at ?? .never), hangsUntil) : hangsUntil
    }
    private var nextSend: Instant { max(min(node.nextSend ?? .never, inbox.first?.at ?? .never), hangsUntil) }

    private mutating func insert(_ delivery: Delivery) {
        let index = inbox.lastIndex { !Delivery.isBefore(delivery, $0) }.map { $0 + 1 } ?? 0
        inbox.insert(delivery, at: index)
    }
}

extension Action {
    var reachesOthers: Bool { if case .observe = self { false } else { true } }
}

extension Frame {
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(Frame.version)
        writer.integer(kind)
        write(to: &writer)
        return writer.bytes
    }

    public init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= Frame.maximumBytes else { throw .oversize(bytes: bytes.count) }
        var reader = ByteReader(bytes)
        let version = try reader.integer(UInt8.self)
        guard version == Frame.version else { throw .wrongVersion(version) }
        self = try Frame(kind: try reader.integer(), from: &reader)
        try reader.end()
    }

    private var kind: UInt8 {
        switch self {
        case .hello: 0
        case .yield: 1
        case .effects: 2
        case .welcome: 3
        case .grant: 4
        case .deliver: 5
        case .stop: 6
        case .processGone: 8
        case .finish: 9
        case .ready: 10
        case .journal: 11
        case .progress: 12
        case .processWanted: 13
        case .finished: 14
        case .refused: 15
        case .capture: 7
        }
    }

    private func write(to writer: inout ByteWriter) {
        switch self {
        case .hello(let hello): hello.write(to: &writer)
        case .yield(let yield): yield.write(to: &writer)
        case .effects(let effects): writer.list(effects) { $1.write(to: &$0) }
        case .welcome(let clock, let now):
            writer.string(clock.rawValue)
            now.write(to: &writer)
        case .grant(let grant): grant.write(to: &writer)
        case .deliver(let deliveries): writer.list(deliveries) { $1.write(to: &$0) }
        case .stop, .finish, .ready: break
        case .processGone(let node, let generation):
            writer.string(node)
            writer.integer(generation)
        case .journal(let observations): writer.list(observations) { $1.write(to: &$0) }
        case .progress(let now, let dropped):
            now.write(to: &writer)
            writer.integer(dropped)
        case .processWanted(let order): order.write(to: &writer)
        case .finished(let now): now.write(to: &writer)
        case .refused(let why): writer.string(why)
        case .capture(let bytes): writer.block(bytes)
        }
    }

    private init(kind: UInt8, from reader: inout ByteReader) throws(WireError) {
        switch kind {
        case 0: self = .hello(try Hello(from: &reader))
        case 1: self = .yield(try Yield(from: &reader))
        case 2: self = .effects(try reader.list { (r) throws(WireError) in try Effect(from: &r) })
        case 3:
            let name = try reader.string()
            guard let clock = ClockKind(rawValue: name) else { throw .malformed("unknown clock '\(name)'") }
            self = .welcome(clock: clock, now: try Instant(from: &reader))
        case 4: self = .grant(try Grant(from: &reader))
        case 5: self = .deliver(try reader.list { (r) throws(WireError) in try Delivery(from: &r) })
        case 6: self = .stop
        case 7: self = .capture(try reader.block())
        case 8: self = .processGone(node: try reader.string(), generation: try reader.integer())
        case 9: self = .finish
        case 10: self = .ready
        case 11: self = .journal(try reader.list { (r) throws(WireError) in try Observation(from: &r) })
        case 12: self = .progress(try Instant(from: &reader), dropped: try reader.integer())
        case 13: self = .processWanted(try ProcessOrder(from: &reader))
        case 14: self = .finished(try Instant(from: &reader))
        case 15: self = .refused(try reader.string())
        default: throw .unknownKind(kind)
        }
    }
}

extension Hello {
    public func write(to writer: inout ByteWriter) {
        writer.string(node)
        writer.integer(generation)
        writer.string(publicIdentity)
        writer.list(marks) { $0.string($1) }
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        node = try reader.string()
        generation = try reader.integer()
        publicIdentity = try reader.string()
        marks = try reader.list { (r) throws(WireError) in try r.string() }
    }
}

extension ProcessOrder {
    public func write(to writer: inout ByteWriter) {
        writer.integer(verb.rawValue)
        writer.string(node)
        writer.integer(generation)
        writer.string(template)
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        let raw = try reader.integer(UInt8.self)
        guard let verb = Verb(rawValue: raw) else { throw .unknownKind(raw) }
        self.verb = verb
        node = try reader.string()
        generation = try reader.integer()
        template = try reader.string()
    }
}

extension Grant {
    public func write(to writer: inout ByteWriter) {
        until.write(to: &writer)
        writer.integer(lookahead.nanoseconds)
        writer.list(deliveries) { $1.write(to: &$0) }
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        until = try Instant(from: &reader)
        lookahead = .nanoseconds(try reader.integer(Int64.self))
        deliveries = try reader.list { (r) throws(WireError) in try Delivery(from: &r) }
    }
}

extension Yield {
    public func write(to writer: inout ByteWriter) {
        writer.list(effects) { $1.write(to: &$0) }
        nextWork.write(to: &writer)
        nextSend.write(to: &writer)
        use.write(to: &writer)
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        effects = try reader.list { (r) throws(WireError) in try Effect(from: &r) }
        nextWork = try Instant(from: &reader)
        nextSend = try Instant(from: &reader)
        use = try ResourceUse(from: &reader)
    }
}

extension Delivery {
    public func write(to writer: inout ByteWriter) {
        at.write(to: &writer)
        writer.string(source)
        writer.integer(sequence)
        event.write(to: &writer)
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        at = try Instant(from: &reader)
        source = try reader.string()
        sequence = try reader.integer()
        event = try Event(from: &reader)
    }
}

extension Effect: WireValue {
    public func write(to writer: inout ByteWriter) {
        at.write(to: &writer)
        writer.integer(sequence)
        action.write(to: &writer)
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        at = try Instant(from: &reader)
        sequence = try reader.integer()
        action = try Action(from: &reader)
    }
}

extension Endpoint: WireValue {
    public func write(to writer: inout ByteWriter) {
        writer.integer(address.bits)
        writer.integer(port)
    }
    public init(from reader: inout ByteReader) throws(WireError) {
        self.init(Address(bits: try reader.integer()), try reader.integer())
    }
}

extension StreamID: WireValue {
    public func write(to writer: inout ByteWriter) { writer.integer(raw) }
    public init(from reader: inout ByteReader) throws(WireError) { raw = try reader.integer() }
}

extension Event: WireValue {
    public func write(to writer: inout ByteWriter) {
        switch self {
        case .start: writer.integer(UInt8(0))
        case .wake: writer.integer(UInt8(1))
        case .resolved(let query, let address):
            writer.integer(UInt8(2))
            writer.integer(query)
            writer.list(address.map { [$0] } ?? []) { $0.integer($1.bits) }
        case .connected(let stream, let local):
            writer.integer(UInt8(3))
            stream.write(to: &writer)
            local.write(to: &writer)
        case .accepted(let stream, let port, let from):
            writer.integer(UInt8(4))
            stream.write(to: &writer)
            writer.integer(port)
            from.write(to: &writer)
        case .received(let stream, let bytes):
            writer.integer(UInt8(5))
            stream.write(to: &writer)
            writer.block(bytes)
        case .closed(let stream, let end):
            writer.integer(UInt8(6))
            stream.write(to: &writer)
            writer.integer(end.rawValue)
        case .datagram(let port, let from, let bytes):
            writer.integer(UInt8(7))
            writer.integer(port)
            from.write(to: &writer)
            writer.block(bytes)
        case .command(let name, let body):
            writer.integer(UInt8(8))
            writer.string(name)
            writer.block(body)
        case .finished(let stream):
            writer.integer(UInt8(9))
            stream.write(to: &writer)
        case .acknowledged(let stream, let bytes):
            writer.integer(UInt8(10))
            stream.write(to: &writer)
            writer.integer(bytes)
        case .unanswered(let query):
            writer.integer(UInt8(11))
            writer.integer(query)
        }
    }

    public init(from reader: inout ByteReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .start
        case 1: self = .wake
        case 2:
            let query = try reader.integer(UInt32.self)
            let addresses = try reader.list { (r) throws(WireError) in Address(bits: try r.integer()) }
            self = .resolved(query: query, addresses.first)
        case 3: self = .connected(try StreamID(from: &reader), local: try Endpoint(from: &reader))
        case 4:
            self = .accepted(
                try StreamID(from: &reader), port: try reader.integer(), from: try Endpoint(from: &reader))
        case 5: self = .received(try StreamID(from: &reader), try reader.block())
        case 6:
            let stream = try StreamID(from: &reader)
            let raw = try reader.integer(UInt8.self)
            guard let end = StreamEnd(rawValue: raw) else { throw .unknownKind(raw) }
            self = .closed(stream, end)
        case 7:
            self = .datagram(
                port: try reader.integer(), from: try Endpoint(from: &reader), try reader.block())
        case 8: self = .command(try reader.string(), try reader.block())
        case 9: self = .finished(try StreamID(from: &reader))
        case 10: self = .acknowledged(try StreamID(from: &reader), bytes: try reader.integer())
        case 11: self = .unanswered(query: try reader.integer())
        case let kind: throw .unknownKind(kind)
        }
    }
}

extension Action: WireValue {
    public func write(to writer: inout ByteWriter) {
        switch self {
        case .listen(let port):
            writer.integer(UInt8(0))
            writer.integer(port)
        case .resolve(let query, let name):
            writer.integer(UInt8(1))
            writer.integer(query)
            writer.string(name)
        case .connect(let stream, let to):
            writer.integer(UInt8(2))
            stream.write(to: &writer)
            to.write(to: &writer)
        case .send(let stream, let bytes):
            writer.integer(UInt8(3))
            stream.write(to: &writer)
            writer.block(bytes)
        case .close(let stream):
            writer.integer(UInt8(4))
            stream.write(to: &writer)
        case .datagram(let fromPort, let to, let bytes):
            writer.integer(UInt8(5))
            writer.integer(fromPort)
            to.write(to: &writer)
            writer.block(bytes)
        case .observe(let fact):
            writer.integer(UInt8(6))
            fact.write(to: &writer)
        case .finish(let stream):
            writer.integer(UInt8(7))
            stream.write(to: &writer)
        case .window(let stream, let bytes):
            writer.integer(UInt8(8))
            stream.write(to: &writer)
            writer.integer(bytes)
        case .consumed(let stream, let bytes):
            writer.integer(UInt8(9))
            stream.write(to: &writer)
            writer.integer(bytes)
        case .reset(let stream):
            writer.integer(UInt8(11))
            stream.write(to: &writer)
        case .link(let isUp, let address):
            writer.integer(UInt8(10))
            writer.integer(UInt8(isUp ? 1 : 0))
            writer.list(address.map { [$0] } ?? []) { $0.integer($1.bits) }
        case .tell(let node, let name, let body):
            writer.integer(UInt8(12))
            writer.string(node)
            writer.string(name)
            writer.block(body)
        }
    }

    public init(from reader: inout ByteReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .listen(port: try reader.integer())
        case 1: self = .resolve(query: try reader.integer(), name: try reader.string())
        case 2: self = .connect(try StreamID(from: &reader), to: try Endpoint(from: &reader))
        case 3: self = .send(try StreamID(from: &reader), try reader.block())
        case 4: self = .close(try StreamID(from: &reader))
        case 5:
            self = .datagram(
                fromPort: try reader.integer(), to: try Endpoint(from: &reader), try reader.block())
        case 6: self = .observe(try Fact(from: &reader))
        case 7: self = .finish(try StreamID(from: &reader))
        case 8: self = .window(try StreamID(from: &reader), bytes: try reader.integer())
        case 9: self = .consumed(try StreamID(from: &reader), bytes: try reader.integer())
        case 10:
            let isUp = try reader.integer(UInt8.self) != 0
            self = .link(isUp: isUp, try reader.list { (r) throws(WireError) in Address(bits: try r.integer()) }.first)
        case 11: self = .reset(try StreamID(from: &reader))
        case 12: self = .tell(node: try reader.string(), try reader.string(), try reader.block())
        case let kind: throw .unknownKind(kind)
        }
    }
}

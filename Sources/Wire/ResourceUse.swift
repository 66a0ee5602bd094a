/// What a device has used up: the price of what protects it.
public struct ResourceUse: WireValue, Codable {
    /// Time in which it has computed, by its own clock: booting, cryptography, and programs on the core of the OS. Not the time in which it
    /// waits, and not what real-time cores do beside the OS.
    public var cpuNanoseconds: Int64 = 0
    /// In streams and datagrams, as the node gave them to the network: without headers, and without what the network sent again.
    public var sentBytes: Int64 = 0
    /// As they arrived while it had power.
    public var receivedBytes: Int64 = 0
    /// Sectors of flash that were erased: what wears it out.
    public var erasedSectors: Int64 = 0
    public var programmedBytes: Int64 = 0
    /// How often the sector was erased, in the whole life of the chip, that was erased most often.
    public var mostErasures: Int64 = 0

    public init() {}

    public static func + (a: ResourceUse, b: ResourceUse) -> ResourceUse {
        var sum = a
        sum.cpuNanoseconds &+= b.cpuNanoseconds
        sum.sentBytes &+= b.sentBytes
        sum.receivedBytes &+= b.receivedBytes
        sum.erasedSectors &+= b.erasedSectors
        sum.programmedBytes &+= b.programmedBytes
        sum.mostErasures = max(a.mostErasures, b.mostErasures)
        return sum
    }

    public static func += (a: inout ResourceUse, b: ResourceUse) { a = a + b }

    public func write(to writer: inout ByteWriter) {
        for number in [cpuNanoseconds, sentBytes, receivedBytes, erasedSectors, programmedBytes, mostErasures] { writer.integer(number) }
    }

    public init(from reader: inout ByteReader) throws(WireError) {
        cpuNanoseconds = try reader.integer()
        sentBytes = try reader.integer()
        receivedBytes = try reader.integer()
        erasedSectors = try reader.integer()
        programmedBytes = try reader.integer()
        mostErasures = try reader.integer()
    }
}

extension ResourceUse {
    /// As the journal has it, of one life of a node.
    public func fact(of node: String) -> Fact {
        Fact(
            .resourcesUsed,
            [
                .name: .text(node), .cpuNanoseconds: .number(cpuNanoseconds), .sentBytes: .number(sentBytes),
                .receivedBytes: .number(receivedBytes), .erasedSectors: .number(erasedSectors), .programmedBytes: .number(programmedBytes),
                .mostErasures: .number(mostErasures),
            ])
    }

    /// Nil for a fact of another kind.
    public init?(_ fact: Fact) {
        guard fact.kind == .resourcesUsed else { return nil }
        cpuNanoseconds = fact.number(.cpuNanoseconds) ?? 0
        sentBytes = fact.number(.sentBytes) ?? 0
        receivedBytes = fact.number(.receivedBytes) ?? 0
        erasedSectors = fact.number(.erasedSectors) ?? 0
        programmedBytes = fact.number(.programmedBytes) ?? 0
        mostErasures = fact.number(.mostErasures) ?? 0
    }

    /// What an event has brought to a node over the network. What a cable brings is none of that.
    mutating func take(_ event: Event) {
        switch event {
        case .received(let stream, let bytes) where stream.uart == nil: receivedBytes += Int64(bytes.count)
        case .datagram(_, _, let bytes): receivedBytes += Int64(bytes.count)
        default: break
        }
    }

    /// What an action of a node gives to the network.
    mutating func take(_ action: Action) {
        switch action {
        case .send(let stream, let bytes) where stream.uart == nil: sentBytes += Int64(bytes.count)
        case .datagram(_, _, let bytes): sentBytes += Int64(bytes.count)
        default: break
        }
    }
}

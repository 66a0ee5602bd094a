import Formats

/// The A7's end of the way to a real-time core: two rings in shared memory and a mailbox (mt3620-silicon §4). Each end
/// owns the header of its own ring and never writes the other's.
struct InterCoreLink: Codable {
    struct Message: Equatable {
        /// 16 bytes of the high-level app's component ID.
        var component: [UInt8]
        var payload: [UInt8]
    }

    enum Refusal: Error, Equatable {
        /// More than 1,024 bytes (HW-16).
        case tooLong
        case full
        /// The other end has broken the ring's rules: nothing works until it is started anew.
        case halted
    }

    private static let ringBytes = 4096
    private static let headerBytes = 64
    private static let dataBytes = ringBytes - headerBytes
    private static let align = 16
    /// Component ID and four reserved bytes stand before the payload.
    private static let prefixBytes = 20
    static let longestPayload = 1024
    /// Where the two rings are: what the real-time core writes, then what it reads.
    static let buffers: UInt32 = 0x8000_0000

    private let inbound: UInt32
    private let outbound: UInt32
    private var written = 0
    private var read = 0
    private(set) var isHalted = false

    /// - Parameter base: Of the two rings: what the real-time core writes, then what it reads.
    init(base: UInt32) {
        inbound = base
        outbound = base + UInt32(Self.ringBytes)
    }

    /// The messages that tell a core where the rings are: address, and the binary logarithm of the size in the low bits.
    var setup: [Mailbox.Message] {
        [
            .init(command: 0xBA5E_0001, data: inbound | 12), .init(command: 0xBA5E_0002, data: outbound | 12),
            .init(command: 0xBA5E_0003, data: 0),
        ]
    }

    private func pointer(_ address: UInt32, _ memory: any DMAMemory) -> Int? {
        guard let value = memory.dmaLoad(address, 4).flatMap({ Bytes($0).u32(0) }), value < UInt32(Self.dataBytes), value % 16 == 0 else {
            return nil
        }
        return Int(value)
    }

    private func publish(_ memory: any DMAMemory) {
        _ = memory.dmaStore(outbound, UInt32(written).littleEndianBytes + UInt32(read).littleEndianBytes)
    }

    private func load(_ ring: UInt32, _ offset: Int, _ count: Int, _ memory: any DMAMemory) -> [UInt8] {
        let first = min(count, Self.dataBytes - offset)
        let data = ring + UInt32(Self.headerBytes)
        return (memory.dmaLoad(data + UInt32(offset), first) ?? []) + (count > first ? memory.dmaLoad(data, count - first) ?? [] : [])
    }

    private func store(_ bytes: [UInt8], at offset: Int, _ memory: any DMAMemory) {
        let first = min(bytes.count, Self.dataBytes - offset)
        let data = outbound + UInt32(Self.headerBytes)
        _ = memory.dmaStore(data + UInt32(offset), Array(bytes[..<first]))
        if bytes.count > first { _ = memory.dmaStore(data, Array(bytes[first...])) }
    }

    private static func next(_ offset: Int, _ blockBytes: Int) -> Int { (offset + (blockBytes + align - 1) / align * align) % dataBytes }

    /// What a message takes of a ring.
    static func bytes(ofPayload count: Int) -> Int { (4 + prefixBytes + count + align - 1) / align * align }

    /// What is left of the ring towards the core. One slot stays free: a full ring would look like an empty one.
    func freeBytes(_ memory: any DMAMemory) -> Int {
        guard !isHalted, let theirs = pointer(inbound + 4, memory) else { return 0 }
        return (theirs - written - 1 + Self.dataBytes) % Self.dataBytes + 1 - Self.align
    }

    /// Puts a message into the ring; the core is then to be told by software interrupt 2.
    mutating func send(_ message: Message, _ memory: any DMAMemory) -> Refusal? {
        guard !isHalted else { return .halted }
        guard message.payload.count <= Self.longestPayload else { return .tooLong }
        guard pointer(inbound + 4, memory) != nil else {
            isHalted = true
            return .halted
        }
        guard freeBytes(memory) >= Self.bytes(ofPayload: message.payload.count) else { return .full }
        let block = UInt32(Self.prefixBytes + message.payload.count).littleEndianBytes + message.component + [0, 0, 0, 0] + message.payload
        store(block, at: written, memory)
        written = Self.next(written, block.count)
        publish(memory)
        return nil
    }

    /// All that the core has written; it is then to be told by software interrupt 1.
    mutating func receive(_ memory: any DMAMemory) -> [Message] {
        var messages: [Message] = []
        guard !isHalted, let end = pointer(inbound, memory) else {
            isHalted = true
            return messages
        }
        while read != end {
            let size = Bytes(load(inbound, read, 4, memory)).u32(0) ?? 0
            let waiting = (end - read + Self.dataBytes) % Self.dataBytes
            guard size >= UInt32(Self.prefixBytes), size <= UInt32(Self.prefixBytes + Self.longestPayload), Int(size) + 4 <= waiting else {
                isHalted = true
                return messages
            }
            let block = load(inbound, read, Int(size) + 4, memory)
            messages.append(Message(component: Array(block[4..<20]), payload: Array(block[24...])))
            read = Self.next(read, Int(size) + 4)
        }
        publish(memory)
        return messages
    }
}

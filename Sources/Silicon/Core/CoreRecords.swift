import CUnicorn
import Formats

/// What is known of a fault: why, where, and the registers that a crash record has.
public struct CoreFault: Equatable, Sendable {
    public var cause: String
    public var pc: UInt32
    public var lr: UInt32
    public var sp: UInt32
    /// Of a data access.
    public var address: UInt32?
    /// The exception that answers it; nil if the core is locked up.
    public var exception: Int?

    init(cause: String, _ core: RealTimeCore, address: UInt32? = nil) {
        self.cause = cause
        pc = core.programCounter
        lr = core.engine[UC_ARM_REG_LR]
        sp = core.engine[UC_ARM_REG_SP]
        self.address = address
    }

    public var text: String {
        func hex(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
        let place = address.map { " at \(hex($0))" } ?? ""
        return "\(cause)\(place); pc \(hex(pc)) lr \(hex(lr)) sp \(hex(sp))"
    }
}

/// Registers that were touched and are not modelled: by address, with where in the program that was first.
public struct UnmodelledAccesses: Codable, Equatable, Sendable {
    public struct Access: Codable, Equatable, Sendable {
        public var address: UInt32
        public var isWrite: Bool
        public var firstPC: UInt32
        public var count: Int
    }

    /// Guest code may touch any number of addresses; so many are told apart.
    private static let limit = 1000
    private var byKey: [UInt64: Access] = [:]

    public var isEmpty: Bool { byKey.isEmpty }
    public var all: [Access] { byKey.sorted { $0.key < $1.key }.map(\.value) }

    init() {}
    public init(from decoder: any Decoder) throws {
        for access in try [Access](from: decoder) { byKey[Self.key(access.address, access.isWrite)] = access }
    }
    public func encode(to encoder: any Encoder) throws { try all.encode(to: encoder) }

    private static func key(_ address: UInt32, _ isWrite: Bool) -> UInt64 { UInt64(address) << 1 | (isWrite ? 1 : 0) }

    mutating func add(_ address: UInt32, isWrite: Bool, pc: UInt32) {
        let key = Self.key(address, isWrite)
        if byKey[key] != nil {
            byKey[key]?.count += 1
        } else if byKey.count < Self.limit {
            byKey[key] = Access(address: address, isWrite: isWrite, firstPC: pc, count: 1)
        }
    }
}

/// The memory that a DMA controller reaches.
final class CoreMemory: DMAMemory {
    private unowned let engine: Engine
    private let reached: [ChipDescription.Memory]
    init(_ engine: Engine, _ chip: Chip) {
        self.engine = engine
        reached = chip.description.memory.filter(\.isReachedByDMA)
    }

    private func isReachable(_ address: UInt32) -> Bool { reached.contains { address >= $0.base && address - $0.base < $0.size } }
    func dmaLoad(_ address: UInt32, _ count: Int) -> [UInt8]? { isReachable(address) ? engine.load(address, count) : nil }
    func dmaStore(_ address: UInt32, _ bytes: [UInt8]) -> Bool { isReachable(address) && engine.storeCode(address, bytes) }
}

/// How many instructions a block has: counted once for each, in a table that two blocks may share a place of.
@safe final class BlockCounts {
    struct Entry {
        /// Address and size; no block has all bits set.
        var key: UInt64
        var count: Int64
    }
    static let slots = 4096
    let entries: UnsafeMutablePointer<Entry>

    init() {
        unsafe entries = .allocate(capacity: BlockCounts.slots)
        unsafe entries.initialize(repeating: Entry(key: .max, count: 0), count: BlockCounts.slots)
    }
    deinit { unsafe entries.deallocate() }

    func forget() { unsafe entries.update(repeating: Entry(key: .max, count: 0), count: BlockCounts.slots) }

    @inline(__always) static func key(_ address: UInt32, _ size: UInt32) -> UInt64 { UInt64(address) << 32 | UInt64(size) }
    @inline(__always) static func slot(_ address: UInt32) -> Int { Int(address >> 1) & (slots - 1) }

    func count(_ address: UInt32, _ size: UInt32, _ engine: Engine) -> Int64 {
        let (slot, key) = (BlockCounts.slot(address), BlockCounts.key(address, size))
        if unsafe entries[slot].key == key { return unsafe entries[slot].count }
        let count = ThumbCode.count(engine.load(address, Int(size)) ?? [])
        unsafe entries[slot] = Entry(key: key, count: count)
        return count
    }
}

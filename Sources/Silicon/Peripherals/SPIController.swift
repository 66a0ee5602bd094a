import Formats

/// An SPI master: an opcode of up to four bytes, then up to 32 bytes one way or 16 both ways (mt3620-silicon §2.10).
struct SPIController: Peripheral {
    static let type = BlockType("mt3620-spi", "SPI master of an ISU", interrupts: ["spi"], place: "spi", units: 0...5, usesDMA: true)
    /// What a word of the DMA data port is, in order.
    private static let portOrder: [UInt32] = [0x04] + (0..<8).map { 0x08 + 4 * $0 } + [0x28, 0x2C, 0x00]

    private let unit: Int
    private var registers = RegisterFile()
    private var status: UInt32 = 0
    private var doneAt = Int64.max
    private var portIndex = 0
    /// What was received and no DMA channel has fetched: it may be started after the transfer.
    private var unfetched: [UInt8] = []

    init(_ block: Block) { unit = block.unit ?? 0 }

    private var mode: UInt32 { registers[0x28] ?? 0 }
    private var counts: UInt32 { registers[0x2C] ?? 0 }
    var lines: UInt32 { status != 0 && mode & 1 << 9 != 0 ? 1 : 0 }
    var nextEvent: Int64 { doneAt }
    var claimsChannel: Bool { (registers[0x38] ?? 0) & 1 << 8 != 0 }
    func dmaRoom(_ width: Int) -> Int { .max }
    mutating func dmaSend(_ element: [UInt8], _ bus: Bus) { write(0x40, element.word, bus) }

    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] {
        let taken = Array(unfetched.prefix(limit))
        unfetched.removeFirst(taken.count)
        return taken
    }

    private mutating func start(_ bus: Bus) {
        let bits = Int64(counts >> 24 & 0x3F) + max(Int64(counts & 0x1FF), Int64(counts >> 12 & 0x1FF))
        let divider = Int64(mode >> 16 & 0xFFF) + 2
        doneAt = bus.now + max(1, bits * divider * 1_000_000_000 / 80_000_000)
    }

    mutating func advance(_ bus: Bus) {
        guard doneAt <= bus.now else { return }
        doneAt = .max
        let opcodeBytes = min(4, Int(counts >> 24 & 0x3F) / 8)
        let sending = min(32, (Int(counts & 0x1FF) + 7) / 8)
        let receiving = min(32, (Int(counts >> 12 & 0x1FF) + 7) / 8)
        let opcode = registers[0x04] ?? 0
        // The opcode goes out with its most significant byte first; data as it lies in memory.
        var bytes = (0..<opcodeBytes).map { UInt8(truncatingIfNeeded: opcode >> (8 * UInt32(opcodeBytes - 1 - $0))) }
        bytes += (0..<sending).map { UInt8(truncatingIfNeeded: (registers[0x08 + UInt32($0 & ~3)] ?? 0) >> (8 * UInt32($0 & 3))) }
        let received = bus.world.spi(
            bus: unit, select: Int(mode >> 29), sending: bytes, receiving: receiving, bothWays: mode & 1 << 10 != 0, at: bus.now)
        for (index, byte) in received.prefix(receiving).enumerated() {
            // Drivers differ in where they look after a transfer both ways: at both places.
            put(byte, 0x48, index)
            if mode & 1 << 10 != 0 && index < 16 { put(byte, 0x58, index) }
        }
        unfetched = Array(received.prefix(receiving))
        status = 7
    }

    private mutating func put(_ byte: UInt8, _ base: UInt32, _ index: Int) {
        let offset = base + UInt32(index & ~3)
        guard offset < 0x68 else { return }
        let shift = 8 * UInt32(index & 3)
        registers[offset] = (registers[offset] ?? 0) & ~(0xFF << shift) | UInt32(byte) << shift
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00: return (registers[0] ?? 0) & ~0x100 | (doneAt == .max ? 0 : 1 << 16 | 1 << 12)
        case 0x34:
            defer { status = 0 }
            return status
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x34 && status != 0 ? .min : nextEvent }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00:
            registers[0] = value
            if value & 0x100 != 0 { start(bus) }
        case 0x38:
            portIndex = 0
            registers[offset] = value
        case 0x40:
            if portIndex < Self.portOrder.count { write(Self.portOrder[portIndex], value, bus) }
            portIndex = (portIndex + 1) % 13
        default: registers[offset] = value
        }
    }
}

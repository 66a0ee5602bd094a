import Formats

/// An I2C master with FIFOs of 8 bytes: up to three packets with repeated starts (mt3620-silicon §2.10); and a slave, for
/// whoever is wired to it.
struct I2CController: Peripheral {
    static let type = BlockType(
        "mt3620-i2c", "I2C master and slave of an ISU", interrupts: ["i2c"], hasClock: true, place: "i2c", units: 0...5, usesDMA: true)
    static let actsOnOthers = true
    private static let depth = 8
    let unit: Int
    private let clockHertz: Int64
    private var registers = RegisterFile()
    private var interruptControl: UInt32 = 0
    private var toSend: [UInt8] = []
    private var received: [UInt8] = []
    private var sendPointer: UInt32 = 0
    private var receivePointer: UInt32 = 0
    private var isRunning = false
    /// What of the transfer has left the FIFO.
    private var shifted: [UInt8] = []
    /// When the line can take the next byte.
    private var lineFreeAt = Int64.max
    private var doneAt = Int64.max
    private var acknowledge: UInt32 = 0
    private var isDone = false
    private var slave = I2CSlave()
    /// What is left of a transfer whose bits have gone.
    private var left: [Packet] = []
    private var packetIndex: UInt32 = 0
    /// For whoever is at the other end of the wire; the clock is held until there is an answer.
    private(set) var request: I2CRequest?
    private var reply: Reply?
    /// When what came over the wire is to be looked at: the core may sleep until then.
    private var wakesAt = Int64.max

    private struct Reply: Codable {
        var bytes: [UInt8]?
        var request: I2CRequest
    }

    init(_ block: Block) { (unit, clockHertz) = (block.unit ?? 0, block.clockHertz ?? CoreClock.crystalHertz) }

    var lines: UInt32 { isDone && interruptControl & 2 != 0 || slave.isDone && interruptControl & 0x20 != 0 ? 1 : 0 }
    var nextEvent: Int64 { min(doneAt, wakesAt, isRunning && mustShift && !toSend.isEmpty ? lineFreeAt : .max) }

    /// Nine clocks: a clock is the sum of its four phases, in periods of the crystal; 400 kHz as long as none is set.
    private var byteNanoseconds: Int64 {
        let phases = [registers[0x44] ?? 0, registers[0x48] ?? 0].flatMap { [$0 & 0xFF, $0 >> 8 & 0xFF] }
        let periods = Int64(phases.reduce(0, +))
        return periods == 0 ? 22_500 : 9 * periods * 1_000_000_000 / clockHertz
    }

    private var dmaControl: UInt32 { registers[0xC0] ?? 0 }
    private var usesDMA: Bool { dmaControl & 0x30 == 0x10 }
    private var slaveUsesDMA: Bool { dmaControl & 0x30 == 0x30 }

    private struct Packet: Codable {
        var isRead: Bool
        var count: Int
    }

    private var packets: [Packet] {
        let control = registers[0x68] ?? 0
        return (0...Int(min(2, control >> 4 & 3))).map { index in
            Packet(isRead: control >> UInt32(index) & 1 != 0, count: Int((registers[0x54 + 4 * UInt32(index)] ?? 0) & 0xFFFF))
        }
    }

    private var writeBytes: Int { packets.filter { !$0.isRead }.reduce(0) { $0 + $1.count } }
    private var mustShift: Bool { shifted.count < writeBytes }

    // MARK: DMA

    var claimsChannel: Bool { true }
    func dmaRoom(_ width: Int) -> Int { wantsToSend / width }

    private var wantsToSend: Int {
        if slaveUsesDMA { return slave.wantsToSend }
        return usesDMA ? max(0, writeBytes - toSend.count - (isRunning ? shifted.count : 0)) : 0
    }

    mutating func dmaSend(_ bytes: [UInt8], _ bus: Bus) {
        if slaveUsesDMA { return slave.send(bytes) }
        put(bytes, bus)
    }

    private mutating func put(_ bytes: [UInt8], _ bus: Bus) {
        // The master has held the clock until there was something.
        if toSend.isEmpty { lineFreeAt = max(lineFreeAt, bus.now) }
        toSend += bytes
        sendPointer = (sendPointer + UInt32(bytes.count)) & 0xF
    }

    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] {
        if slaveUsesDMA { return slave.takeReceived(limit) }
        guard usesDMA else { return [] }
        let taken = Array(received.prefix(limit))
        received.removeFirst(taken.count)
        return taken
    }

    // MARK: The transfer

    /// Bytes leave the FIFO one by one while the program goes on filling it.
    private mutating func begin(_ bus: Bus) {
        (request, reply) = (nil, nil)
        (isRunning, shifted, doneAt) = (true, [], .max)
        lineFreeAt = bus.now + byteNanoseconds
    }

    private mutating func shift(until now: Int64) {
        while mustShift, !toSend.isEmpty, lineFreeAt <= now {
            shifted.append(toSend.removeFirst())
            lineFreeAt += byteNanoseconds
        }
        guard !mustShift, doneAt == .max else { return }
        let reads = packets.filter(\.isRead).reduce(0) { $0 + $1.count }
        doneAt = lineFreeAt + Int64(packets.count - 1 + reads) * byteNanoseconds
    }

    mutating func advance(_ bus: Bus) {
        if wakesAt <= bus.now {
            wakesAt = .max
            if let reply {
                self.reply = nil
                take(reply.bytes, reading: reply.request.reading, packets: reply.request.packets)
                carryOut(bus)
            }
        }
        guard isRunning else { return }
        shift(until: bus.now)
        guard doneAt <= bus.now else { return }
        doneAt = .max
        (acknowledge, left, packetIndex, request) = (0, packets, 0, nil)
        carryOut(bus)
    }

    /// One transfer after the other: a write that a read follows is one with a repeated start.
    private mutating func carryOut(_ bus: Bus) {
        while let packet = left.first {
            left.removeFirst()
            var writing: [UInt8] = []
            var reading = 0
            if packet.isRead { reading = packet.count } else { writing = take(packet.count) }
            let address = UInt8((registers[0x60] ?? 0) & 0x7F)
            var spent: UInt32 = 1
            if !packet.isRead, let next = left.first, next.isRead {
                reading = next.count
                left.removeFirst()
                spent = 2
            }
            let answer = bus.world.i2c(bus: unit, address: address, writing: writing, reading: reading, at: bus.now)
            if answer == nil, bus.world.wired(to: unit) != nil {
                request = I2CRequest(address: address, writing: writing, reading: reading, packets: spent, at: bus.now)
                return
            }
            take(answer, reading: reading, packets: spent)
        }
        (isRunning, isDone) = (false, true)
    }

    private mutating func take(_ answer: [UInt8]?, reading: Int, packets spent: UInt32) {
        if let answer {
            received += (answer + [UInt8](repeating: 0xFF, count: reading)).prefix(reading)
            receivePointer = (receivePointer + UInt32(reading)) & 0xF
            packetIndex += spent
        } else {
            acknowledge |= 0x100 << packetIndex
            left = []
        }
    }

    var isWaiting: Bool { request != nil }

    /// The slave at the other end of a wire is one of this core's ISUs, the other core's, or nobody.
    mutating func act(on others: inout Peripherals, _ bus: Bus) {
        while let request, let peer = bus.world.wired(to: unit) {
            if let bytes = others.serve(request, at: peer) {
                answer(bytes, bus)
            } else if bus.hasNeighbour {
                bus.hasMail = true
                return
            } else {
                answer(nil, bus)
            }
        }
    }

    /// What came back over the wire; nil if nobody acknowledged the address.
    mutating func answer(_ bytes: [UInt8]?, _ bus: Bus) {
        guard let request else { return }
        (self.request, reply, wakesAt) = (nil, Reply(bytes: bytes, request: request), bus.now)
    }

    /// A master at the other end of the wire; nil if this is not the slave that it wants.
    mutating func serve(_ request: I2CRequest) -> [UInt8]? {
        guard slave.answers(to: request.address) else { return nil }
        wakesAt = request.at
        return slave.transfer(writing: request.writing, reading: request.reading, usesDMA: slaveUsesDMA)
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { shifted.removeFirst(min(count, shifted.count)) }
        return Array(shifted.prefix(count))
    }

    // MARK: Registers

    private var fifoStatus: UInt32 {
        (received.isEmpty ? 1 : 0) | (received.count >= Self.depth ? 2 : 0) | (toSend.isEmpty ? 0x10 : 0)
            | (toSend.count >= Self.depth ? 0x20 : 0)
    }

    private var fifoPointers: UInt32 {
        let receiveRead = (receivePointer &- UInt32(received.count)) & 0xF
        let sendRead = (sendPointer &- UInt32(toSend.count)) & 0xF
        return receiveRead | receivePointer << 4 | sendRead << 8 | sendPointer << 12
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00: return interruptControl & ~0x11 | (isDone ? 1 : 0) | (slave.isDone ? 0x10 : 0)
        case 0x6C: return acknowledge
        case 0x70: return (registers[0x70] ?? 0) & ~1
        case 0x74: return 4 | (isRunning ? 1 : 0)
        case 0x78: return 0
        case 0x80: return fifoStatus
        case 0x84: return fifoPointers
        case 0x90: return received.isEmpty ? 0 : UInt32(received.removeFirst())
        case 0xC4...: return slave.read(offset)
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x90 || offset == 0xF0 ? .min : nextEvent }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00:
            if value & 1 != 0 { isDone = false }
            if value & 0x10 != 0 { slave.acknowledge() }
            interruptControl = value
        case 0x70:
            registers[0x70] = value
            if value & 1 != 0, value & 1 << 15 != 0 {
                begin(bus)
                advance(bus)
            }
        case 0x74: break
        case 0x78:
            // Cleared, a FIFO begins at 0: a driver that clears before each transfer never sees a pointer go round.
            if value & 1 != 0 { (received, receivePointer) = ([], 0) }
            if value & 2 != 0 { (toSend, sendPointer) = ([], 0) }
        case 0x90: put([UInt8(truncatingIfNeeded: value)], bus)
        case 0xC4...: slave.write(offset, value)
        default: registers[offset] = value
        }
    }
}

/// What an I2C master asks of a slave at the other end of a wire.
struct I2CRequest: Codable {
    var address: UInt8
    var writing: [UInt8]
    var reading: Int
    /// Of the master's, that this is.
    var packets: UInt32
    /// When its last bit had gone, as if the slave had not held the clock.
    var at: Int64
}

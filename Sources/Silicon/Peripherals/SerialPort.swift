/// A 16550-like UART with FIFOs of 16 (mt3620-silicon §2.5). The transmitter is never busy; what is received comes in at
/// the pace of the line.
struct SerialPort: Peripheral {
    static let depth = 16
    private let name: SerialPortName
    private var registers = RegisterFile()
    private var interruptEnable: UInt32 = 0
    private var fifoControl: UInt32 = 0
    private var received: [UInt8] = []
    private var hasOverrun = false
    /// On the line, not yet here.
    private var incoming: [UInt8] = []
    private var arrivesAt = Int64.max
    /// The transmitter has become empty since the program was last told.
    private var isEmptyNews = false
    /// Bytes for a DMA channel to take have ended.
    private(set) var hasTimedOut = false
    private var timesOutAt = Int64.max

    init(_ name: SerialPortName) { self.name = name }

    private var lineControl: UInt32 { registers[0x0C] ?? 0 }
    /// Also in the enhanced bank, which differs from the others at 0x08 and above.
    private var isDivisorLatched: Bool { lineControl & 0x80 != 0 }
    private var isEnhancedBank: Bool { lineControl == 0xBF }
    private var usesDMA: Bool { (registers[0x4C] ?? 0) & 1 != 0 }

    /// Of one byte with start and stop bits.
    private var byteNanoseconds: Int64 {
        let divisor = Int64((registers[0x1000] ?? 1) | (registers[0x1004] ?? 0) << 8)
        let samples = (registers[0x24] ?? 0) & 3 == 3 ? Int64((registers[0x28] ?? 224) & 0xFF) + 1 : 16
        return max(1, divisor) * samples * 10 * 1_000_000_000 / 26_000_000
    }

    mutating func receive(_ bytes: [UInt8], at now: Int64) {
        if incoming.isEmpty { arrivesAt = now + byteNanoseconds }
        incoming += bytes
    }

    var nextEvent: Int64 { min(arrivesAt, timesOutAt) }

    mutating func advance(_ bus: Bus) {
        while arrivesAt <= bus.now {
            if received.count < SerialPort.depth {
                received.append(incoming.removeFirst())
            } else {
                _ = incoming.removeFirst(); hasOverrun = true
            }
            // After the last byte the line is quiet for four byte times: the receiver says so.
            if incoming.isEmpty { timesOutAt = arrivesAt + 4 * byteNanoseconds }
            arrivesAt = incoming.isEmpty ? .max : arrivesAt + byteNanoseconds
        }
        if timesOutAt <= bus.now {
            timesOutAt = .max
            hasTimedOut = true
        }
    }

    /// For a DMA channel: what has been received.
    mutating func takeReceived(_ limit: Int) -> [UInt8] {
        guard usesDMA else { return [] }
        defer { received.removeFirst(min(limit, received.count)) }
        return Array(received.prefix(limit))
    }

    private var identification: UInt32 {
        let fifo: UInt32 = fifoControl & 1 != 0 ? 0xC0 : 0
        if interruptEnable & 4 != 0, hasOverrun { return fifo | 0x06 }
        if interruptEnable & 1 != 0 {
            if !usesDMA, received.count >= trigger { return fifo | 0x04 }
            if hasTimedOut, usesDMA || !received.isEmpty { return fifo | 0x0C }
        }
        if interruptEnable & 2 != 0, isEmptyNews { return fifo | 0x02 }
        return fifo | 0x01
    }

    private var trigger: Int {
        guard fifoControl & 1 != 0 else { return 1 }
        return [1, 6, 12, max(1, Int(registers[0x50] ?? 1) & 0x3F)][Int(fifoControl >> 6 & 3)]
    }

    var isAsserting: Bool { identification & 1 == 0 }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00 where isDivisorLatched: return registers[0x1000] ?? 0
        case 0x00:
            if received.count <= 1 { hasTimedOut = false }
            return received.isEmpty ? 0 : UInt32(received.removeFirst())
        case 0x04 where isDivisorLatched: return registers[0x1004] ?? 0
        case 0x04: return interruptEnable
        case 0x08...0x1C where isEnhancedBank && offset != 0x0C: return registers[0x2000 + offset] ?? 0
        case 0x08:
            let answer = identification
            if answer & 0x3F == 0x02 { isEmptyNews = false }
            return answer
        case 0x14:
            defer { hasOverrun = false }
            return 0x60 | (received.isEmpty ? 0 : 1) | (hasOverrun ? 2 : 0)
        case 0x18: return 0xB0  // CTS, DSR, CD
        case 0x4C:
            hasTimedOut = false
            return registers[0x4C] ?? 0
        case 0x5C: return fifoControl
        case 0x68: return UInt32(received.count)
        case 0x6C, 0x70: return 0
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        switch offset {
        case 0x14: hasOverrun ? .min : nextEvent
        case 0x68, 0x6C, 0x0C, 0x18: nextEvent
        default: .min
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        switch offset {
        case 0x00 where isDivisorLatched: registers[0x1000] = value & 0xFF
        case 0x00: transmit(UInt8(truncatingIfNeeded: value), bus)
        case 0x04 where isDivisorLatched: registers[0x1004] = value & 0xFF
        case 0x04:
            // Turning the interrupt on while the transmitter is empty is news at once.
            if value & 2 != 0 && interruptEnable & 2 == 0 { isEmptyNews = true }
            interruptEnable = value
        case 0x08...0x1C where isEnhancedBank && offset != 0x0C: registers[0x2000 + offset] = value
        case 0x08:
            fifoControl = value & ~6
            if value & 2 != 0 { (received, hasTimedOut) = ([], false) }
        default: registers[offset] = value
        }
    }

    mutating func transmit(_ byte: UInt8, _ bus: Bus) {
        isEmptyNews = true
        if (registers[0x10] ?? 0) & 0x10 != 0 { return receive([byte], at: bus.now) }  // loop
        bus.world.transmitted(byte, on: name, at: bus.now)
    }
}

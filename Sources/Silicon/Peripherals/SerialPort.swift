import Formats

/// A 16550-like UART with FIFOs of 16 (mt3620-silicon §2.5). Each byte takes its bits' time, both ways: a byte that is
/// written waits in the FIFO and in the shift register behind it, and one for which there is no room is lost, and told of.
struct SerialPort: Peripheral {
    static let type = BlockType(
        "mt3620-uart", "16550-like UART: ISU 0…5, or 6 for the core's own", interrupts: ["uart"], units: 0...6, isSerial: true,
        usesDMA: true)
    static let depth = 16
    private let name: SerialPortName
    private var registers = RegisterFile()
    private var interruptEnable: UInt32 = 0
    private var fifoControl: UInt32 = 0
    private var received: [UInt8] = []
    private var hasOverrun = false
    private var hasFramingError = false
    /// On the line, not yet here.
    private var incoming: [UInt8] = []
    private var arrivesAt = Int64.max
    /// When the last byte was here: the next is not before one byte time later.
    private var lastArrival = Int64.min / 2
    /// In the FIFO, and the one whose bits go out.
    private var outgoing: [UInt8] = []
    private var shifting: UInt8?
    private var shiftedAt = Int64.max
    /// The transmitter's FIFO has become empty since the program was last told.
    private var isEmptyNews = false
    /// Bytes for a DMA channel to take have ended.
    private var hasTimedOut = false
    private var timesOutAt = Int64.max
    /// A program has touched it; and what it was told of.
    private var isUsed = false
    private var hasToldLoss = false

    init(_ block: Block) { name = Self.port(of: block) ?? .debug }

    static func port(of block: Block) -> SerialPortName? { SerialPortName(number: block.unit ?? 6) }

    private var lineControl: UInt32 { registers[0x0C] ?? 0 }
    /// Also in the enhanced bank, which differs from the others at 0x08 and above.
    private var isDivisorLatched: Bool { lineControl & 0x80 != 0 }
    private var isEnhancedBank: Bool { lineControl == 0xBF }
    private var usesDMA: Bool { (registers[0x4C] ?? 0) & 1 != 0 }
    private var isLoop: Bool { (registers[0x10] ?? 0) & 0x10 != 0 }
    /// The program has the hardware hold the other side back (EFR 6): RTS falls before anything is lost.
    private var holdsBack: Bool { (registers[0x2008] ?? 0) & 0x40 != 0 }

    /// Of one byte with start, parity and stop bits; 8N1 as long as the program has not said otherwise.
    private var byteNanoseconds: Int64 {
        let divisor = Int64((registers[0x1000] ?? 1) | (registers[0x1004] ?? 0) << 8)
        let samples = (registers[0x24] ?? 0) & 3 == 3 ? Int64((registers[0x28] ?? 224) & 0xFF) + 1 : 16
        let format = lineControl == 0xBF || lineControl & 0x3F == 0 ? 3 : lineControl
        let bits = Int64(1 + 5 + (format & 3) + (format >> 3 & 1) + 1 + (format >> 2 & 1))
        return max(1, divisor) * samples * bits * 1_000_000_000 / 26_000_000
    }

    // MARK: In

    mutating func take(_ input: WorldInput, _ bus: Bus) {
        switch input {
        case .pin: break
        case .serial(_, let bytes): receive(bytes, at: bus.now)
        case .wired(_, let byte, let bits): receiveWired(byte, taking: bits, at: bus.now)
        }
    }

    private mutating func receive(_ bytes: [UInt8], at now: Int64) {
        if incoming.isEmpty { arrivesAt = max(now, lastArrival) + byteNanoseconds }
        incoming += bytes
    }

    /// A byte from another UART of the chip, all of whose bits are here.
    private mutating func receiveWired(_ byte: UInt8, taking bits: Int64, at now: Int64) {
        let own = byteNanoseconds
        // More than 5 % apart, the last bits are not where they are looked for.
        let isGarbled = abs(bits - own) > own / 20
        if isGarbled { hasFramingError = true }
        if incoming.isEmpty { arrivesAt = max(now, lastArrival + own) }
        incoming.append(isGarbled ? 0 : byte)
    }

    private mutating func accept(_ byte: UInt8, _ bus: Bus) {
        if received.count < SerialPort.depth { return received.append(byte) }
        hasOverrun = true
        tellLoss("a byte came while the receiver's FIFO was full, and is lost", bus)
    }

    /// Once: a program that loses one byte usually loses many.
    private mutating func tellLoss(_ text: String, _ bus: Bus) {
        if isUsed, !hasToldLoss { bus.world.noted(text, at: name, at: bus.now) }
        hasToldLoss = hasToldLoss || isUsed
    }

    private var isHeldBack: Bool { holdsBack && received.count >= SerialPort.depth }
    var nextEvent: Int64 { min(isHeldBack ? .max : arrivesAt, timesOutAt, shiftedAt) }

    mutating func advance(_ bus: Bus) {
        shift(bus)
        while arrivesAt <= bus.now, !isHeldBack {
            accept(incoming.removeFirst(), bus)
            lastArrival = arrivesAt
            // After the last byte the line is quiet for four byte times: the receiver says so.
            if incoming.isEmpty { timesOutAt = arrivesAt + 4 * byteNanoseconds }
            arrivesAt = incoming.isEmpty ? .max : arrivesAt + byteNanoseconds
        }
        if timesOutAt <= bus.now {
            timesOutAt = .max
            hasTimedOut = true
        }
    }

    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] {
        guard usesDMA, limit > 0, !received.isEmpty else { return [] }
        defer { received.removeFirst(min(limit, received.count)) }
        return Array(received.prefix(limit))
    }

    // MARK: Out

    private var room: Int { max(0, SerialPort.depth - outgoing.count) }
    func dmaRoom(_ width: Int) -> Int { room }
    mutating func dmaSend(_ element: [UInt8], _ bus: Bus) { if let byte = element.first { transmit(byte, bus) } }
    var isSending: Bool { shifting != nil }

    private mutating func transmit(_ byte: UInt8, _ bus: Bus) {
        shift(bus)
        guard room > 0 else { return tellLoss("a byte was written while the transmitter's FIFO was full, and is lost", bus) }
        isUsed = true
        if shifting == nil {
            (shifting, shiftedAt, isEmptyNews) = (byte, bus.now + byteNanoseconds, true)
        } else {
            outgoing.append(byte)
            isEmptyNews = false
        }
    }

    private mutating func shift(_ bus: Bus) {
        while shiftedAt <= bus.now, let byte = shifting {
            let (at, bits) = (shiftedAt, byteNanoseconds)
            (shifting, shiftedAt) = (nil, .max)
            if !outgoing.isEmpty {
                (shifting, shiftedAt) = (outgoing.removeFirst(), at + bits)
                isEmptyNews = isEmptyNews || outgoing.isEmpty
            }
            if isLoop { accept(byte, bus) } else { bus.world.transmitted(byte, on: name, taking: bits, at: at) }
        }
    }

    /// After a reset of the core that it belongs to: what was written still goes out.
    mutating func reset(_ block: Block) {
        var port = SerialPort(block)
        (port.outgoing, port.shifting, port.shiftedAt) = (outgoing, shifting, shiftedAt)
        self = port
    }

    // MARK: Registers

    private var identification: UInt32 {
        let fifo: UInt32 = fifoControl & 1 != 0 ? 0xC0 : 0
        if interruptEnable & 4 != 0, hasOverrun || hasFramingError { return fifo | 0x06 }
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

    var lines: UInt32 { ~identification & 1 }

    private var lineStatus: UInt32 {
        (outgoing.isEmpty ? 0x20 : 0) | (shifting == nil ? 0x40 : 0) | (received.isEmpty ? 0 : 1) | (hasOverrun ? 2 : 0)
            | (hasFramingError ? 8 : 0)
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        isUsed = true
        switch offset {
        case 0x00 where isDivisorLatched: return registers[0x1000] ?? 0
        case 0x00:
            if received.count <= 1 { hasTimedOut = false }
            guard !received.isEmpty else { return 0 }
            defer { resume(bus) }
            return UInt32(received.removeFirst())
        case 0x04 where isDivisorLatched: return registers[0x1004] ?? 0
        case 0x04: return interruptEnable
        case 0x08...0x1C where isEnhancedBank && offset != 0x0C: return registers[0x2000 + offset] ?? 0
        case 0x08:
            let answer = identification
            if answer & 0x3F == 0x02 { isEmptyNews = false }
            return answer
        case 0x14:
            defer { (hasOverrun, hasFramingError) = (false, false) }
            return lineStatus
        case 0x18: return 0xB0  // CTS, DSR, CD
        case 0x4C:
            hasTimedOut = false
            return registers[0x4C] ?? 0
        case 0x5C: return fifoControl
        case 0x68: return UInt32(received.count)
        case 0x6C: return UInt32(outgoing.count)
        case 0x70: return 0
        default: return registers[offset] ?? 0
        }
    }

    /// RTS rises: what was held back comes from now on.
    private mutating func resume(_ bus: Bus) {
        if holdsBack, arrivesAt < bus.now { arrivesAt = bus.now + byteNanoseconds }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        switch offset {
        case 0x14: hasOverrun || hasFramingError ? .min : nextEvent
        case 0x68, 0x6C, 0x0C, 0x18: nextEvent
        default: .min
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        isUsed = true
        switch offset {
        case 0x00 where isDivisorLatched: registers[0x1000] = value & 0xFF
        case 0x00: transmit(UInt8(truncatingIfNeeded: value), bus)
        case 0x04 where isDivisorLatched: registers[0x1004] = value & 0xFF
        case 0x04:
            // Turning the interrupt on while the transmitter is empty is news at once.
            if value & 2 != 0 && interruptEnable & 2 == 0 && outgoing.isEmpty { isEmptyNews = true }
            interruptEnable = value
        case 0x08...0x1C where isEnhancedBank && offset != 0x0C: registers[0x2000 + offset] = value
        case 0x08:
            fifoControl = value & ~6
            if value & 2 != 0 { (received, hasTimedOut) = ([], false) }
            if value & 4 != 0 { outgoing = [] }
        default: registers[offset] = value
        }
    }
}

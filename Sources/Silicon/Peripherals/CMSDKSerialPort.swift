import Formats

/// The APB UART of Arm's design kit (ARM DDI 0479 §3.4): one byte each way behind the shift registers, 8N1. A byte takes ten times
/// the divisor in clock cycles. With a divisor below 16, which it does not have on silicon and programs for emulators leave it at,
/// a byte takes no time, and none is lost.
struct CMSDKSerialPort: Peripheral {
    static let type = BlockType(
        "cmsdk-apb-uart", "UART with a buffer of one byte each way", interrupts: ["tx", "rx", "tx-overrun", "rx-overrun", "combined"],
        hasClock: true, units: 0...15, isSerial: true)

    /// Bits of INTSTATUS; the overruns have the same in STATE.
    private enum Event {
        static let transmitted: UInt32 = 1 << 0
        static let received: UInt32 = 1 << 1
        static let transmitOverrun: UInt32 = 1 << 2
        static let receiveOverrun: UInt32 = 1 << 3
    }

    private let name: SerialPortName
    private let hertz: Int64
    private var control: UInt32 = 0
    private var divisor: UInt32 = 0
    private var overruns: UInt32 = 0
    private var events: UInt32 = 0
    private var outgoing: UInt8?
    private var shifting: UInt8?
    private var shiftedAt = Int64.max
    private var received: UInt8 = 0
    private var isReceived = false
    /// On the line, or held back at its other end.
    private var incoming: [UInt8] = []
    private var arrivesAt = Int64.max

    init(_ block: Block) {
        name = Self.port(of: block) ?? .uart(0)
        hertz = block.clockHertz ?? 1
    }

    static func port(of block: Block) -> SerialPortName? { .uart(block.unit ?? 0) }

    /// What was written still goes out.
    mutating func reset(_ block: Block) {
        var port = Self(block)
        (port.shifting, port.shiftedAt) = (shifting, shiftedAt)
        self = port
    }

    private var byteNanoseconds: Int64 { divisor < 16 ? 0 : 10 * Int64(divisor) * 1_000_000_000 / hertz }
    private var sends: Bool { control & 1 != 0 }
    private var receives: Bool { control & 2 != 0 }

    /// INTSTATUS: overruns are there as long as they are in STATE and enabled.
    private var status: UInt32 { events | overruns & control >> 2 }
    var lines: UInt32 { status | (status != 0 ? 0x10 : 0) }
    var isSending: Bool { shifting != nil || outgoing != nil && sends }
    /// A byte that nothing can be lost of waits for the one before it to be read.
    private var isHeldBack: Bool { !receives || isReceived && byteNanoseconds == 0 }
    var nextEvent: Int64 { min(shiftedAt, isHeldBack ? .max : arrivesAt) }

    // MARK: The line

    mutating func take(_ input: WorldInput, _ bus: Bus) {
        let isFirst = incoming.isEmpty
        switch input {
        case .pin: return
        case .serial(_, let bytes): incoming += bytes
        case .wired(_, let byte, _): incoming.append(byte)
        }
        if isFirst, !incoming.isEmpty { arrivesAt = bus.now + byteNanoseconds }
    }

    mutating func advance(_ bus: Bus) {
        while shiftedAt <= bus.now, let byte = shifting {
            let at = shiftedAt
            (shifting, shiftedAt) = (nil, .max)
            bus.world.transmitted(byte, on: name, taking: byteNanoseconds, at: at)
            shift(at)
        }
        while arrivesAt <= bus.now, !isHeldBack {
            if isReceived {
                overruns |= Event.receiveOverrun
                bus.world.noted("a byte came before the one before it was read, which is lost", at: name, at: bus.now)
            }
            (received, isReceived) = (incoming.removeFirst(), true)
            if control & 8 != 0 { events |= Event.received }
            // What was held back comes from now on.
            arrivesAt = incoming.isEmpty ? .max : (byteNanoseconds == 0 ? bus.now : arrivesAt + byteNanoseconds)
        }
    }

    /// From the buffer onto the line, if that is free.
    private mutating func shift(_ now: Int64) {
        guard sends, shifting == nil, let byte = outgoing else { return }
        (shifting, shiftedAt, outgoing) = (byte, now + byteNanoseconds, nil)
        // Room in the buffer is what the interrupt is about.
        if control & 4 != 0 { events |= Event.transmitted }
    }

    // MARK: Registers

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00:
            isReceived = false
            if arrivesAt < bus.now { arrivesAt = bus.now }
            return UInt32(received)
        case 0x04: return (outgoing != nil ? 1 : 0) | (isReceived ? 2 : 0) | overruns
        case 0x08: return control
        case 0x0C: return status
        case 0x10: return divisor
        default:
            if let value = CMSDKIdentification.read(offset, part: 0x21) { return value }
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x00 ? .min : nextEvent }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00:
            if outgoing != nil {
                overruns |= Event.transmitOverrun
                bus.world.noted("a byte was written before the one before it was sent, which is lost", at: name, at: bus.now)
            }
            outgoing = UInt8(truncatingIfNeeded: value)
            shift(bus.now)
            advance(bus)
        case 0x04: overruns &= ~value
        case 0x08:
            control = value & 0x7F
            shift(bus.now)
            if arrivesAt < bus.now { arrivesAt = bus.now }
            advance(bus)
        case 0x0C:
            overruns &= ~value
            events &= ~value
        case 0x10: divisor = value & 0xF_FFFF
        default: bus.isUnmodelled = true
        }
    }
}

import Formats

/// One I2S controller (mt3620-silicon §2.11): words go out and come in at the frame rate, eight at a time; a DMA ring fills
/// and empties it. As a slave it has a clock only if a codec is attached; internal loopback needs none.
struct AudioInterface: Peripheral {
    private static let depth = 64
    /// Words that are moved at once, so that a second of sound is some thousand events and not some ten thousand.
    private static let burst = 8

    static let type = BlockType("mt3620-i2s", "I2S controller", interrupts: ["i2s"], place: "i2s", units: 0...1, usesDMA: true)
    private let unit: Int
    private var registers = RegisterFile()
    private var outgoing: [UInt32] = []
    private var incoming: [UInt32] = []
    private var status: UInt32 = 0
    /// When the first word after the last start went over the wire, and how many have since.
    private var startedAt: Int64?
    private var words: Int64 = 0
    private var nextBurst = Int64.max

    init(_ block: Block) { unit = block.unit ?? 0 }

    private var global: UInt32 { registers[0x00] ?? 0 }
    private var output: UInt32 { registers[0x04] ?? 0 }
    private var input: UInt32 { registers[0x08] ?? 0 }
    private var sends: Bool { global & 1 != 0 && output & 1 != 0 }
    private var receives: Bool { global & 1 != 0 && input & 1 != 0 }
    private var isLoopback: Bool { global & 1 << 31 != 0 }

    /// 8 to 96 kHz, times the words of a frame.
    private var wordsPerSecond: Int64 {
        let (control, code) = (sends ? output : input, (sends ? output : input) >> 8 & 0xF)
        let rate = Int64((code & 3) + 4) << Int64(code >> 2 + 1) * 1000
        return control >> 29 & 3 == 1 ? 2 * rate : rate
    }

    /// IRQ 68 and 69.
    var lines: UInt32 { status & (registers[0x40] ?? 0) != 0 ? 1 : 0 }
    var nextEvent: Int64 { nextBurst }

    // MARK: The wire

    mutating func advance(_ bus: Bus) {
        while nextBurst <= bus.now {
            guard exchange(bus, at: nextBurst) else {
                nextBurst = .max
                return
            }
            words += Int64(Self.burst)
            planBurst()
        }
    }

    /// False if nothing gives a clock.
    private mutating func exchange(_ bus: Bus, at now: Int64) -> Bool {
        let isSlave = (sends ? output : input) & 4 != 0
        guard isLoopback || !isSlave || bus.world.hasCodec(unit: unit) else { return false }
        var sent: [UInt32] = []
        if sends {
            sent = Array(outgoing.prefix(Self.burst))
            outgoing.removeFirst(sent.count)
            if sent.count < Self.burst {
                status |= 2
                sent += [UInt32](repeating: global & 1 << 22 != 0 ? registers[0x20] ?? 0 : 0, count: Self.burst - sent.count)
            }
        }
        let heard = bus.world.audio(unit: unit, sent, receiving: Self.burst, every: 1_000_000_000 / wordsPerSecond, at: now)
        guard receives else { return true }
        let words = isLoopback ? sent : heard
        let room = Self.depth - incoming.count
        if words.count > room { status |= 1 << 8 }
        incoming += words.prefix(room)
        return true
    }

    private mutating func planBurst() {
        let total = words + Int64(Self.burst)
        let (seconds, rest) = total.quotientAndRemainder(dividingBy: wordsPerSecond)
        nextBurst = (startedAt ?? 0) + seconds * 1_000_000_000 + rest * 1_000_000_000 / wordsPerSecond
    }

    // MARK: DMA

    func dmaRoom(_ width: Int) -> Int { sends ? Self.depth - outgoing.count : 0 }
    mutating func dmaSend(_ element: [UInt8], _ bus: Bus) { outgoing.append(element.word) }
    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] {
        defer { incoming = [] }
        return incoming.flatMap { $0.littleEndianBytes.prefix(width) }
    }

    // MARK: Registers

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        func fifo(_ count: Int, isReadSide: Bool) -> UInt32 {
            let edge = isReadSide ? count == 0 : count == Self.depth
            return UInt32(count) << 8 | (edge ? 2 : 0) | (edge ? 0 : 1 << 24) | (registers[offset] ?? 0) & 0xFF_0000
        }
        switch offset {
        case 0x10: return fifo(outgoing.count, isReadSide: false)
        case 0x14: return fifo(outgoing.count, isReadSide: true)
        case 0x18: return fifo(incoming.count, isReadSide: false)
        case 0x1C: return fifo(incoming.count, isReadSide: true)
        case 0x48: return status
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { nextBurst }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        let before = wordsPerSecond
        registers[offset] = value
        switch offset {
        case 0x00, 0x04, 0x08:
            guard sends || receives else {
                (nextBurst, startedAt) = (.max, nil)
                return
            }
            // Words of another rate do not count.
            if startedAt == nil || nextBurst == .max || wordsPerSecond != before {
                (startedAt, words) = (bus.now, 0)
                planBurst()
            }
        case 0x0C:
            if value & 3 != 0 { status = 0 }
            if value & (3 | 1 << 4) != 0 { outgoing = [] }
            if value & (3 | 1 << 8) != 0 { incoming = [] }
        case 0x10 where value & 4 != 0, 0x14 where value & 4 != 0: outgoing = []
        case 0x18 where value & 4 != 0, 0x1C where value & 4 != 0: incoming = []
        case 0x44: status &= ~value
        default: break
        }
    }
}

import Formats

/// Arm's synchronous serial port PL022 as an SPI master (ARM DDI 0194): FIFOs of eight frames each way. What is in the FIFO when the
/// line is free goes out as one transfer, under one select, and what came back is there at its end.
struct PL022: Peripheral {
    static let type = BlockType(
        "pl022", "SPI master with FIFOs of eight frames", interrupts: ["combined"], hasClock: true, place: "spi", units: 0...7)
    private static let depth = 8
    private enum Interrupt {
        static let overrun: UInt32 = 1 << 0
        static let half: UInt32 = 1 << 2
        static let room: UInt32 = 1 << 3
    }

    private let unit: Int
    private let hertz: Int64
    private var control0: UInt32 = 0
    private var control1: UInt32 = 0
    private var prescale: UInt32 = 0
    private var mask: UInt32 = 0
    private var dma: UInt32 = 0
    private var hasOverrun = false
    private var outgoing: [UInt16] = []
    private var received: [UInt16] = []
    /// On the line, until then.
    private var frames: [UInt16] = []
    private var doneAt = Int64.max

    init(_ block: Block) { (unit, hertz) = (block.unit ?? 0, block.clockHertz ?? 1) }

    private var isLoop: Bool { control1 & 1 != 0 }
    private var isEnabled: Bool { control1 & 2 != 0 }
    private var bits: Int64 { Int64(control0 & 15) + 1 }
    private var bitMask: UInt16 { UInt16(truncatingIfNeeded: 1 << bits - 1) }

    private var raw: UInt32 {
        (hasOverrun ? Interrupt.overrun : 0) | (received.count >= Self.depth / 2 ? Interrupt.half : 0)
            | (outgoing.count <= Self.depth / 2 ? Interrupt.room : 0)
    }
    var lines: UInt32 { raw & mask != 0 ? 1 : 0 }
    var nextEvent: Int64 { doneAt }

    private mutating func begin(_ now: Int64) {
        guard isEnabled, frames.isEmpty, !outgoing.isEmpty else { return }
        (frames, outgoing) = (outgoing, [])
        let cycles = Int64(frames.count) * bits * Int64(max(2, prescale & 0xFE)) * Int64(control0 >> 8 & 0xFF + 1)
        doneAt = now + max(1, cycles * 1_000_000_000 / hertz)
    }

    mutating func advance(_ bus: Bus) {
        while doneAt <= bus.now {
            let at = doneAt
            let came = isLoop ? frames : transfer(bus, at)
            (frames, doneAt) = ([], .max)
            hasOverrun = hasOverrun || received.count + came.count > Self.depth
            received += came.prefix(Self.depth - received.count)
            begin(at)
        }
    }

    private func transfer(_ bus: Bus, _ now: Int64) -> [UInt16] {
        let width = bits > 8 ? 2 : 1
        let bytes = frames.flatMap { width == 2 ? [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] : [UInt8(truncatingIfNeeded: $0)] }
        let answer = bus.world.spi(bus: unit, select: 0, sending: bytes, receiving: bytes.count, bothWays: true, at: now)
        return frames.indices.map { index in
            (0..<width).reduce(UInt16(0)) { $0 << 8 | UInt16(index * width + $1 < answer.count ? answer[index * width + $1] : 0xFF) }
                & bitMask
        }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        advance(bus)
        switch offset {
        case 0x00: return control0
        case 0x04: return control1
        case 0x08: return received.isEmpty ? 0 : UInt32(received.removeFirst())
        case 0x0C:
            return (outgoing.isEmpty ? 1 : 0) | (outgoing.count < Self.depth ? 2 : 0) | (received.isEmpty ? 0 : 4)
                | (received.count == Self.depth ? 8 : 0) | (outgoing.isEmpty && frames.isEmpty ? 0 : 16)
        case 0x10: return prescale
        case 0x14: return mask
        case 0x18: return raw
        case 0x1C: return raw & mask
        case 0x24: return dma
        case 0xFE0..<0x1000: return [0x22, 0x10, 0x04, 0, 0x0D, 0xF0, 0x05, 0xB1][Int(offset - 0xFE0) / 4]
        default:
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { offset == 0x08 ? .min : doneAt }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        advance(bus)
        switch offset {
        case 0x00: control0 = value & 0xFFFF
        case 0x04:
            // As a slave it has no clock here.
            if value & 4 != 0 { bus.isUnmodelled = true }
            control1 = value & 0xF
            begin(bus.now)
        case 0x08:
            guard outgoing.count < Self.depth else { return }
            outgoing.append(UInt16(truncatingIfNeeded: value) & bitMask)
            begin(bus.now)
        case 0x10: prescale = value & 0xFF
        case 0x14: mask = value & 0xF
        case 0x20: if value & Interrupt.overrun != 0 { hasOverrun = false }
        case 0x24: dma = value & 3
        default: bus.isUnmodelled = true
        }
    }
}

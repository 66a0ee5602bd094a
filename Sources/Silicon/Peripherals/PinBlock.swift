import Formats

/// The GPIO registers of one block of pins (mt3620-silicon §2.6): what is driven, what is read, and storage.
struct PinBlock: Peripheral {
    /// Where registers lie: the block beside the A7 packs them closer.
    enum Layout: String, Codable {
        case standard, compact
        var outputEnable: UInt32 { self == .standard ? 0x20 : 0x30 }
    }

    static let type = BlockType(
        "mt3620-gpio", "GPIO registers of one block of pins", pins: 1...32,
        settings: [.init("input", in: 0...0xFFC), .init("is-compact", in: 0...1)])

    /// By their bits.
    private let pins: [Int]
    private let input: UInt32
    private let layout: Layout
    private var out: UInt32 = 0
    private var enable: UInt32 = 0
    private var external: UInt32
    private var storage = RegisterFile()

    /// Settings: `input` is the offset of the register that shows the pins' levels.
    init(_ block: Block) {
        pins = block.pins
        input = UInt32(block["input"] ?? 0x04)
        layout = block["is-compact"] == 1 ? .compact : .standard
        // Boards pull inputs up, and buttons pull them down.
        external = UInt32(truncatingIfNeeded: (1 as UInt64) << UInt64(pins.count) - 1)
    }

    /// What the outside holds stays, and what is driven; but not beside the A7.
    mutating func reset(_ block: Block) { if layout == .compact { self = PinBlock(block) } }

    var pinLevels: UInt32 { out & enable | external & ~enable }

    /// What the outside holds a pin at, if it is one of these.
    mutating func take(_ input: WorldInput, _ bus: Bus) {
        guard case .pin(let pin, let isHigh) = input, let index = pins.firstIndex(of: pin) else { return }
        let bit = UInt32(1) << UInt32(index)
        external = isHigh ? external | bit : external & ~bit
    }

    /// Offset of the register, and whether it is written as it stands (0), sets (1) or clears (2) bits.
    private func register(_ offset: UInt32) -> (base: UInt32, way: UInt32) {
        let way = offset >> 2 & 3
        return way == 3 || offset >= 0x70 && layout == .standard ? (offset, 0) : (offset & ~0xF, way)
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        if offset == input { return pinLevels }
        let (base, way) = register(offset)
        // Drivers read the set and clear registers, add a bit and write them: they must read 0.
        guard way == 0 else { return 0 }
        return base == 0x10 ? out : base == layout.outputEnable ? enable : storage[base] ?? 0
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        guard offset != input else { return }
        let (base, way) = register(offset)
        func changed(_ old: UInt32) -> UInt32 { way == 0 ? value : way == 1 ? old | value : old & ~value }
        let (oldOut, oldEnable) = (out, enable)
        if base == 0x10 {
            out = changed(out)
        } else if base == layout.outputEnable {
            enable = changed(enable)
        } else {
            storage[base] = changed(storage[base] ?? 0)
        }
        tell(oldOut, oldEnable, bus)
    }

    /// Tells the world of pins that are driven to another level than before, or driven at all now.
    private func tell(_ oldOut: UInt32, _ oldEnable: UInt32, _ bus: Bus) {
        let changes = enable & ((out ^ oldOut) | ~oldEnable)
        for (index, pin) in pins.enumerated() where changes >> UInt32(index) & 1 != 0 {
            bus.world.output(pin: pin, isHigh: out >> UInt32(index) & 1 != 0, at: bus.now)
        }
    }
}

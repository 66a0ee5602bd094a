import Formats

/// The AHB GPIO of Arm's design kit (ARM DDI 0479 §3.6): sixteen pins, each with an interrupt of its own, and one for all; each byte
/// can be accessed behind a mask that is part of the address. What nobody drives is pulled up.
struct CMSDKGPIO: Peripheral {
    static let type = BlockType(
        "cmsdk-ahb-gpio", "16 pins", interrupts: ["combined"] + (0..<16).map { "pin\($0)" }, pins: 1...16)

    private let pins: [Int]
    private let all: UInt32
    private var out: UInt32 = 0
    private var enable: UInt32 = 0
    private var alternate: UInt32 = 0
    private var interruptEnable: UInt32 = 0
    /// Set: edges; else levels.
    private var isEdge: UInt32 = 0
    /// Set: high or rising; else low or falling.
    private var polarity: UInt32 = 0
    private var status: UInt32 = 0
    private var external: UInt32
    /// Levels as they were last looked at.
    private var before: UInt32

    init(_ block: Block) {
        pins = block.pins
        all = UInt32(truncatingIfNeeded: (1 as UInt64) << UInt64(pins.count) - 1)
        (external, before) = (all, all)
    }

    /// What the outside holds stays.
    mutating func reset(_ block: Block) {
        let external = external
        self = Self(block)
        (self.external, before) = (external, external)
    }

    var pinLevels: UInt32 { out & enable | external & ~enable }
    var lines: UInt32 { (status != 0 ? 1 : 0) | status << 1 }

    mutating func take(_ input: WorldInput, _ bus: Bus) {
        guard case .pin(let pin, let isHigh) = input, let index = pins.firstIndex(of: pin) else { return }
        external = isHigh ? external | 1 << UInt32(index) : external & ~(1 << UInt32(index))
        look()
    }

    /// Edges since the last look, and levels.
    private mutating func look() {
        let now = pinLevels
        let edges = (now ^ before) & ~(now ^ polarity)
        status |= (isEdge & edges | ~isEdge & ~(now ^ polarity)) & interruptEnable & all
        before = now
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x00: return pinLevels
        case 0x04: return out
        case 0x10, 0x14: return enable
        case 0x18, 0x1C: return alternate
        case 0x20, 0x24: return interruptEnable
        case 0x28, 0x2C: return isEdge
        case 0x30, 0x34: return polarity
        case 0x38: return status
        case 0x400..<0x800: return pinLevels & (offset >> 2 & 0xFF)
        case 0x800..<0xC00: return pinLevels & (offset >> 2 & 0xFF) << 8
        default:
            if let value = CMSDKIdentification.read(offset, part: 0x20) { return value }
            bus.isUnmodelled = true
            return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        let (oldOut, oldEnable) = (out, enable)
        let bits = value & all
        switch offset {
        case 0x00, 0x04: out = bits
        case 0x10: enable |= bits
        case 0x14: enable &= ~bits
        case 0x18: alternate |= bits
        case 0x1C: alternate &= ~bits
        case 0x20: interruptEnable |= bits
        case 0x24: interruptEnable &= ~bits
        case 0x28: isEdge |= bits
        case 0x2C: isEdge &= ~bits
        case 0x30: polarity |= bits
        case 0x34: polarity &= ~bits
        case 0x38: status &= ~bits
        case 0x400..<0x800: write(bits, behind: offset >> 2 & 0xFF)
        case 0x800..<0xC00: write(bits, behind: (offset >> 2 & 0xFF) << 8)
        default: bus.isUnmodelled = true
        }
        // Pins that are driven to another level than before, or driven at all now.
        let changes = enable & ((out ^ oldOut) | ~oldEnable)
        for (index, pin) in pins.enumerated() where changes >> UInt32(index) & 1 != 0 {
            bus.world.output(pin: pin, isHigh: out >> UInt32(index) & 1 != 0, at: bus.now)
        }
        look()
    }

    private mutating func write(_ bits: UInt32, behind mask: UInt32) { out = out & ~mask | bits & mask }
}

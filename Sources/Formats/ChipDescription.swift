/// A microcontroller as data: its core, what memory lies where, and which blocks of registers there are. `Silicon` makes chips of
/// it, and what a stranger's file says becomes one, too. (A devicetree or a platform file of Renode's says the same of a chip.)
public struct ChipDescription: Equatable, Sendable {
    public var name: String
    public var core: Core
    public var memory: [Memory]
    public var windows: [Window]
    public var blocks: [Block]
    /// The block whose UART is shown where no other is asked for.
    public var console: String

    public init(name: String, core: Core, memory: [Memory], windows: [Window], blocks: [Block], console: String) {
        (self.name, self.core, self.memory) = (name, core, memory)
        (self.windows, self.blocks, self.console) = (windows, blocks, console)
    }

    /// A Cortex-M4F, and what a chip's maker decides about it.
    public struct Core: Equatable, Sendable {
        /// Of the core after reset.
        public var clockHertz: Int64
        /// Of SysTick where the program chooses it (SYST_CSR.CLKSOURCE 0); nil where the chip has none.
        public var referenceHertz: Int64?
        /// Lines of the interrupt controller.
        public var interrupts: Int
        /// Lines that more than one block may hold high.
        public var sharedInterrupts: [Int]
        public var priorityBits: Int
        /// What CPUID reads as.
        public var identification: UInt32
        /// Where the vector table lies at reset; nil: where the program has it.
        public var vectors: UInt32?

        public init(
            clockHertz: Int64, referenceHertz: Int64? = nil, interrupts: Int, sharedInterrupts: [Int] = [], priorityBits: Int,
            identification: UInt32 = 0x410F_C241, vectors: UInt32? = nil
        ) {
            (self.clockHertz, self.referenceHertz, self.interrupts) = (clockHertz, referenceHertz, interrupts)
            (self.sharedInterrupts, self.priorityBits) = (sharedInterrupts, priorityBits)
            (self.identification, self.vectors) = (identification, vectors)
        }
    }

    /// What code may do with memory.
    public enum Access: String, CaseIterable, Sendable {
        case read = "r"
        case readWrite = "rw"
        case readExecute = "rx"
        case readWriteExecute = "rwx"
    }

    public struct Memory: Equatable, Sendable {
        public var name: String
        public var base: UInt32
        /// In bytes.
        public var size: UInt32
        public var access: Access
        /// Whether a DMA controller comes there.
        public var isReachedByDMA: Bool
        /// It shows the program's file itself, and is there only if the program has something in it.
        public var showsFile: Bool

        public init(
            _ name: String, base: UInt32, size: UInt32, access: Access, isReachedByDMA: Bool = false, showsFile: Bool = false
        ) {
            (self.name, self.base, self.size, self.access) = (name, base, size, access)
            (self.isReachedByDMA, self.showsFile) = (isReachedByDMA, showsFile)
        }
    }

    /// Where registers are. One that no block has reads 0 there and is told of; elsewhere an access is a bus fault.
    public struct Window: Equatable, Sendable {
        public var base: UInt32
        /// In bytes.
        public var size: UInt32
        /// A firewall may close it, by stretches of 64 KiB.
        public var isGuarded: Bool

        public init(base: UInt32, size: UInt32, isGuarded: Bool = false) {
            (self.base, self.size, self.isGuarded) = (base, size, isGuarded)
        }
    }

    /// A line into the core.
    public enum InterruptLine: Equatable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
        case interrupt(Int)
        case nonMaskable

        public init(integerLiteral value: Int) { self = .interrupt(value) }
        public var description: String {
            switch self {
            case .interrupt(let number): "\(number)"
            case .nonMaskable: "nmi"
            }
        }
    }

    /// One block of registers: an instance of a type, with what this chip has it connected to.
    public struct Block: Equatable, Sendable {
        public struct Output: Equatable, Sendable {
            public var name: String
            public var line: InterruptLine
            public init(_ name: String, _ line: InterruptLine) { (self.name, self.line) = (name, line) }
        }
        /// A part of its registers where others lie between them.
        public struct Part: Equatable, Sendable {
            public var offset: UInt32
            /// In bytes.
            public var size: UInt32
            public init(offset: UInt32, size: UInt32) { (self.offset, self.size) = (offset, size) }
        }
        public struct Setting: Equatable, Sendable {
            public var name: String
            public var value: Int
            public init(_ name: String, _ value: Int) { (self.name, self.value) = (name, value) }
        }

        public var name: String
        /// Name of a `BlockType`.
        public var type: String
        /// Where its offset 0 is.
        public var base: UInt32
        /// In bytes, from the base on.
        public var size: UInt32
        /// Empty if all of that is its own.
        public var parts: [Part] = []
        public var interrupts: [Output] = []
        public var clockHertz: Int64?
        /// By their bits.
        public var pins: [Int] = []
        /// Its number among those of its kind, by which what is attached names it: the 2 of `i2c2`.
        public var unit: Int?
        /// Channels of the DMA controller that bring it what it sends, and that take what it has received.
        public var sendChannels: [Int] = []
        public var receiveChannels: [Int] = []
        public var settings: [Setting] = []

        public init(_ name: String, type: String, base: UInt32, size: UInt32) {
            (self.name, self.type, self.base, self.size) = (name, type, base, size)
        }

        /// Addresses that are its own: from, and up to but without.
        public var ranges: [Range<UInt64>] {
            let all = parts.isEmpty ? [Part(offset: 0, size: size)] : parts
            return all.map { part in
                let start = UInt64(base) + UInt64(part.offset)
                return start..<start + UInt64(part.size)
            }
        }
        public subscript(_ setting: String) -> Int? { settings.first { $0.name == setting }?.value }
        public func line(_ output: String) -> InterruptLine? { interrupts.first { $0.name == output }?.line }
    }
}

/// A kind of block, by which a description's words are checked.
public struct BlockType: Equatable, Sendable {
    public struct Setting: Equatable, Sendable {
        public var name: String
        public var range: ClosedRange<Int>
        public var isRequired: Bool
        public init(_ name: String, in range: ClosedRange<Int>, isRequired: Bool = false) {
            (self.name, self.range, self.isRequired) = (name, range, isRequired)
        }
    }

    public var name: String
    /// One line for a list of them.
    public var summary: String
    /// Names of its interrupt outputs, in the order of `Peripheral.lines`.
    public var interrupts: [String]
    /// Whether it counts with a clock of the chip's.
    public var hasClock: Bool
    /// It stands between the other blocks' lines and the core.
    public var gatesInterrupts: Bool
    /// How many pins it has; nil for none.
    public var pins: ClosedRange<Int>?
    /// Its pins are other blocks', and it is told their levels.
    public var watchesPins: Bool
    /// What is attached to it, beside pins and UARTs, is attached at this kind of place: the `i2c` of `i2c2`.
    public var place: String?
    /// Numbers that it may have among those of its kind; nil if nothing is attached to it.
    public var units: ClosedRange<Int>?
    /// It is a UART, and may be the console.
    public var isSerial: Bool
    /// Channels can serve it.
    public var usesDMA: Bool
    /// How many channels it has itself; 0 for what is no DMA controller.
    public var channels: Int
    public var settings: [Setting]

    public init(
        _ name: String, _ summary: String, interrupts: [String] = [], gatesInterrupts: Bool = false, hasClock: Bool = false,
        pins: ClosedRange<Int>? = nil, watchesPins: Bool = false, place: String? = nil, units: ClosedRange<Int>? = nil,
        isSerial: Bool = false, usesDMA: Bool = false, channels: Int = 0, settings: [Setting] = []
    ) {
        (self.name, self.summary, self.interrupts, self.gatesInterrupts) = (name, summary, interrupts, gatesInterrupts)
        (self.hasClock, self.pins, self.watchesPins, self.place) = (hasClock, pins, watchesPins, place)
        (self.units, self.isSerial) = (units, isSerial)
        (self.usesDMA, self.channels, self.settings) = (usesDMA, channels, settings)
    }
}

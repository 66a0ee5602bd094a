import Formats

typealias Block = ChipDescription.Block

/// What one block of registers does: a value that is told of accesses and of time, and says when it next wants to be.
///
/// A type of block is one type in one file. It has to say how it is called, and what its registers read and write do; all else
/// has a default. `docs/add-a-peripheral.md` leads through one.
protocol Peripheral: Codable, SendableMetatype {
    /// Its name in descriptions of chips, and what such a description may say of it.
    static var type: BlockType { get }
    /// As it is after power-on. The description has been checked against the type.
    init(_ block: Block)

    // MARK: Registers

    /// - Parameter offset: From the block's base, a multiple of 4.
    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus)
    /// Until when a read of a register gives what it gives now and changes nothing: how long code that polls it can be
    /// skipped. `.min` if a read has an effect.
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64

    // MARK: Time

    /// Brings what depends on time to `bus.now`.
    mutating func advance(_ bus: Bus)
    /// When something will happen by itself, in nanoseconds; `.max` for never.
    var nextEvent: Int64 { get }
    mutating func coreClockChanged(to hertz: Int64, at now: Int64)
    /// The core has been reset: becomes as `init` has it, but for what outlasts that.
    mutating func reset(_ block: Block)

    // MARK: Lines and pins

    /// Its interrupt outputs: bit n for the n-th name of its type.
    var lines: UInt32 { get }
    /// The UART that it is, by the name under which something is attached to it.
    static func port(of block: Block) -> SerialPortName?
    /// What has reached its pins.
    mutating func take(_ input: WorldInput, _ bus: Bus)
    /// Whether something is on its way out.
    var isSending: Bool { get }
    /// Levels of its pins by their bits, for blocks that watch these.
    var pinLevels: UInt32 { get }
    /// Levels of pins of other blocks that it watches, by their bits.
    mutating func pinsAre(_ levels: UInt32, _ bus: Bus)

    // MARK: Other blocks

    /// Whether it ever acts on other blocks.
    static var actsOnOthers: Bool { get }
    /// Whether it waits for others: for `act` with other blocks of its chip, or for another core.
    var isWaiting: Bool { get }
    /// Does what it does with other blocks. It is called while it is waiting: after an access to it and whenever time has gone
    /// on; a DMA controller also after a write to any block.
    mutating func act(on others: inout Peripherals, _ bus: Bus)
    /// Of the blocks that share a DMA channel, the last that claims it is served if the channel is not told which.
    var claimsChannel: Bool { get }
    /// How many elements of so many bytes a DMA channel may hand over now.
    func dmaRoom(_ width: Int) -> Int
    mutating func dmaSend(_ element: [UInt8], _ bus: Bus)
    /// What it has received, at most so many bytes where some can stay, in elements of so many.
    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8]

    // MARK: Between the lines and the core

    /// Takes away what it holds back, and adds what it asks for itself.
    func gate(_ lines: inout ExceptionSet)
    func passes(pulse line: Int) -> Bool
    /// The core has left deep sleep with these pending.
    mutating func wokeCore(_ pending: ExceptionSet)
}

extension Peripheral {
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        .min
    }
    mutating func advance(_ bus: Bus) {}
    var nextEvent: Int64 { .max }
    mutating func coreClockChanged(to hertz: Int64, at now: Int64) {}
    mutating func reset(_ block: Block) { self = Self(block) }
    var lines: UInt32 { 0 }
    static func port(of block: Block) -> SerialPortName? { nil }
    mutating func take(_ input: WorldInput, _ bus: Bus) {}
    var isSending: Bool { false }
    var pinLevels: UInt32 { 0 }
    mutating func pinsAre(_ levels: UInt32, _ bus: Bus) {}
    static var actsOnOthers: Bool { false }
    var isWaiting: Bool { false }
    mutating func act(on others: inout Peripherals, _ bus: Bus) {}
    var claimsChannel: Bool { false }
    func dmaRoom(_ width: Int) -> Int { 0 }
    mutating func dmaSend(_ element: [UInt8], _ bus: Bus) {}
    mutating func dmaTake(_ limit: Int, width: Int) -> [UInt8] { [] }
    func gate(_ lines: inout ExceptionSet) {}
    func passes(pulse line: Int) -> Bool { true }
    mutating func wokeCore(_ pending: ExceptionSet) {}
}

/// What a peripheral sees around it.
final class Bus {
    /// Nanoseconds since the run's start.
    var now: Int64 = 0
    let world: any World
    let memory: any DMAMemory
    /// Set by a register that is not modelled.
    var isUnmodelled = false
    /// A watchdog or a reset register asks for the core to begin anew.
    var wantsReset = false
    /// The other real-time core has something to take.
    var hasMail = false
    /// There is another real-time core, and somebody who carries what is for it.
    var hasNeighbour = false
    /// HCLK, in hertz, that the program has chosen.
    var wantedHertz: Int64?
    /// Interrupts that are pulses, not levels.
    var pulses = ExceptionSet()

    init(world: any World, memory: any DMAMemory) {
        self.world = world
        self.memory = memory
    }

    func pulse(_ line: Int) { pulses[CoreException.interrupts + line] = true }
}

/// Memory as a DMA channel reaches it; nil or false where it cannot.
protocol DMAMemory: AnyObject {
    func dmaLoad(_ address: UInt32, _ count: Int) -> [UInt8]?
    func dmaStore(_ address: UInt32, _ bytes: [UInt8]) -> Bool
}

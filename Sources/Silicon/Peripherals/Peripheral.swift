/// What one block of registers does: a value that is told of accesses and of time, and says when it next wants to be.
protocol Peripheral: Codable {
    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus)
    /// Brings what depends on time to `bus.now`.
    mutating func advance(_ bus: Bus)
    /// When something will happen by itself, in nanoseconds; `.max` for never.
    var nextEvent: Int64 { get }
    /// Until when a read of a register gives what it gives now and changes nothing: how long code that polls it can be
    /// skipped. `.min` if a read has an effect.
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64
}

extension Peripheral {
    mutating func advance(_ bus: Bus) {}
    var nextEvent: Int64 { .max }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .min }
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

/// Registers that keep what is written, where that is all that drivers need.
struct RegisterStorage: Peripheral {
    private var registers: [UInt32: UInt32] = [:]
    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 { registers[offset] ?? 0 }
    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) { registers[offset] = value }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }
}

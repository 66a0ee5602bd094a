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

/// Registers by their offsets, as far as they were written; in the order of offsets wherever the order shows.
struct RegisterFile: Codable, ExpressibleByDictionaryLiteral {
    private var words: [UInt32: UInt32] = [:]

    init() {}
    init(dictionaryLiteral elements: (UInt32, UInt32)...) { for (offset, value) in elements { words[offset] = value } }

    subscript(_ offset: UInt32) -> UInt32? {
        get { words[offset] }
        set { words[offset] = newValue }
    }
    subscript(_ offset: UInt32, default fallback: UInt32) -> UInt32 {
        get { words[offset] ?? fallback }
        set { words[offset] = newValue }
    }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        while !list.isAtEnd {
            let offset = try list.decode(UInt32.self)
            words[offset] = try list.decode(UInt32.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for (offset, value) in words.sorted(by: { $0.key < $1.key }) {
            try list.encode(offset)
            try list.encode(value)
        }
    }
}

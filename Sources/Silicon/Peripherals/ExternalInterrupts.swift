import Formats

/// CIRQ: the conditions of external interrupts 0…23, which lines reach the core, and which ended its deep sleep
/// (mt3620-silicon §2.2).
struct ExternalInterrupts: Peripheral {
    static let type = BlockType(
        "mt3620-cirq", "interrupts of pins; stands between the other blocks' lines and the core", gatesInterrupts: true,
        pins: 1...24, watchesPins: true,
        settings: [.init("first-line", in: 0...76, isRequired: true), .init("sensed-line", in: 0...99)])
    private let count: Int
    /// Of the first pin's interrupt.
    private let firstLine: Int
    /// A line that is no level unless it is set to be one: it comes as a pulse else.
    private let sensedLine: Int?
    private var registers = RegisterFile()
    private var levels: UInt32 = 0xFF_FFFF
    private var woken = ExceptionSet()

    init(_ block: Block) {
        (count, firstLine, sensedLine) = (block.pins.count, block["first-line"] ?? 0, block["sensed-line"])
    }

    private func control(_ index: Int) -> UInt32 { registers[UInt32(index) * 4] ?? 0 }

    /// IRQ_SENS: a line that is not set is an edge.
    private func isLevel(line: Int) -> Bool { (registers[0x200 + UInt32(line / 32) * 4] ?? 0) >> UInt32(line % 32) & 1 != 0 }

    /// IRQ_DIS: a line that is set does not reach the core.
    private func isBlocked(line: Int) -> Bool { (registers[0x600 + UInt32(line / 32) * 4] ?? 0) >> UInt32(line % 32) & 1 != 0 }

    /// Takes in the levels of pins 0…23; edges that were asked for are pulses.
    mutating func pinsAre(_ now: UInt32, _ bus: Bus) {
        let changed = (now ^ levels) & 0xFF_FFFF
        levels = now
        for index in 0..<count where changed >> UInt32(index) & 1 != 0 {
            let line = firstLine + index
            guard !isLevel(line: line) else { continue }
            let fell = now >> UInt32(index) & 1 == 0
            let isDual = control(index) & 1 << 7 != 0
            if isDual || fell == (control(index) & 1 << 8 != 0) { bus.pulse(line) }
        }
    }

    func gate(_ lines: inout ExceptionSet) {
        var open = ExceptionSet()
        lines.forEach { number in
            let line = number - CoreException.interrupts
            open[number] = line < 0 || !isBlocked(line: line) && (line != sensedLine || isLevel(line: line))
        }
        addPins(to: &open)
        lines = open
    }

    func passes(pulse line: Int) -> Bool { !isBlocked(line: line) }

    /// Lines in level mode whose pin has the level that was asked for.
    private func addPins(to set: inout ExceptionSet) {
        guard registers[0x200] != nil || registers[0x204] != nil else { return }
        for index in 0..<count {
            let line = firstLine + index
            let isLow = levels >> UInt32(index) & 1 == 0
            if isLevel(line: line) && isLow == (control(index) & 1 << 8 != 0) { set[CoreException.interrupts + line] = true }
        }
    }

    /// The lines that were pending when the core left deep sleep, less those of WIC_DIS, until software clears them.
    mutating func wokeCore(_ pending: ExceptionSet) {
        for word in 0..<4 {
            let disabled = registers[0x620 + UInt32(word) * 4] ?? 0
            woken.setInterrupts(word: word, pending.interrupts(word: word) & ~disabled, to: true)
        }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        offset >= 0x364 && offset < 0x374 ? woken.interrupts(word: Int(offset - 0x364) / 4) : registers[offset] ?? 0
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        if offset == 0x720 || offset >= 0x700 && offset < 0x710 { bus.isUnmodelled = true }
        registers[offset] = value
        if offset == 0x344, value != 0, registers[0x340] ?? 0 != 0 { woken = ExceptionSet() }
    }
    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }
}

import Formats

/// The registers at 0xE000E000 and the rules behind them: which exception is taken when (NVIC and SCB, with as many
/// lines and priority bits as the chip has), SysTick, the cycle counter, and the memory protection unit's settings (mt3620-silicon §3).
struct SystemControl: Codable {
    var vectorTable: UInt32 = 0
    private(set) var sysTick: SysTick
    private(set) var protection = MemoryProtection()
    /// Exceptions that are being handled, the innermost last.
    private(set) var active: [Int] = []
    private(set) var pending = ExceptionSet()
    private var enabled: ExceptionSet
    /// Lines that peripherals hold high.
    private var levels = ExceptionSet()
    private var priorities: [UInt8]
    /// Lines of the interrupt controller.
    private let interrupts: Int
    /// Bits of a priority that there are, from the top.
    private let priorityMask: UInt8
    private let identification: UInt32
    private var priorityGroup: UInt32 = 0
    private var faultStatus: UInt32 = 0
    private var hardFaultStatus: UInt32 = 0
    private var faultAddress: UInt32 = 0
    private var handlerControl: UInt32 = 0
    private var configuration: UInt32 = 0x200
    private(set) var sleepControl: UInt32 = 0
    private var storage: RegisterFile = [0xF34: 0xC000_0000]
    private var counterControl: UInt32 = 0
    private var counterBase: Int64 = 0
    /// AIRCR.SYSRESETREQ was written.
    private(set) var wantsReset = false

    init(_ core: ChipDescription.Core) {
        (interrupts, identification, sysTick) = (core.interrupts, core.identification, SysTick(core))
        priorityMask = UInt8(truncatingIfNeeded: 0xFF00 >> UInt32(core.priorityBits))
        priorities = [UInt8](repeating: 0, count: CoreException.interrupts + core.interrupts)
        enabled = ExceptionSet()
        for number in [2, 3, 11, 12, 14, 15] { enabled[number] = true }
    }

    // MARK: Which exception

    /// What the mask registers hold back, as the core has them now.
    struct Masks: Equatable {
        var primask = false
        var faultmask = false
        /// 0 masks nothing.
        var basepri: UInt32 = 0
        static let none = Masks()
    }

    private func priority(_ number: Int) -> Int {
        switch number {
        case CoreException.reset: -3
        case CoreException.nonMaskable: -2
        case CoreException.hardFault: -1
        default: Int(priorities[number])
        }
    }

    /// What of a priority decides whether one exception interrupts another (B1.5.4).
    private func group(_ priority: Int) -> Int {
        priority < 0 ? priority : (priority >> Int(priorityGroup + 1)) << Int(priorityGroup + 1)
    }

    /// The lower, the more urgent; 256 is thread mode with nothing masked.
    private func executionPriority(_ masks: Masks) -> Int {
        var lowest = 256
        for number in active { lowest = min(lowest, group(priority(number))) }
        let basepri = masks.basepri & UInt32(priorityMask)
        if basepri != 0 { lowest = min(lowest, group(Int(basepri))) }
        if masks.primask { lowest = min(lowest, 0) }
        if masks.faultmask { lowest = min(lowest, -1) }
        return lowest
    }

    private var best: Int? {
        let waiting = pending.intersection(enabled)
        guard !waiting.isEmpty else { return nil }
        var best: (priority: Int, number: Int)?
        waiting.forEach { number in
            let one = (priority: priority(number), number: number)
            if best.map({ one < $0 }) ?? true { best = one }
        }
        return best?.number
    }

    /// The exception to be taken now, if any.
    func candidate(_ masks: Masks) -> Int? {
        best.flatMap { group(priority($0)) < executionPriority(masks) ? $0 : nil }
    }

    /// True if something waits that only mask registers hold back.
    func isHeldBack(by masks: Masks) -> Bool { masks != .none && candidate(masks) == nil && candidate(.none) != nil }

    /// WFI ends when something is pending that would be taken if PRIMASK were clear (B1.5.17).
    func wakes(_ masks: Masks) -> Bool {
        var masks = masks
        masks.primask = false
        return candidate(masks) != nil
    }

    /// WFE ends when an exception would be taken, or, with SEVONPEND, when one is pending at all (B1.5.18).
    func wakesFromEvent(_ masks: Masks) -> Bool { candidate(masks) != nil || sleepControl & 0x10 != 0 && !pending.isEmpty }

    mutating func enter(_ number: Int) {
        pending[number] = false
        active.append(number)
    }

    /// The innermost exception is over; false if none was active.
    mutating func leave() -> Bool {
        guard let number = active.popLast() else { return false }
        if levels[number], number != CoreException.nonMaskable { pending[number] = true }
        return true
    }

    // MARK: Asking for exceptions

    mutating func pend(_ number: Int) { pending[number] = true }

    /// Sets which interrupt lines are high: a line that is high is pending while its handler does not run.
    mutating func setLines(_ lines: ExceptionSet) {
        let before = levels
        levels = lines
        // The one that cannot be masked comes when its line rises, and only then.
        lines.forEach { if !active.contains($0), $0 != CoreException.nonMaskable || !before[$0] { pending[$0] = true } }
    }

    enum Answer: Equatable {
        case exception(Int)
        /// A fault where none can be handled (B1.5.15).
        case lockUp
    }

    /// A fault of the code that runs.
    mutating func fault(_ cause: FaultCause, address: UInt32?, _ masks: Masks) -> Answer {
        faultStatus |= cause.rawValue
        if let address, cause.hasAddress {
            faultAddress = address
            faultStatus |= cause == .dataAccess ? 0x80 : 0x8000
        }
        return escalate(cause.exception, masks)
    }

    /// An exception that the code itself causes, at once: or as a hard fault where its own may not come (B1.5.14).
    mutating func escalate(_ number: Int, _ masks: Masks) -> Answer {
        let now = executionPriority(masks)
        if enabled[number], group(priority(number)) < now { return .exception(number) }
        guard now > -1 else { return .lockUp }
        hardFaultStatus |= number == CoreException.debugMonitor ? 1 << 31 : 1 << 30
        return .exception(CoreException.hardFault)
    }

    mutating func vectorFault(_ masks: Masks) -> Answer {
        hardFaultStatus |= 2
        return executionPriority(masks) > -1 ? .exception(CoreException.hardFault) : .lockUp
    }

    // MARK: Time

    mutating func advance(to cycle: Int64) { if sysTick.advance(to: cycle) { pending[CoreException.sysTick] = true } }
    var nextEvent: Int64 { sysTick.nextEvent }

    /// CPACR opens the floating-point unit (B3.2.20).
    var allowsFloats: Bool { storage[0xD88].map { $0 >> 20 & 5 == 5 } ?? false }

    var trapsUnaligned: Bool { configuration & 8 != 0 }
    var trapsDivisionByZero: Bool { configuration & 0x10 != 0 }

    // MARK: Registers

    mutating func read(_ offset: UInt32, at cycle: Int64) -> UInt32 {
        switch offset {
        case 0x004: UInt32((interrupts + 31) / 32 - 1)  // ICTR: up to so many times 32 lines, and 32
        case 0x010..<0x020: sysTick.read(offset, at: cycle)
        case 0x100..<0x110, 0x180..<0x190: enabled.interrupts(word: Int(offset & 0xF) / 4)
        case 0x200..<0x210, 0x280..<0x290: pending.interrupts(word: Int(offset & 0xF) / 4)
        case 0x300..<0x310: activeSet.interrupts(word: Int(offset & 0xF) / 4)
        case 0x400..<0x400 + UInt32(interrupts): priorityWord(16 + Int(offset & ~3) - 0x400)
        case 0xD00: identification
        case 0xD04: interruptState
        case 0xD08: vectorTable
        case 0xD0C: 0xFA05_0000 | priorityGroup << 8
        case 0xD10: sleepControl
        case 0xD14: configuration
        case 0xD18..<0xD24: priorityWord(4 + Int(offset & ~3) - 0xD18)
        case 0xD24: handlerState
        case 0xD28: faultStatus
        case 0xD2C: hardFaultStatus
        case 0xD34, 0xD38: faultAddress
        case 0xD90..<0xDBC: protection.read(offset)
        default: storage[offset] ?? 0
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, bytes: Int, at cycle: Int64) {
        let word = Int(offset & 0xF) / 4
        switch offset {
        case 0x010..<0x020: sysTick.write(offset, value, at: cycle)
        case 0x100..<0x110: enabled.setInterrupts(word: word, value & present(word), to: true)
        case 0x180..<0x190: enabled.setInterrupts(word: word, value, to: false)
        case 0x200..<0x210: pending.setInterrupts(word: word, value & present(word), to: true)
        case 0x280..<0x290:
            pending.setInterrupts(word: word, value, to: false)
            setLines(levels)
        case 0x400..<0x400 + UInt32(interrupts): setPriorities(16 + Int(offset) - 0x400, value, bytes)
        case 0xD04: setInterruptState(value)
        case 0xD08: vectorTable = value & 0xFFFF_FF80
        case 0xD0C where value >> 16 == 0x05FA:
            priorityGroup = value >> 8 & 7
            if value & 4 != 0 { wantsReset = true }
        case 0xD0C: break
        case 0xD10: sleepControl = value & 0x16
        case 0xD14: configuration = value & 0x31B
        case 0xD18..<0xD24: setPriorities(4 + Int(offset) - 0xD18, value, bytes)
        case 0xD24: setHandlerState(value)
        case 0xD28: faultStatus &= ~(value << (8 * (offset & 3)))
        case 0xD29, 0xD2A: faultStatus &= ~(value << (8 * (offset & 3)))
        case 0xD2C: hardFaultStatus &= ~value
        case 0xD34, 0xD38: faultAddress = value
        case 0xD90..<0xDBC: protection.write(offset, value)
        case 0xF00: if value < interrupts { pending[CoreException.interrupts + Int(value)] = true }
        default: storage[offset] = value
        }
    }

    /// DWT: the cycle counter, and storage (0xE0001000).
    func readCounter(_ offset: UInt32, at cycle: Int64) -> UInt32 {
        switch offset {
        case 0: 0x4000_0000 | counterControl
        case 4: counterControl & 1 != 0 ? UInt32(truncatingIfNeeded: cycle - counterBase) : UInt32(truncatingIfNeeded: counterBase)
        default: 0
        }
    }

    mutating func writeCounter(_ offset: UInt32, _ value: UInt32, at cycle: Int64) {
        let now = Int64(readCounter(4, at: cycle))
        switch offset {
        case 0:
            // While it stands, the base holds its value.
            if counterControl & 1 == 0, value & 1 != 0 { counterBase = cycle - now }
            if counterControl & 1 != 0, value & 1 == 0 { counterBase = now }
            counterControl = value & 1
        case 4: counterBase = counterControl & 1 != 0 ? cycle - Int64(value) : Int64(value)
        default: break
        }
    }

    private var activeSet: ExceptionSet {
        var set = ExceptionSet()
        for number in active { set[number] = true }
        return set
    }

    private var interruptState: UInt32 {
        var word = UInt32(active.last ?? 0)
        if active.count < 2 { word |= 1 << 11 }  // RETTOBASE
        word |= UInt32(best ?? 0) << 12
        if (CoreException.interrupts..<priorities.count).contains(where: { pending[$0] }) { word |= 1 << 22 }
        if pending[CoreException.sysTick] { word |= 1 << 26 }
        if pending[CoreException.pendSupervisor] { word |= 1 << 28 }
        if pending[CoreException.nonMaskable] { word |= 1 << 31 }
        return word
    }

    private mutating func setInterruptState(_ value: UInt32) {
        if value & 1 << 31 != 0 { pending[CoreException.nonMaskable] = true }
        if value & 1 << 28 != 0 { pending[CoreException.pendSupervisor] = true }
        if value & 1 << 27 != 0 { pending[CoreException.pendSupervisor] = false }
        if value & 1 << 26 != 0 { pending[CoreException.sysTick] = true }
        if value & 1 << 25 != 0 { pending[CoreException.sysTick] = false }
    }

    /// SHCSR: bits 16–18 enable the three configurable faults; the low ones show what is active or pending.
    private var handlerState: UInt32 {
        let activeBits = [(4, 0), (5, 1), (6, 3), (11, 7), (12, 8), (14, 10), (15, 11)]
        let pendingBits = [(6, 12), (4, 13), (5, 14), (11, 15)]
        var word = handlerControl
        for (number, bit) in activeBits where active.contains(number) { word |= 1 << UInt32(bit) }
        for (number, bit) in pendingBits where pending[number] { word |= 1 << UInt32(bit) }
        return word
    }

    private mutating func setHandlerState(_ value: UInt32) {
        handlerControl = value & 0x7_0000
        for (number, bit) in [(4, 16), (5, 17), (6, 18)] { enabled[number] = value >> UInt32(bit) & 1 != 0 }
    }

    private func priorityWord(_ first: Int) -> UInt32 {
        (0..<4).reduce(0) { word, index in
            first + index < priorities.count ? word | UInt32(priorities[first + index]) << (8 * UInt32(index)) : word
        }
    }

    private mutating func setPriorities(_ first: Int, _ value: UInt32, _ bytes: Int) {
        for index in 0..<bytes where first + index < priorities.count {
            priorities[first + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) & priorityMask
        }
    }

    /// Which of 32 lines, from the word-th on, there are.
    private func present(_ word: Int) -> UInt32 {
        let count = min(32, interrupts - 32 * word)
        return count <= 0 ? 0 : UInt32(truncatingIfNeeded: (1 as UInt64) << UInt64(count) - 1)
    }
}

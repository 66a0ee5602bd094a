import CUnicorn
import Glibc

/// Finds out that a program can only go round in a loop until the next event, and skips whole rounds of it.
///
/// If all registers and all memory are the same at two passes of one address, nothing was written to a peripheral in
/// between, and every register that was read would read the same, then each further round is the same too: until what was
/// read changes, or an interrupt comes. Only whole rounds are skipped, so the trace is that of the slow way.
@safe struct IdleLoop {
    struct Result {
        /// Cycles to skip.
        var skip: Int64 = 0
        /// Where to be called again; 0 for nowhere.
        var head: UInt32 = 0
        /// Blocks until the next look.
        var untilSample: Int
    }

    private enum Phase { case none, registers, memory }

    /// Off, each round is executed: for the test that compares the two.
    var isOn = true
    private let engine: Engine
    private var phase = Phase.none
    private var head: UInt32 = 0
    private var pause = IdleLoop.shortestPause
    private var registers: [UInt32] = []
    private var floats: [UInt32] = []
    private var memory: [Copy] = []
    private var startCycles: Int64 = 0
    /// Nanoseconds until which all that was read stays the same; `.min` if something had an effect.
    private var stableUntil = Int64.max
    private var skipped: Int64 = 0

    /// Blocks between looks; what was no loop is looked at less and less often.
    private static let shortestPause = 1024
    private static let longestPause = 1 << 17
    /// A loop longer than so many blocks is none.
    private static let longestLoop = 512
    /// Comparing memory costs as much as some thousand instructions.
    private static let leastWindow: Int64 = 30_000

    init(_ engine: Engine) { self.engine = engine }

    /// What memory holds: of much of it, only pages that somebody has touched, since all others are zeros.
    @safe private struct Copy {
        private static let mostBytes = 1 << 20
        private static let pageBytes = 4096
        /// nil for all of it.
        private let pages: [Int]?
        private let bytes: [UInt8]

        init(_ memory: Engine.Memory) {
            pages = Copy.touched(memory)
            guard let pages else {
                bytes = memory.content
                return
            }
            bytes = unsafe pages.flatMap { unsafe memory.bytes[$0 * Copy.pageBytes..<($0 + 1) * Copy.pageBytes] }
        }

        private static func touched(_ memory: Engine.Memory) -> [Int]? {
            guard memory.count > mostBytes else { return nil }
            return memory.touched(from: 0, count: memory.count).enumerated().compactMap { $1 ? $0 : nil }
        }

        func isEqual(to memory: Engine.Memory) -> Bool {
            guard let pages else {
                return unsafe bytes.withUnsafeBytes { unsafe memcmp($0.baseAddress!, memory.bytes.baseAddress!, memory.count) == 0 }
            }
            guard pages == Copy.touched(memory) else { return false }
            for (index, page) in pages.enumerated() {
                let isSame = unsafe bytes.withUnsafeBytes { before in
                    unsafe memcmp(
                        before.baseAddress! + index * Copy.pageBytes, memory.bytes.baseAddress! + page * Copy.pageBytes, Copy.pageBytes)
                        == 0
                }
                guard isSame else { return false }
            }
            return true
        }
    }

    /// Between two passes of a head: what is read meanwhile counts.
    var isWatching: Bool { phase != .none }
    mutating func sawRead(stableUntil instant: Int64) { stableUntil = min(stableUntil, instant) }
    mutating func sawWrite() { stableUntil = .min }

    /// Cycles skipped since the last time: no instructions were executed in them.
    mutating func takeSkipped() -> Int64 {
        defer { skipped = 0 }
        return skipped
    }

    mutating func look(at address: UInt32, cycles: Int64, window: Int64, _ clock: CoreClock) -> Result {
        guard isOn, window >= IdleLoop.leastWindow else {
            phase = .none
            return Result(untilSample: IdleLoop.shortestPause)
        }
        if phase == .none || address != head { return begin(address, cycles) }
        let end = min(cycles + window, clock.cycles(reaching: stableUntil))
        guard stableUntil != .min, registers == currentRegisters, floats == currentFloats, end - cycles >= IdleLoop.leastWindow else {
            return giveUp()
        }
        if phase == .registers {
            phase = .memory
            startCycles = cycles
            memory = engine.memories.map { Copy($0) }
            return Result(head: address, untilSample: IdleLoop.longestLoop)
        }
        guard memoryIsSame else { return giveUp() }
        phase = .none
        pause = IdleLoop.shortestPause
        let round = max(1, cycles - startCycles)
        let skip = max(0, (end - cycles) / round - 1) * round
        skipped += skip
        memory = []
        return Result(skip: skip, untilSample: IdleLoop.shortestPause)
    }

    private mutating func begin(_ address: UInt32, _ cycles: Int64) -> Result {
        if phase != .none { return giveUp() }
        phase = .registers
        head = address
        stableUntil = .max
        registers = currentRegisters
        floats = currentFloats
        return Result(head: address, untilSample: IdleLoop.longestLoop)
    }

    private mutating func giveUp() -> Result {
        phase = .none
        memory = []
        pause = min(pause * 2, IdleLoop.longestPause)
        return Result(untilSample: pause)
    }

    private var memoryIsSame: Bool {
        zip(engine.memories, memory).allSatisfy { now, before in before.isEqual(to: now) }
    }

    private static let masks: [uc_arm_reg] = [
        UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK, UC_ARM_REG_CONTROL, UC_ARM_REG_XPSR, UC_ARM_REG_PSP, UC_ARM_REG_MSP,
    ]
    private var currentRegisters: [UInt32] {
        Engine.general.dropLast().map { engine[$0] } + IdleLoop.masks.map { engine[$0] }
    }
    private var currentFloats: [UInt32] {
        Engine.numbered(UC_ARM_REG_S0).map { engine[$0] } + [engine[UC_ARM_REG_FPSCR]]
    }
}

import CUnicorn
public import Formats
import Glibc

/// The security core (Pluton's Cortex-M4) from reset until it hands over: runs boot ROM and 1BL as machine code, and lets
/// faults happen to it. The rest of what the core does is `Pluton`.
@safe public final class SecurityCore {
    public enum End: Equatable, Sendable {
        /// The Pluton runtime has been checked, and goes on.
        case handedOver
        /// The code has stopped the boot: why, as `boot.h` numbers it.
        case halted(UInt32)
        /// Nothing came of it: it ran on for ten times as long as a boot takes.
        case hung
        /// It went where no code is: the core is locked up.
        case crashed
    }

    public struct Run: Sendable {
        public var end: End
        public var reports: [BootReport]
        public var measurements: [BootMeasurement]
        public var console: [UInt8]
        public var postcodes: [UInt32]
        public var instructions: Int64
        public var nanoseconds: Int64
        /// Where the glitch hit; nil without one, or if the boot was over before.
        public var hit: UInt32?
    }

    private static let romBytes = 64 << 10
    static let tcmBase: UInt32 = 0x0010_0000
    private static let tcmBytes = 128 << 10
    /// A boot takes some thousand instructions.
    public static let usualBudget: Int64 = 1_000_000
    /// From one wait for the UART to the next: a sector is copied in some hundred thousand.
    private static let recoveryBudget: Int64 = 50_000_000

    private let rom: ELFImage
    let engine: Engine
    private let memory = SignatureMemory()
    private var registers: BootRegisters?
    private let blockCounts = BlockCounts()
    var executed: Int64 = 0
    /// How many it had executed when somebody looked how full the engine is.
    private var looked: Int64 = 0
    private var budget: Int64 = 0
    var block: UInt32 = 0
    var blockBytes: UInt32 = 0
    /// Stop before the block that has this instruction.
    var target = Int64.max
    /// The block in which something has been changed is let run, once, and no other.
    enum Change { case none, waits, runs }
    var change = Change.none
    /// Instructions in the order in which they were executed, if that is asked for.
    private var trace: [Step]?
    /// Watches each instruction and each read; only once somebody asks for what is read.
    var bus: BusWatch?

    public init(rom: ELFImage) throws(SiliconError) {
        self.rom = rom
        engine = try Engine(.cortexM4)
        let code = try engine.map(0, count: SecurityCore.romBytes, .readExecute)
        for segment in rom.segments where Int(segment.address) + segment.bytes.count <= code.count {
            engine.storeCode(segment.address, segment.bytes)
        }
        try engine.map(SecurityCore.tcmBase, count: SecurityCore.tcmBytes, .readWriteExecute)
        for (base, size) in [(0x2108_0000, 0x8_0000), (BootRegisters.flashBase, FlashLayout.totalBytes)] as [(UInt32, Int)] {
            engine.window(
                base, count: size,
                read: { [unowned self] address, size in read(address, size) },
                write: { [unowned self] address, value, _ in registers?.write(address & ~3, value, engine) })
        }
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe engine.watchBlocks(
            { _, address, size, slot in
                unsafe Unmanaged<SecurityCore>.fromOpaque(slot!)._withUnsafeGuaranteedRef {
                    $0.block(UInt32(truncatingIfNeeded: address), size)
                }
            }, slot)
    }

    /// The mask ROM, from the file that stands for it.
    public static func readROM(path: String) throws(SiliconError) -> ELFImage {
        guard let bytes = BackingFile.readAll(path: path), let image = try? ELFImage(bytes) else {
            throw .file(path: path, operation: "read as a boot ROM", errno: errno)
        }
        return image
    }

    private func read(_ address: UInt32, _ size: Int) -> UInt32 {
        let (word, shift) = (address & ~3, 8 * (address & 3))
        var value = (registers?.read(word) ?? 0) >> shift
        // Compilers put bytes together to words that lie across two.
        if Int(address & 3) + size > 4, word < .max - 3 { value |= (registers?.read(word + 4) ?? 0) << (32 - shift) }
        return value ^ (bus?.takeWrong() ?? 0)
    }

    // MARK: Running

    /// Boots once, from a reset.
    public func boot(_ surroundings: BootSurroundings, glitch: Glitch? = nil, budget: Int64 = SecurityCore.usualBudget) -> Run {
        reset(surroundings)
        self.budget = budget
        if let glitch, case .bus = glitch.model { return bootReadingWrongly(glitch) }
        target = glitch?.instruction ?? .max
        var hit: UInt32?
        var pc = engine.word(4) ?? 0
        var end: End?
        while end == nil {
            let how = engine.run(from: pc & ~1, thumb: true)
            pc = engine[UC_ARM_REG_PC]
            end = finished(how)
            guard end == nil, let glitch, hit == nil else { continue }
            hit = strike(glitch, at: pc, &end)
            pc = engine[UC_ARM_REG_PC]
        }
        return outcome(end ?? .crashed, hit)
    }

    func outcome(_ end: End, _ hit: UInt32?) -> Run {
        Run(
            end: end, reports: registers?.reports ?? [], measurements: registers?.measurements ?? [], console: registers?.console ?? [],
            postcodes: registers?.postcodes ?? [], instructions: executed, nanoseconds: elapsedNanoseconds, hit: hit)
    }

    /// An instruction that was executed.
    public struct Step: Equatable, Sendable {
        public var address: UInt32
        /// 2 or 4.
        public var bytes: Int
        /// The width of each read that it made, in bytes; empty if reads are not traced.
        public var reads: [Int] = []
    }

    /// Boots once, and tells which instruction was executed when, and what it read.
    public func traceBoot(_ surroundings: BootSurroundings, reads: Bool = false) -> (run: Run, steps: [Step]) {
        trace = []
        defer { trace = nil }
        if reads { watchBus() }
        bus?.widths = reads ? [:] : nil
        let run = boot(surroundings)
        let widths = bus?.widths ?? [:]
        bus?.widths = nil
        let steps = (trace ?? []).enumerated().map { Step(address: $1.address, bytes: $1.bytes, reads: widths[Int64($0)] ?? []) }
        return (run, steps)
    }

    // MARK: Recovery

    /// How far boot code came with what its UART has received.
    public struct Pause: Sendable {
        public var sent: [UInt8]
        /// Since the pause before.
        public var nanoseconds: Int64
        /// It wants to be woken after so much time, if nothing comes before; nil at the end.
        public var waitNanoseconds: Int64?
        public var end: End?
    }

    /// Starts the ROM with its UART strapped (HW-26), up to where it waits for the other end.
    public func recover(_ surroundings: BootSurroundings) -> Pause {
        var strapped = surroundings
        strapped.isStrapped = true
        reset(strapped)
        return goOn(from: (engine.word(4) ?? 0) & ~1)
    }

    /// - Parameter received: Nothing if the time to wait is over.
    public func wake(received: [UInt8]) -> Pause {
        registers?.serial.wake(received)
        return goOn(from: engine[UC_ARM_REG_PC])
    }

    private func goOn(from pc: UInt32) -> Pause {
        let (before, last) = (elapsedNanoseconds, executed + SecurityCore.recoveryBudget)
        target = .max
        var (pc, end) = (pc, End?.none)
        repeat {
            renewIfFilling()
            budget = min(last, executed + Engine.lookInterval)
            let how = engine.run(from: pc, thumb: true)
            pc = engine[UC_ARM_REG_PC]
            if registers?.serial.waitNanoseconds != nil { break }
            end = how == .stopped && executed < last && registers?.end == nil ? nil : finished(how) ?? .hung
        } while end == nil
        let wait = registers?.serial.waitNanoseconds
        return Pause(
            sent: registers?.serial.takeSent() ?? [], nanoseconds: elapsedNanoseconds - before, waitNanoseconds: end == nil ? wait : nil,
            end: end)
    }

    private var elapsedNanoseconds: Int64 {
        executed * 1_000_000_000 / CoreClock.crystalHertz + (registers?.spentNanoseconds ?? 0)
    }

    private func renewIfFilling() {
        _ = engine.renewIfFilling(after: executed - looked)
        looked = executed
    }

    private func reset(_ surroundings: BootSurroundings) {
        registers = BootRegisters(surroundings, memory)
        for memory in engine.memories where memory.base == SecurityCore.tcmBase {
            engine.storeCode(memory.base, [UInt8](repeating: 0, count: memory.count))
        }
        renewIfFilling()
        engine.resetCortexM(stack: engine.word(0) ?? 0)
        (executed, looked) = (0, 0)
        change = .none
        bus?.reset(nil)
        // What lies at an address of its RAM may be other code this time.
        blockCounts.forget()
    }

    /// How the boot ended, if it did; nil at a place where something is to be changed.
    func finished(_ how: Engine.End) -> End? {
        switch registers?.end {
        case .handedOver?: return .handedOver
        case .halted(let reason)?: return .halted(reason)
        case nil: break
        }
        switch how {
        // Nobody is at the other end of the UART.
        case .stopped: return executed >= budget || registers?.serial.waitNanoseconds != nil ? .hung : nil
        case .idle: return .hung
        default: return .crashed
        }
    }

    fileprivate func block(_ address: UInt32, _ size: UInt32) {
        // A block with a fault in it is no block to remember.
        let count = change == .waits ? ThumbCode.count(engine.load(address, Int(size)) ?? []) : blockCounts.count(address, size, engine)
        let isTarget = target >= executed && target < executed + count
        let isPaused = registers?.end != nil || registers?.serial.waitNanoseconds != nil
        if isPaused || executed >= budget || isTarget || change == .runs { return engine.stop() }
        if change == .waits { change = .runs }
        (block, blockBytes) = (address, size)
        executed += count
        if trace != nil { note(address, size) }
    }

    private func note(_ address: UInt32, _ size: UInt32) {
        let code = engine.load(address, Int(size)) ?? []
        var offset = 0
        while let first = ThumbCode.half(code, offset) {
            trace?.append(Step(address: address + UInt32(offset), bytes: ThumbCode.length(first)))
            offset += ThumbCode.length(first)
        }
    }
}

import CUnicorn
public import Formats

/// One real-time Cortex-M4 on the Unicorn engine, with its private memory and peripherals.
///
/// Time is the core's own: it advances with executed instructions at the core clock, and jumps to the next
/// peripheral event while the program sleeps in WFI, so that a core that waits costs no host time.
@safe public final class RealTimeCore {
    public enum Stop: Equatable, Sendable {
        case reachedDeadline
        /// The program did something that silicon answers with a fault.
        case faulted(reason: String, pc: UInt32, lr: UInt32, sp: UInt32)
    }

    /// HCLK after reset (mt3620-silicon §3.3).
    public static let hertz: Int64 = 26_000_000

    /// Nanoseconds since the run's start.
    public private(set) var now: Int64
    public private(set) var instructions: Int64 = 0

    private let engine: OpaquePointer
    private let world: any World
    private var regions: [Region] = []
    private var peripherals = Peripherals()
    private var interrupts = InterruptController()
    private var programCounter: UInt32 = 0
    private var isSleeping = false
    private var deadline: Int64 = 0
    private var sliceDeadline: Int64 = 0
    /// Something is pending but PRIMASK holds it back: watch for the end of masking.
    private var watchesMask = false
    private var sliceStart: Int64 = 0
    private var sliceInstructions: Int64 = 0
    private var wantsAttention = false
    private var stopped = false
    private var interruptNumber: UInt32?
    private var counts: [UInt64: Int64] = [:]

    /// Loads a program and sets the core to its reset state; the vector table is at the entry point.
    public init(_ program: ELFImage, world: any World, at nanoseconds: Int64) throws(SiliconError) {
        self.world = world
        now = nanoseconds
        var opened: OpaquePointer?
        guard unsafe uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &opened) == UC_ERR_OK, let opened = unsafe opened else {
            throw .engine("cannot open")
        }
        unsafe engine = opened
        unsafe _ = uc_use_cortex_m4(engine)
        unsafe uc_mem_map(engine, 0x0010_0000, 192 << 10, UC_PROT_ALL.rawValue)
        unsafe uc_mem_map(engine, 0x2200_0000, 64 << 10, UC_PROT_ALL.rawValue)
        for (base, size) in [
            (0, 0x1_0000), (0x2100_0000, 0x9_0000), (0x3000_0000, 0x4_0000), (0x3800_0000, 0x11_0000),
            (0xE000_E000, 0x1000),
        ] as [(UInt64, Int)] { unsafe map(base, size) }
        unsafe hook()
        for segment in program.segments {
            let zeros = [UInt8](repeating: 0, count: Int(segment.memoryBytes) - segment.bytes.count)
            let content = segment.bytes + zeros
            guard unsafe uc_mem_write(engine, UInt64(segment.address), content, content.count) == UC_ERR_OK else {
                throw .engine("segment at 0x\(String(segment.address, radix: 16)) is outside the core's memory")
            }
        }
        interrupts.vectorTable = program.entry
        write(UC_ARM_REG_SP, word(at: program.entry))
        programCounter = word(at: program.entry + 4) & ~1
    }

    deinit { unsafe _ = uc_close(engine) }

    /// When the core next has something to do; `.max` if it sleeps for ever.
    public var nextWork: Int64 { isSleeping ? max(now, peripherals.nextEvent) : now }

    /// Runs until the core's time reaches `nanoseconds`.
    public func run(until nanoseconds: Int64) -> Stop {
        deadline = nanoseconds
        while now < deadline {
            peripherals.advance(to: now)
            interrupts.assert(lines: peripherals.lines)
            if isSleeping {
                if interrupts.wakes {
                    isSleeping = false
                } else {
                    now = min(deadline, max(peripherals.nextEvent, now + 1))
                    continue
                }
            }
            let isMasked = read(UC_ARM_REG_PRIMASK) & 1 != 0
            if let exception = interrupts.candidate(mask: isMasked) { enter(exception) }
            watchesMask = isMasked && interrupts.candidate(mask: false) != nil
            if let fault = slice() { return fault }
        }
        return .reachedDeadline
    }

    // MARK: One stretch of execution

    private func slice() -> Stop? {
        sliceStart = now
        sliceDeadline = min(deadline, max(peripherals.nextEvent, now + 1))
        sliceInstructions = 0
        wantsAttention = false
        stopped = false
        interruptNumber = nil
        let error = unsafe uc_emu_start(engine, UInt64(programCounter | 1), 0, 0, 0)
        now = currentTime
        instructions += sliceInstructions
        programCounter = read(UC_ARM_REG_PC)
        if let number = interruptNumber {
            // 8 is EXC_RETURN; 3 the same with stale flags (mt3620-silicon §7.1).
            if number == 8 || number == 3 && programCounter >= 0xFFFF_FFE0 {
                leave(value: programCounter | 1)
                return nil
            }
            return fault("exception \(number)")
        }
        if error != UC_ERR_OK { return fault(unsafe String(cString: uc_strerror(error))) }
        if !stopped { isSleeping = true }  // WFI is what ends a slice by itself
        return nil
    }

    private func fault(_ reason: String) -> Stop {
        .faulted(reason: reason, pc: programCounter, lr: read(UC_ARM_REG_LR), sp: read(UC_ARM_REG_SP))
    }

    private var currentTime: Int64 { sliceStart + sliceInstructions * 1_000_000_000 / RealTimeCore.hertz }

    fileprivate func block(_ address: UInt64, _ size: UInt32) {
        if wantsAttention || currentTime >= sliceDeadline || watchesMask && read(UC_ARM_REG_PRIMASK) & 1 == 0 {
            stopped = true
            unsafe uc_emu_stop(engine)
            return
        }
        sliceInstructions += count(address, size)
    }

    /// Thumb instructions in a block: 2 bytes each, or 4 if the first five bits are 0b11101 or above.
    private func count(_ address: UInt64, _ size: UInt32) -> Int64 {
        let key = address << 16 | UInt64(size & 0xFFFF)
        if let known = counts[key] { return known }
        var code = [UInt8](repeating: 0, count: Int(size))
        unsafe uc_mem_read(engine, address, &code, code.count)
        var (position, count) = (0, Int64(0))
        while position + 1 < code.count {
            position += code[position + 1] >> 3 >= 0b11101 ? 4 : 2
            count += 1
        }
        counts[key] = count
        return count
    }

    fileprivate func interrupt(_ number: UInt32) {
        interruptNumber = number
        stopped = true
        unsafe uc_emu_stop(engine)
    }

    // MARK: Exceptions (basic frame; ARMv7-M ARM B1.5.6, B1.5.8)

    private func enter(_ exception: Int) {
        let xpsr = read(UC_ARM_REG_XPSR)
        let old = read(UC_ARM_REG_SP)
        let padded = old & 4 != 0
        let sp = (old & ~7) - 0x20
        let frame = [
            read(UC_ARM_REG_R0), read(UC_ARM_REG_R1), read(UC_ARM_REG_R2), read(UC_ARM_REG_R3),
            read(UC_ARM_REG_R12), read(UC_ARM_REG_LR), programCounter, xpsr & ~(1 << 9) | (padded ? 1 << 9 : 0),
        ]
        store(frame, at: sp)
        write(UC_ARM_REG_SP, sp)
        write(UC_ARM_REG_LR, interrupts.active.isEmpty ? 0xFFFF_FFF9 : 0xFFFF_FFF1)
        interrupts.enter(exception)
        write(UC_ARM_REG_IPSR, UInt32(exception))
        programCounter = word(at: interrupts.vectorTable + UInt32(exception) * 4) & ~1
        isSleeping = false
    }

    private func leave(value: UInt32) {
        interrupts.leave()
        let sp = read(UC_ARM_REG_SP)
        let frame = (0..<8).map { word(at: sp + UInt32($0) * 4) }
        write(UC_ARM_REG_IPSR, UInt32(interrupts.active.last ?? 0))
        for (register, value) in zip(
            [UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR], frame)
        { write(register, value) }
        write(UC_ARM_REG_SP, sp + 0x20 + (frame[7] & 1 << 9 != 0 ? 4 : 0))
        write(UC_ARM_REG_APSR_NZCV, frame[7])
        programCounter = frame[6] & ~1
    }

    // MARK: Registers and memory

    private func read(_ register: uc_arm_reg) -> UInt32 {
        var value: UInt32 = 0
        unsafe uc_reg_read(engine, Int32(register.rawValue), &value)
        return value
    }

    private func write(_ register: uc_arm_reg, _ value: UInt32) {
        var value = value
        unsafe uc_reg_write(engine, Int32(register.rawValue), &value)
    }

    private func word(at address: UInt32) -> UInt32 {
        var bytes = [UInt8](repeating: 0, count: 4)
        unsafe uc_mem_read(engine, UInt64(address), &bytes, 4)
        return bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func store(_ words: [UInt32], at address: UInt32) {
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } }
        unsafe uc_mem_write(engine, UInt64(address), bytes, bytes.count)
    }

    // MARK: The engine's callbacks

    /// A window of memory-mapped registers.
    private final class Region {
        unowned let core: RealTimeCore
        let base: UInt32
        init(_ core: RealTimeCore, base: UInt32) {
            self.core = core
            self.base = base
        }
    }

    @unsafe private func map(_ base: UInt64, _ size: Int) {
        let region = Region(self, base: UInt32(base))
        regions.append(region)
        let slot = unsafe Unmanaged.passUnretained(region).toOpaque()
        unsafe uc_mmio_map(
            engine, base, size,
            { _, offset, _, slot in
                let region = unsafe Unmanaged<Region>.fromOpaque(slot!).takeUnretainedValue()
                return UInt64(region.core.load(region.base + UInt32(offset)))
            }, slot,
            { _, offset, size, value, slot in
                let region = unsafe Unmanaged<Region>.fromOpaque(slot!).takeUnretainedValue()
                region.core.save(region.base + UInt32(offset), UInt32(truncatingIfNeeded: value), bytes: Int(size))
            }, slot)
    }

    @unsafe private func hook() {
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        var handle: uc_hook = 0
        unsafe _ = uc_hook_blocks(
            engine, &handle,
            { _, address, size, slot in
                unsafe Unmanaged<RealTimeCore>.fromOpaque(slot!).takeUnretainedValue().block(address, size)
            }, slot)
        unsafe _ = uc_hook_interrupts(
            engine, &handle,
            { _, number, slot in
                unsafe Unmanaged<RealTimeCore>.fromOpaque(slot!).takeUnretainedValue().interrupt(number)
            }, slot)
    }

    private func load(_ address: UInt32) -> UInt32 {
        if address >= 0xE000_E000 { return interrupts.read(address & 0xFFF) }
        return peripherals.read(address, at: currentTime)
    }

    private func save(_ address: UInt32, _ value: UInt32, bytes: Int) {
        if address >= 0xE000_E000 {
            interrupts.write(address & 0xFFF, value, bytes: bytes)
        } else {
            peripherals.write(address, value, at: currentTime, world)
        }
        // A register may raise or mask an interrupt, but stopping inside a callback replays the store:
        // the next block hook stops instead (mt3620-silicon §7.5).
        wantsAttention = true
    }
}

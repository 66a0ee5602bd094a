import CUnicorn
import Formats

/// The Cortex-A7 as one process sees it: user mode, ARM and Thumb code with VFP and NEON, an address space with
/// permissions, the thread register and the kernel's helper page. What a system call does, and what a signal, is the OS's.
@safe public final class ApplicationCore {
    public enum Signal: Int, Sendable, Equatable {
        /// As Linux numbers them.
        case illegalInstruction = 4
        case trap = 5
        case busError = 7
        case segmentationFault = 11
    }

    public enum Stop: Equatable, Sendable {
        /// The number of instructions is used up.
        case outOfTime
        /// SVC 0 with the call's number in r7 (Linux EABI); the program goes on behind it.
        case systemCall(number: UInt32, arguments: [UInt32])
        case signal(Signal, address: UInt32, pc: UInt32)
    }

    public struct Registers: Codable, Equatable, Sendable {
        /// r0…r15.
        public var general: [UInt32]
        public var cpsr: UInt32
        /// d0…d31.
        public var floats: [UInt64]
        public var fpscr: UInt32
        /// TPIDRURO.
        public var thread: UInt32
    }

    /// MT3620's A7 (HW-1).
    public static let hertz: Int64 = 500_000_000
    /// The page of helpers that programs for older cores call (Linux Documentation/arm/kernel_user_helpers).
    public static let helperPage: UInt32 = 0xFFFF_0000

    let engine: Engine
    public let memory: AddressSpace
    public var instructions: Int64 { unsafe hot.pointee.instructions }
    /// How many it had executed when somebody looked how full the engine is.
    private var looked: Int64 = 0
    private var pc: UInt32 {
        get { unsafe hot.pointee.pc }
        set { unsafe hot.pointee.pc = newValue }
    }

    /// What the hook looks at a million times: outside of the object, so that nothing checks each access.
    @safe private struct Hot {
        var instructions: Int64 = 0
        var limit: Int64 = 0
        var pc: UInt32 = 0
        var isAtStart = false
        var engine: OpaquePointer?
    }
    private let hot: UnsafeMutablePointer<Hot>

    public init() throws(SiliconError) {
        engine = try Engine(.cortexA7)
        memory = AddressSpace(engine, limit: ApplicationCore.helperPage)
        // User mode, with the coprocessors for floating point open to it.
        engine[UC_ARM_REG_CPSR] = 0x10
        engine[UC_ARM_REG_C1_C0_2] = 0xF << 20
        engine[UC_ARM_REG_FPEXC] = 1 << 30
        try engine.map(ApplicationCore.helperPage, count: 4096, .readExecute).content = ApplicationCore.helpers
        unsafe hot = .allocate(capacity: 1)
        unsafe hot.initialize(to: Hot(engine: engine.handle))
        unsafe engine.watchInstructions(ApplicationCore.instruction, hot)
    }

    deinit { unsafe hot.deallocate() }

    // MARK: Registers

    private static let floats = Engine.numbered(UC_ARM_REG_D0)

    public var registers: Registers {
        get {
            Registers(
                general: engine.generalRegisters.dropLast() + [pc], cpsr: engine[UC_ARM_REG_CPSR],
                floats: ApplicationCore.floats.map { engine[double: $0] }, fpscr: engine[UC_ARM_REG_FPSCR],
                thread: engine[UC_ARM_REG_C13_C0_3])
        }
        set {
            for (register, value) in zip(Engine.general.dropLast(), newValue.general) { engine[register] = value }
            // The mode is not the program's to choose.
            engine[UC_ARM_REG_CPSR] = newValue.cpsr & ~0x1F | 0x10
            for (register, value) in zip(ApplicationCore.floats, newValue.floats) { engine[double: register] = value }
            engine[UC_ARM_REG_FPSCR] = newValue.fpscr
            engine[UC_ARM_REG_C13_C0_3] = newValue.thread
            pc = newValue.general.count > 15 ? newValue.general[15] : pc
        }
    }

    /// Where the program begins, Thumb code with bit 0 set, and its stack.
    public func start(at entry: UInt32, stack: UInt32) {
        var registers = Registers(
            general: [UInt32](repeating: 0, count: 16), cpsr: entry & 1 != 0 ? 0x30 : 0x10, floats: [UInt64](repeating: 0, count: 32),
            fpscr: 0, thread: 0)
        registers.general[13] = stack
        registers.general[15] = entry & ~1
        self.registers = registers
    }

    /// What a system call gives back, in r0.
    public func answer(_ value: UInt32) { engine[UC_ARM_REG_R0] = value }

    // MARK: Running

    public func run(instructions count: Int64) -> Stop {
        unsafe hot.pointee.limit = hot.pointee.instructions + count
        renewIfFilling()
        while unsafe hot.pointee.instructions < hot.pointee.limit {
            unsafe hot.pointee.isAtStart = true
            let isThumb = engine[UC_ARM_REG_CPSR] & 0x20 != 0
            let end = engine.run(from: pc, thumb: isThumb)
            // The engine's own counter is exact only at the ends of blocks.
            let atEnd = engine[UC_ARM_REG_PC]
            switch end {
            case .stopped: pc = atEnd
            case .idle: pc = atEnd
            case .interrupt(2):
                pc = atEnd
                let arguments = [UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5, UC_ARM_REG_R6]
                return .systemCall(number: engine[UC_ARM_REG_R7], arguments: arguments.map { engine[$0] })
            case .interrupt(7): return .signal(.trap, address: pc, pc: pc)
            case .interrupt(3):
                pc = atEnd
                return .signal(.segmentationFault, address: atEnd, pc: atEnd)
            case .interrupt, .undefined, .failed: return .signal(.illegalInstruction, address: pc, pc: pc)
            case .badAccess(let access):
                if access.kind == .fetch { pc = access.address }
                return .signal(.segmentationFault, address: access.address, pc: pc)
            }
        }
        return .outOfTime
    }

    private func renewIfFilling() {
        defer { looked = instructions }
        guard engine.renewIfFilling(after: instructions - looked) else { return }
        memory.showAgain()
        unsafe hot.pointee.engine = engine.handle
    }

    private static let instruction: uc_cb_hookcode_t = { _, address, _, slot in
        let hot = unsafe slot!.assumingMemoryBound(to: Hot.self)
        if unsafe hot.pointee.instructions >= hot.pointee.limit && !hot.pointee.isAtStart {
            return unsafe ApplicationCore.stop(hot)
        }
        unsafe hot.pointee.isAtStart = false
        unsafe hot.pointee.pc = UInt32(truncatingIfNeeded: address)
        unsafe hot.pointee.instructions += 1
    }

    @inline(never) private static func stop(_ hot: UnsafeMutablePointer<Hot>) { unsafe _ = uc_emu_stop(hot.pointee.engine) }

    /// Get the thread register, a memory barrier, compare and exchange; and the number of helpers that there are.
    private static let helpers: [UInt8] = {
        var page = [UInt8](repeating: 0, count: 4096)
        func put(_ offset: Int, _ words: [UInt32]) {
            page.replaceSubrange(offset..<offset + 4 * words.count, with: words.littleEndianBytes)
        }
        put(0xFA0, [0xF57F_F05B, 0xE12F_FF1E])  // dmb ish; bx lr
        // r0 old, r1 new, r2 pointer: r0 = 0 and carry if it was exchanged.
        put(0xFC0, [0xE592_3000, 0xE053_3000, 0x0582_1000, 0xE273_0000, 0xE12F_FF1E])
        put(0xFE0, [0xEE1D_0F70, 0xE12F_FF1E])  // mrc p15, 0, r0, c13, c0, 3; bx lr
        put(0xFFC, [5])
        return page
    }()
}

import CUnicorn
import Formats
import Glibc

/// The CPU engine (Unicorn) behind one small type: registers, memory, hooks. It knows no peripheral and no time.
@safe final class Engine {
    enum Model { case cortexM4, cortexA7 }

    struct Permission: OptionSet {
        let rawValue: UInt32
        static let none: Permission = []
        static let read = Permission(rawValue: UC_PROT_READ.rawValue)
        static let write = Permission(rawValue: UC_PROT_WRITE.rawValue)
        static let execute = Permission(rawValue: UC_PROT_EXEC.rawValue)
        static let readWrite: Permission = [read, write]
        static let readExecute: Permission = [read, execute]
        static let readWriteExecute: Permission = [read, write, execute]
    }

    /// What an access that the memory map does not allow tried to do.
    struct BadAccess: Equatable {
        enum Kind { case read, write, fetch }
        var kind: Kind
        var address: UInt32
        /// The address is mapped, with other permissions.
        var isProtected: Bool
    }

    /// How a stretch of execution ended.
    enum End: Equatable {
        /// `stop()` was called.
        case stopped
        /// WFI, which the engine takes as the end.
        case idle
        case interrupt(UInt32)
        case undefined
        case badAccess(BadAccess)
        case failed(String)
    }

    /// Memory that lies in this process, and that DMA, snapshots and comparisons see without the engine.
    @safe final class Memory {
        let base: UInt32
        /// What it was mapped with.
        let permission: Permission
        let bytes: UnsafeMutableRawBufferPointer
        init(base: UInt32, count: Int, _ permission: Permission) {
            self.base = base
            self.permission = permission
            // Pages that nobody writes cost nothing.
            let pages = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { fatalError("no memory for \(count) bytes") }
            unsafe bytes = UnsafeMutableRawBufferPointer(start: pages, count: count)
        }
        deinit { unsafe _ = munmap(bytes.baseAddress, bytes.count) }
        var count: Int { unsafe bytes.count }
        var content: [UInt8] {
            get { unsafe Array(bytes) }
            set { unsafe bytes.copyBytes(from: newValue.prefix(count)) }
        }
        func contains(_ address: UInt32, _ count: Int) -> Bool {
            address >= base && Int(address - base) <= self.count - count
        }
    }

    @unsafe let handle: OpaquePointer
    private(set) var memories: [Memory] = []
    private var windows: [AnyObject] = []
    private var end: End?

    /// Called before each instruction, if instructions are watched.
    var onInstruction: ((UInt32, UInt32) -> Void)?
    /// Called before each access to memory, if accesses are watched: its address, its bytes, and whether it writes.
    private var onAccess: ((UInt32, Int, Bool) -> Void)?

    init(_ model: Model) throws(SiliconError) {
        Engine.withoutHugePages
        var opened: OpaquePointer?
        let mode = model == .cortexM4 ? UC_MODE_THUMB : UC_MODE_ARM
        guard unsafe uc_open(UC_ARCH_ARM, mode, &opened) == UC_ERR_OK, let opened = unsafe opened else {
            throw .engine("cannot open")
        }
        unsafe handle = opened
        switch model {
        case .cortexM4: unsafe _ = uc_use_cortex_m4(handle)
        case .cortexA7: unsafe _ = uc_use_cortex_a7(handle)
        }
        unsafe hookFaults()
    }

    deinit { unsafe _ = uc_close(handle) }

    /// Once for the process.
    private static let withoutHugePages: Void = uc_without_huge_pages()

    // MARK: Running

    /// No instruction is there, since addresses of instructions are even: 0 would end a run that jumps through a null pointer.
    static let nowhere: UInt32 = 1

    /// Runs from an address until something ends the stretch, such as another address. This one costs memory each time
    /// (mt3620-silicon §7.5), and needs code there that is not translated yet.
    func run(from address: UInt32, thumb: Bool, until last: UInt32 = Engine.nowhere) -> End {
        end = nil
        let error = unsafe uc_emu_start(handle, UInt64(thumb ? address | 1 : address), UInt64(last), 0, 0)
        if let end { return end }
        if last != 0, error == UC_ERR_OK, self[UC_ARM_REG_PC] == last { return .stopped }
        switch error {
        case UC_ERR_OK: return .idle
        case UC_ERR_INSN_INVALID: return .undefined
        default: return .failed(unsafe String(cString: uc_strerror(error)))
        }
    }

    /// Ends the stretch. To be called from a block or instruction hook only: in a memory callback the access would be
    /// done twice (mt3620-silicon §7.5).
    func stop() {
        end = end ?? .stopped
        unsafe _ = uc_emu_stop(handle)
    }

    // MARK: Registers

    subscript(_ register: uc_arm_reg) -> UInt32 {
        get {
            var value: UInt32 = 0
            unsafe uc_reg_read(handle, Int32(register.rawValue), &value)
            return value
        }
        set {
            var value = newValue
            unsafe uc_reg_write(handle, Int32(register.rawValue), &value)
        }
    }

    subscript(double register: uc_arm_reg) -> UInt64 {
        get {
            var value: UInt64 = 0
            unsafe uc_reg_read(handle, Int32(register.rawValue), &value)
            return value
        }
        set {
            var value = newValue
            unsafe uc_reg_write(handle, Int32(register.rawValue), &value)
        }
    }

    static let general: [uc_arm_reg] = [
        UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5, UC_ARM_REG_R6, UC_ARM_REG_R7,
        UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC,
    ]

    /// r0…r15.
    var generalRegisters: [UInt32] { Engine.general.map { self[$0] } }

    /// What a reset leaves in a Cortex-M: thread mode, privileged, nothing masked, the main stack.
    func resetCortexM(stack: UInt32) {
        for register in [UC_ARM_REG_IPSR, UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK] {
            self[register] = 0
        }
        for register in Engine.general { self[register] = 0 }
        self[UC_ARM_REG_EPSR] = 0x0100_0000
        self[UC_ARM_REG_APSR_NZCV] = 0
        self[UC_ARM_REG_LR] = 0xFFFF_FFFF
        self[UC_ARM_REG_SP] = stack & ~3
    }

    // MARK: Memory

    @discardableResult func map(_ base: UInt32, count: Int, _ permission: Permission) throws(SiliconError) -> Memory {
        let memory = Memory(base: base, count: count, permission)
        guard unsafe uc_mem_map_ptr(handle, UInt64(base), count, permission.rawValue, memory.bytes.baseAddress) == UC_ERR_OK else {
            throw .engine("cannot map 0x\(String(base, radix: 16))")
        }
        memories.append(memory)
        return memory
    }

    /// Maps memory that its caller keeps alive; false if the engine refuses.
    func show(_ memory: Memory, at base: UInt32, from offset: Int, count: Int, _ permission: Permission) -> Bool {
        unsafe uc_mem_map_ptr(handle, UInt64(base), count, permission.rawValue, memory.bytes.baseAddress! + offset) == UC_ERR_OK
    }

    func hide(_ base: UInt32, count: Int) { unsafe _ = uc_mem_unmap(handle, UInt64(base), count) }

    func protect(_ base: UInt32, count: Int, _ permission: Permission) {
        unsafe _ = uc_mem_protect(handle, UInt64(base), count, permission.rawValue)
    }

    /// A window of registers. Handlers are given addresses, and the width of an access in bytes.
    func window(
        _ base: UInt32, count: Int, read: @escaping (UInt32, Int) -> UInt32, write: @escaping (UInt32, UInt32, Int) -> Void
    ) {
        let window = Window(base: base, read: read, write: write)
        windows.append(window)
        let slot = unsafe Unmanaged.passUnretained(window).toOpaque()
        unsafe _ = uc_mmio_map(
            handle, UInt64(base), count,
            { _, offset, size, slot in
                let window = unsafe Unmanaged<Window>.fromOpaque(slot!).takeUnretainedValue()
                return UInt64(window.read(window.base &+ UInt32(truncatingIfNeeded: offset), Int(size)))
            }, slot,
            { _, offset, size, value, slot in
                let window = unsafe Unmanaged<Window>.fromOpaque(slot!).takeUnretainedValue()
                window.write(window.base &+ UInt32(truncatingIfNeeded: offset), UInt32(truncatingIfNeeded: value), Int(size))
            }, slot)
    }

    private final class Window {
        let base: UInt32
        let read: (UInt32, Int) -> UInt32
        let write: (UInt32, UInt32, Int) -> Void
        init(base: UInt32, read: @escaping (UInt32, Int) -> UInt32, write: @escaping (UInt32, UInt32, Int) -> Void) {
            self.base = base
            self.read = read
            self.write = write
        }
    }

    /// Bytes of memory; nil where none is mapped.
    func load(_ address: UInt32, _ count: Int) -> [UInt8]? {
        guard let memory = memories.first(where: { $0.contains(address, count) }) else { return nil }
        return unsafe Array(memory.bytes[Int(address - memory.base)..<Int(address - memory.base) + count])
    }

    /// Writes into memory, read-only or not; false where none is mapped.
    @discardableResult func store(_ address: UInt32, _ bytes: [UInt8]) -> Bool {
        guard let memory = memories.first(where: { $0.contains(address, bytes.count) }) else { return false }
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[Int(address - memory.base)...]).copyBytes(from: bytes)
        return true
    }

    /// The same for what may be executed: the engine keeps the translation of what was there (2.0.1 does so even after
    /// its own `uc_mem_write`).
    @discardableResult func storeCode(_ address: UInt32, _ bytes: [UInt8]) -> Bool {
        guard store(address, bytes) else { return false }
        forgetCode(address, count: bytes.count)
        return true
    }

    func forgetCode(_ address: UInt32, count: Int) {
        unsafe _ = uc_forget_code(handle, UInt64(address), UInt64(address) + UInt64(count))
    }

    func word(_ address: UInt32) -> UInt32? { load(address, 4).flatMap { Bytes($0).u32(0) } }

    // MARK: Hooks

    @unsafe private func hookFaults() {
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        var hook: uc_hook = 0
        unsafe _ = uc_hook_interrupts(
            handle, &hook,
            { _, number, slot in
                let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                engine.end = .interrupt(number)
                unsafe _ = uc_emu_stop(engine.handle)
            }, slot)
        unsafe _ = uc_hook_bad_memory(
            handle, &hook,
            { _, type, address, _, _, slot in
                let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                let kind: BadAccess.Kind =
                    switch type {
                    case UC_MEM_READ_UNMAPPED, UC_MEM_READ_PROT: .read
                    case UC_MEM_WRITE_UNMAPPED, UC_MEM_WRITE_PROT: .write
                    default: .fetch
                    }
                let isProtected = [UC_MEM_READ_PROT, UC_MEM_WRITE_PROT, UC_MEM_FETCH_PROT].contains(type)
                engine.end = .badAccess(
                    BadAccess(kind: kind, address: UInt32(truncatingIfNeeded: address), isProtected: isProtected))
                return false
            }, slot)
    }

    /// Calls at the start of each block of code, with its address and its length in bytes.
    @unsafe func watchBlocks(_ call: uc_cb_hookcode_t, _ slot: UnsafeMutableRawPointer) {
        var hook: uc_hook = 0
        unsafe _ = uc_hook_blocks(handle, &hook, call, slot)
    }

    func watchAccesses(_ call: @escaping (UInt32, Int, Bool) -> Void) {
        onAccess = call
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        var hook: uc_hook = 0
        unsafe _ = uc_hook_accesses(
            handle, &hook,
            { _, type, address, count, _, slot in
                let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                engine.onAccess?(UInt32(truncatingIfNeeded: address), Int(count), type == UC_MEM_WRITE)
            }, slot)
    }

    /// Calls before each instruction, with its address and its length in bytes.
    @unsafe func watchInstructions(_ call: uc_cb_hookcode_t, _ slot: UnsafeMutableRawPointer) {
        var hook: uc_hook = 0
        unsafe _ = uc_hook_instructions(handle, &hook, call, slot)
    }

    func watchInstructions() {
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe watchInstructions(
            { _, address, size, slot in
                let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                engine.onInstruction?(UInt32(truncatingIfNeeded: address), size)
            }, slot)
    }
}

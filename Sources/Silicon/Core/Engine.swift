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

        /// Which pages of a stretch somebody has read or written since they were mapped: the host gives a page only then. It is asked
        /// for pages that are there or that it has put aside (proc(5), pagemap: bits 63 and 62), so that a host short of memory
        /// answers like any other. Where it does not tell, all of them.
        func touched(from offset: Int, count: Int) -> [Bool] {
            var entries = [UInt64](repeating: .max, count: count / 4096)
            let map = unsafe Glibc.open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)
            if map >= 0 {
                let first = unsafe UInt(bitPattern: bytes.baseAddress) / 4096 + UInt(offset / 4096)
                unsafe _ = pread(map, &entries, entries.count * 8, off_t(first * 8))
                Glibc.close(map)
            }
            return entries.map { $0 >> 62 != 0 }
        }

        /// Gives pages back: they are zeros again that nobody has touched.
        func release(from offset: Int, count: Int) { unsafe _ = madvise(bytes.baseAddress! + offset, count, MADV_DONTNEED) }

        func contains(_ address: UInt32, _ count: Int) -> Bool {
            address >= base && Int(address - base) <= self.count - count
        }
    }

    private let model: Model
    @unsafe private(set) var handle: OpaquePointer
    private(set) var memories: [Memory] = []
    private var windows: [Window] = []
    /// What watches, to be told to an engine that takes this one's place.
    private var watches: [(Engine) -> Void] = []
    private var end: End?
    private var translations: TranslationBuffer?
    /// Instructions until the next look at how full that is.
    private var untilLook: Int64 = 0
    private(set) var renewals = 0
    /// At most so many stretches of memory are mapped.
    private var regions = 0

    /// Called before each instruction, if instructions are watched.
    var onInstruction: ((UInt32, UInt32) -> Void)?
    /// Called before each access to memory, if accesses are watched: its address, its bytes, and whether it writes.
    private var onAccess: ((UInt32, Int, Bool) -> Void)?

    init(_ model: Model) throws(SiliconError) {
        Engine.withoutHugePages
        self.model = model
        unsafe (handle, translations) = try Engine.open(model)
        unsafe hookFaults()
    }

    deinit { TranslationBuffer.whileClosing(translations) { _ = unsafe uc_close(handle) } }

    @unsafe private static func open(_ model: Model) throws(SiliconError) -> (OpaquePointer, TranslationBuffer?) {
        var opened: OpaquePointer?
        let buffer = TranslationBuffer.whileOpening {
            guard unsafe uc_open(UC_ARCH_ARM, model == .cortexM4 ? UC_MODE_THUMB : UC_MODE_ARM, &opened) == UC_ERR_OK else { return }
            switch model {
            case .cortexM4: unsafe _ = uc_use_cortex_m4(opened)
            case .cortexA7: unsafe _ = uc_use_cortex_a7(opened)
            }
            // It makes its buffer when it is first asked for something.
            var value: UInt32 = 0
            unsafe _ = uc_reg_read(opened, Int32(UC_ARM_REG_PC.rawValue), &value)
        }
        guard let opened = unsafe opened else { throw .engine("cannot open") }
        return unsafe (opened, buffer)
    }

    // MARK: Renewal

    /// How many instructions may be executed from one look at the buffer for translated code to the next.
    static let lookInterval: Int64 = 1 << 18
    var isFilling: Bool { translations?.isFilling == true }

    /// - Parameter instructions: How many have been executed since the last call.
    /// - Returns: Whether it was renewed.
    func renewIfFilling(after instructions: Int64) -> Bool {
        // A stretch that is short may be one that makes code anew.
        untilLook -= instructions + 4096
        guard untilLook <= 0 else { return false }
        untilLook = Engine.lookInterval
        return isFilling && renew()
    }

    /// Puts a new engine in the place of this one, whose buffer for translated code fills up: it would not survive the end
    /// of it. Registers, memory, windows and watches are as before; an exclusive access that is under way will be refused,
    /// as after an exception; permissions are those that memory was mapped with, and
    /// what was only shown is for the caller to show again.
    func renew() -> Bool {
        guard let (fresh, buffer) = unsafe try? Engine.open(model) else { return false }
        // Not uc_context: it has pointers into the engine that it is from (found with valgrind).
        let registers = Engine.all(model).map { self[double: $0] }
        TranslationBuffer.whileClosing(translations) { _ = unsafe uc_close(handle) }
        unsafe (handle, translations) = (fresh, buffer)
        regions = 0
        unsafe hookFaults()
        for memory in memories { _ = show(memory, at: memory.base, from: 0, count: memory.count, memory.permission) }
        for window in windows { open(window) }
        for watch in watches { watch(self) }
        for (register, value) in zip(Engine.all(model), registers) { self[double: register] = value }
        renewals += 1
        return true
    }

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

    /// All that a program can tell by, in the order in which it must be written: who is in charge first, then the stacks
    /// that this chooses between.
    static func all(_ model: Model) -> [uc_arm_reg] {
        switch model {
        case .cortexM4:
            [
                UC_ARM_REG_IPSR, UC_ARM_REG_CONTROL, UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK, UC_ARM_REG_MSP,
                UC_ARM_REG_PSP, UC_ARM_REG_EPSR, UC_ARM_REG_APSR_NZCV, UC_ARM_REG_FPSCR,
            ] + general.dropLast() + numbered(UC_ARM_REG_S0) + [UC_ARM_REG_APSR_NZCV]
        case .cortexA7:
            [UC_ARM_REG_CPSR, UC_ARM_REG_C1_C0_2, UC_ARM_REG_FPEXC, UC_ARM_REG_C13_C0_3, UC_ARM_REG_FPSCR] + general.dropLast()
                + numbered(UC_ARM_REG_D0)
        }
    }

    /// 32 registers that are alike.
    static func numbered(_ first: uc_arm_reg) -> [uc_arm_reg] { (0..<32).map { uc_arm_reg(first.rawValue + $0) } }

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
        regions += 1
        return unsafe uc_mem_map_ptr(handle, UInt64(base), count, permission.rawValue, memory.bytes.baseAddress! + offset) == UC_ERR_OK
    }

    func hide(_ base: UInt32, count: Int) {
        regions += 1
        unsafe _ = uc_mem_unmap(handle, UInt64(base), count)
    }

    func protect(_ base: UInt32, count: Int, _ permission: Permission) {
        regions += 2
        unsafe _ = uc_mem_protect(handle, UInt64(base), count, permission.rawValue)
    }

    /// Stretches of memory that it can have: beyond 1,024 sections (its exec.c; the smallest page of an ARM has 1 KiB) it ends
    /// the process.
    static let mostRegions = 900

    /// Whether so many more are possible: a stretch that is mapped, one at most that a hole leaves, two that other permissions do.
    func hasRoom(forRegions more: Int) -> Bool {
        if regions + more > Engine.mostRegions {
            var list: UnsafeMutablePointer<uc_mem_region>?
            var count: UInt32 = 0
            unsafe _ = uc_mem_regions(handle, &list, &count)
            unsafe _ = uc_free(list)
            regions = Int(count)
        }
        return regions + more <= Engine.mostRegions
    }

    /// A window of registers. Handlers are given addresses, and the width of an access in bytes.
    func window(
        _ base: UInt32, count: Int, read: @escaping (UInt32, Int) -> UInt32, write: @escaping (UInt32, UInt32, Int) -> Void
    ) {
        let window = Window(base: base, count: count, read: read, write: write)
        windows.append(window)
        open(window)
    }

    private func open(_ window: Window) {
        let slot = unsafe Unmanaged.passUnretained(window).toOpaque()
        unsafe _ = uc_mmio_map(
            handle, UInt64(window.base), window.count,
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
        let count: Int
        let read: (UInt32, Int) -> UInt32
        let write: (UInt32, UInt32, Int) -> Void
        init(base: UInt32, count: Int, read: @escaping (UInt32, Int) -> UInt32, write: @escaping (UInt32, UInt32, Int) -> Void) {
            self.base = base
            self.count = count
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
    @unsafe func watchBlocks(_ call: @escaping uc_cb_hookcode_t, _ slot: UnsafeMutableRawPointer) {
        watch { engine in
            var hook: uc_hook = 0
            unsafe _ = uc_hook_blocks(engine.handle, &hook, call, slot)
        }
    }

    func watchAccesses(_ call: @escaping (UInt32, Int, Bool) -> Void) {
        onAccess = call
        watch { engine in
            var hook: uc_hook = 0
            unsafe _ = uc_hook_accesses(
                engine.handle, &hook,
                { _, type, address, count, _, slot in
                    let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                    engine.onAccess?(UInt32(truncatingIfNeeded: address), Int(count), type == UC_MEM_WRITE)
                }, unsafe Unmanaged.passUnretained(engine).toOpaque())
        }
    }

    /// Calls before each instruction, with its address and its length in bytes.
    @unsafe func watchInstructions(_ call: @escaping uc_cb_hookcode_t, _ slot: UnsafeMutableRawPointer) {
        watch { engine in
            var hook: uc_hook = 0
            unsafe _ = uc_hook_instructions(engine.handle, &hook, call, slot)
        }
    }

    func watchInstructions() {
        let slot = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe watchInstructions(
            { _, address, size, slot in
                let engine = unsafe Unmanaged<Engine>.fromOpaque(slot!).takeUnretainedValue()
                engine.onInstruction?(UInt32(truncatingIfNeeded: address), size)
            }, slot)
    }

    private func watch(_ begin: @escaping (Engine) -> Void) {
        begin(self)
        watches.append(begin)
    }
}

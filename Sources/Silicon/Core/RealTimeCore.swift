import CUnicorn
public import Formats

/// One Cortex-M4F with the memory and the peripherals of its chip.
///
/// Time is the core's own: it advances by a cycle with each instruction, and jumps while the program waits: in WFI, or in
/// a loop that can only go round until the next event (`IdleLoop`). Interrupts come at the first block of code that begins
/// at or after their instant, wherever a run was cut: the same program has the same trace.
@safe public final class RealTimeCore {
    public enum Stop: Equatable, Sendable {
        case reachedDeadline
        /// Code was answered with a fault; its handler is about to run.
        case faulted(CoreFault)
        /// A fault where none can be handled: only a reset helps.
        case lockedUp(CoreFault)
        /// The core has been reset, and begins anew: what for.
        case reset(String)
        case breakpoint(UInt32)
        /// The program asks its host for something (`semihostingCall`).
        case semihosting
    }

    /// Nanoseconds since the run's start.
    public var now: Int64 { clock.nanoseconds(at: unsafe hot.pointee.cycles) }
    /// Executed by this process: what was skipped is not among them.
    public private(set) var instructions: Int64 = 0
    /// Accesses to registers that are not modelled.
    public private(set) var unmodelled = UnmodelledAccesses()

    public let chip: Chip
    let engine: Engine
    let bus: Bus
    var peripherals: Peripherals
    var control: SystemControl
    var clock: CoreClock
    var programCounter: UInt32 = 0
    var isSleeping = false
    private(set) var isLockedUp = false
    /// Where the vector table lies when the core begins.
    public private(set) var entry: UInt32
    var loop: IdleLoop
    private let blockCounts = BlockCounts()
    /// Who sits at the other end of the mailbox, if anybody; and what is to be seen of it.
    public var partner: HighLevelPartner?
    public var onPartner: (Int64, String) -> Void = { _, _ in }
    var debugging: Debugging?
    /// What happens inside, for somebody who looks closely; it costs time.
    public enum TraceEvent: Equatable, Sendable {
        case access(address: UInt32, value: UInt32, isWrite: Bool, pc: UInt32)
        case entered(exception: Int, pc: UInt32)
        case left(exception: Int)
        case called(UInt32)
    }
    public var onTrace: ((Int64, TraceEvent) -> Void)?
    /// BKPT 0xAB is a call to whoever runs the core, and no fault.
    public var answersSemihosting = false
    /// Windows of registers: where, and how many bytes.
    private(set) var windows: [(base: UInt32, count: Int)] = []
    var applied: AppliedProtection?
    var watchesAccesses = false
    /// A page that the engine was told to refuse for the sake of one access.
    var hasClosedPage = false
    private var isHeldBack = false
    /// When to look how full the engine is, in cycles, and what was seen then.
    private var nextLook: Int64 = 0
    private var isFilling = false
    var refused: Refused?
    /// One that was refused, and is not any more.
    var passed: UInt32?
    /// Instructions that a breakpoint stands for.
    var replaced: [UInt32: [UInt8]] = [:]
    /// The event register (B1.5.18), and that the core sleeps until it is set.
    var hasEvent = false
    var waitsForEvent = false
    /// The access that was just refused because of its alignment.
    var unaligned: UInt32?

    /// What the block hook looks at a million times: outside of the object, so that nothing checks each access.
    @safe struct Hot {
        var cycles: Int64 = 0
        var sliceEnd: Int64 = 0
        var wantsAttention = false
        /// Something waits that only a mask register holds back: look for the end of masking.
        var watchesMasks = false
        var block: UInt32 = 0
        var blockBytes: UInt32 = 0
        /// Blocks until the next look for a loop.
        var untilSample = 0
        var loopHead: UInt32 = 0
        let counts: UnsafeMutablePointer<BlockCounts.Entry>
        var owner: Unmanaged<RealTimeCore>?

        init(counts: UnsafeMutablePointer<BlockCounts.Entry>) { unsafe self.counts = counts }
    }
    let hot: UnsafeMutablePointer<Hot>

    /// Loads a program and sets the core to its reset state. Unless the chip says where the vector table is, it is at the entry
    /// point, as the MT3620's loader has it; or, for programs that were linked like those for other chips, it is the segment whose
    /// second word is the entry point.
    public init(
        _ program: ELFImage, chip: Chip = .mt3620, world: any World, at nanoseconds: Int64, firewall: Firewall = .open
    ) throws(SiliconError) {
        unsafe hot = .allocate(capacity: 1)
        unsafe hot.initialize(to: Hot(counts: blockCounts.entries))
        self.chip = chip
        let core = chip.description.core
        engine = try Engine(.cortexM4)
        clock = CoreClock(hertz: core.clockHertz, at: nanoseconds)
        (peripherals, control) = (Peripherals(chip), SystemControl(core))
        entry = program.entry
        let memory = CoreMemory(engine, chip)
        bus = Bus(world: world, memory: memory)
        bus.now = nanoseconds
        for memory in chip.description.memory where !memory.showsFile {
            try engine.map(memory.base, count: Int(memory.size), memory.access.permission)
        }
        loop = IdleLoop(engine)
        try load(program)
        entry = core.vectors ?? RealTimeCore.vectorTable(of: program, engine)
        mapRegisters(firewall)
        unsafe hot.pointee.owner = .passUnretained(self)
        unsafe engine.watchBlocks(RealTimeCore.blockBegins, hot)
        start()
    }

    deinit { unsafe hot.deallocate() }

    private func load(_ program: ELFImage) throws(SiliconError) {
        let flash = chip.description.memory.first(where: \.showsFile)
        let isInPlace = { (segment: ELFImage.Segment) in
            flash.map { segment.address >= $0.base && segment.address - $0.base < $0.size } ?? false
        }
        let inPlace = program.segments.filter(isInPlace)
        if let flash, let end = inPlace.map({ Int($0.address - flash.base) + $0.bytes.count }).max() {
            // It shows the file itself, moved so that code lies where it was linked for (mt3620-silicon §5).
            let count = max(end, program.file.count)
            guard count <= flash.size else { throw .engine("more than \(flash.size >> 10) KiB to be executed in place") }
            let window = try engine.map(flash.base, count: (count + 4095) & ~4095, flash.access.permission)
            window.content = program.file
            for segment in inPlace { engine.store(segment.address, segment.bytes) }
        }
        for segment in program.segments where !isInPlace(segment) {
            let zeros = [UInt8](repeating: 0, count: Int(segment.memoryBytes) - segment.bytes.count)
            guard engine.store(segment.address, segment.bytes + zeros) else {
                throw .engine("segment at 0x\(String(segment.address, radix: 16)) is outside the core's memory")
            }
        }
    }

    private static func vectorTable(of program: ELFImage, _ engine: Engine) -> UInt32 {
        func begins(at table: UInt32) -> UInt32? { engine.word(table &+ 4) }
        let tables = program.segments.map(\.address).filter { begins(at: $0).map { $0 | 1 } == program.entry | 1 }
        let isCode = program.entry & 1 != 0 || begins(at: program.entry).map { $0 & 1 == 0 } ?? true
        return isCode ? tables.first ?? program.entry & ~1 : program.entry
    }

    private func mapRegisters(_ firewall: Firewall) {
        windows = [(0xE000_1000, 0x1000), (0xE000_E000, 0x1000)]
        for window in chip.description.windows {
            // In stretches that a firewall may close.
            for offset in stride(from: UInt32(0), to: window.size, by: 0x1_0000) {
                let base = window.base + offset
                guard !window.isGuarded || firewall.allows(page: base >> 16) else { continue }
                windows.append((base, Int(min(window.size - offset, 0x1_0000))))
            }
        }
        for (base, size) in windows {
            engine.window(
                base, count: size, read: { [unowned self] in load($0, $1) }, write: { [unowned self] in save($0, $1, $2) })
        }
    }

    /// From the vector table: what power-on and every reset do.
    private func start() {
        control = SystemControl(chip.description.core)
        control.vectorTable = entry
        engine.resetCortexM(stack: engine.word(entry) ?? 0)
        programCounter = (engine.word(entry &+ 4) ?? 0) & ~1
        (isSleeping, isLockedUp, hasEvent, waitsForEvent, passed) = (false, false, false, false, nil)
        blockCounts.forget()
    }

    /// Somebody held the core while the world went on.
    public func skip(to nanoseconds: Int64) { unsafe hot.pointee.cycles = max(hot.pointee.cycles, clock.cycles(reaching: nanoseconds)) }

    var cycles: Int64 { unsafe hot.pointee.cycles }

    /// The part of a snapshot that is not in the engine.
    func take(
        _ peripherals: Peripherals, _ control: SystemControl, _ clock: CoreClock, cycles: Int64,
        programCounter: UInt32, isSleeping: Bool, isLockedUp: Bool, _ unmodelled: UnmodelledAccesses
    ) {
        (self.peripherals, self.control, self.clock) = (peripherals, control, clock)
        unsafe hot.pointee.cycles = cycles
        nextLook = 0
        (self.programCounter, self.unmodelled) = (programCounter, unmodelled)
        (self.isSleeping, self.isLockedUp) = (isSleeping, isLockedUp)
    }

    // MARK: Running

    /// When the core next has something to do; `.max` if it sleeps for ever.
    public var nextWork: Int64 { isSleeping || isLockedUp ? max(now, nextEvent) : now }

    private var nextEvent: Int64 {
        let timer = control.nextEvent
        return min(
            peripherals.nextEvent, bus.world.nextInput, partner?.nextEvent ?? .max, timer == .max ? .max : clock.nanoseconds(at: timer))
    }

    /// Runs until the core's time reaches `nanoseconds`, or something happens that its owner should know.
    public func run(until nanoseconds: Int64) -> Stop {
        while now < nanoseconds {
            if let stop = settle() { return stop }
            let masks = self.masks
            if isSleeping && (waitsForEvent ? control.wakesFromEvent(masks) : control.wakes(masks)) { wake() }
            if isSleeping || isLockedUp {
                sleep(until: nanoseconds)
                continue
            }
            if let exception = control.candidate(masks) {
                if let stop = enter(exception) { return stop }
                continue
            }
            if isFilling { renew() }
            if needsProtection { applyProtection() }
            isHeldBack = control.isHeldBack(by: masks)
            unsafe hot.pointee.watchesMasks = isHeldBack || control.protection.isEnabled
            if let stop = slice(until: nanoseconds) { return stop }
        }
        return .reachedDeadline
    }

    /// Brings everything around the core up to its time.
    private func settle() -> Stop? {
        bus.now = now
        if bus.world.nextInput <= bus.now {
            for input in bus.world.takeInputs(until: bus.now) { peripherals.take(input, bus) }
        }
        if peripherals.nextEvent <= bus.now { peripherals.advance(bus) }
        if var partner, partner.nextEvent <= bus.now || peripherals.hasSent(.applicationCore) {
            for text in peripherals.withMailbox(.applicationCore, { partner.advance(bus, &$0) }) ?? [] { onPartner(bus.now, text) }
            self.partner = partner
        }
        control.advance(to: unsafe hot.pointee.cycles)
        control.setLines(peripherals.lines)
        peripherals.takeEdges(bus).forEach { control.pend($0) }
        if let hertz = bus.wantedHertz {
            bus.wantedHertz = nil
            clock.change(to: hertz, at: unsafe hot.pointee.cycles)
            peripherals.coreClockChanged(to: hertz, at: bus.now)
        }
        if bus.wantsReset || control.wantsReset {
            let reason = bus.wantsReset ? "watchdog" : "system reset request"
            bus.wantsReset = false
            // Memory stays as it is: the program begins anew from its vector table (mt3620-silicon §2.13).
            peripherals.reset()
            start()
            return .reset(reason)
        }
        defer { bus.hasMail = false }
        // Whoever has the cores carries it.
        return bus.hasMail && bus.hasNeighbour ? .reachedDeadline : nil
    }

    private func wake() {
        isSleeping = false
        // SLEEPDEEP: low-power code looks for what woke it.
        if control.sleepControl & 4 != 0 { peripherals.wokeCore(control.pending) }
    }

    private func sleep(until nanoseconds: Int64) {
        let next = min(clock.cycles(reaching: nextEvent), clock.cycles(reaching: nanoseconds))
        unsafe hot.pointee.cycles = max(next, hot.pointee.cycles + 1)
    }

    private func slice(until nanoseconds: Int64) -> Stop? {
        let cycles = unsafe hot.pointee.cycles
        let outside = min(peripherals.nextEvent, bus.world.nextInput, partner?.nextEvent ?? .max)
        let event = min(clock.cycles(reaching: outside), control.nextEvent)
        unsafe hot.pointee.sliceEnd = max(cycles + 1, min(event, clock.cycles(reaching: nanoseconds)))
        unsafe hot.pointee.wantsAttention = false
        unsafe hot.pointee.loopHead = 0
        debugging?.begin()
        unsafe hot.pointee.block = .max
        var end = engine.run(from: programCounter, thumb: true)
        programCounter = engine[UC_ARM_REG_PC]
        if end == .stopped, let refused { end = runUpTo(refused.pc) }
        defer { instructions += unsafe hot.pointee.cycles - cycles - loop.takeSkipped() }
        switch end {
        case .stopped:
            defer { refused = nil }
            if let refused, refused.pc == programCounter, let cause = cause(of: refused) { return fault(cause, address: nil) }
            return debugging?.hasStopped == true ? stopForDebugger() : nil
        case .idle:
            (isSleeping, waitsForEvent) = (true, false)
            return nil
        case .interrupt(let number): return interrupted(number)
        case .undefined: return undefined()
        case .badAccess(let access): return badAccess(access)
        case .failed(let reason): return lockUp(CoreFault(cause: reason, self))
        }
    }

    // MARK: Each block of code

    private static let blockBegins: uc_cb_hookcode_t = { _, address, size, slot in
        let hot = unsafe slot!.assumingMemoryBound(to: Hot.self)
        let start = UInt32(truncatingIfNeeded: address)
        unsafe hot.pointee.untilSample -= 1
        let isUsual = unsafe hot.pointee.cycles < hot.pointee.sliceEnd && !hot.pointee.wantsAttention && !hot.pointee.watchesMasks
        if unsafe !isUsual || hot.pointee.untilSample <= 0 || hot.pointee.loopHead == start {
            guard let owner = unsafe hot.pointee.owner, unsafe owner._withUnsafeGuaranteedRef({ $0.goesOn(start) }) else { return }
        }
        unsafe hot.pointee.block = start
        unsafe hot.pointee.blockBytes = size
        let entry = unsafe hot.pointee.counts + BlockCounts.slot(start)
        if unsafe entry.pointee.key == BlockCounts.key(start, size) {
            unsafe hot.pointee.cycles += entry.pointee.count
        } else {
            unsafe hot.pointee.owner?._withUnsafeGuaranteedRef { $0.countBlock(start, size) }
        }
    }

    /// Blocks that must not run to their end are not remembered.
    private func countBlock(_ address: UInt32, _ size: UInt32) {
        let code = engine.load(address, Int(size)) ?? []
        refused = refusal(in: code, at: address)
        if standIn(forCode: code, at: address) || refused != nil { return engine.stop() }
        unsafe hot.pointee.cycles += passed == address ? ThumbCode.count(code) : blockCounts.count(address, size, engine)
        passed = nil
    }

    /// Runs what comes before an instruction that must not be executed, in the same block.
    private func runUpTo(_ pc: UInt32) -> Engine.End {
        guard pc != programCounter else { return .stopped }
        engine.forgetCode(programCounter, count: Int(unsafe hot.pointee.blockBytes))
        let end = engine.run(from: programCounter, thumb: true, until: pc)
        programCounter = engine[UC_ARM_REG_PC]
        return end
    }

    /// False if the stretch ends before this block.
    private func goesOn(_ address: UInt32) -> Bool {
        if unsafe hot.pointee.cycles >= nextLook {
            nextLook = unsafe hot.pointee.cycles + Engine.lookInterval
            isFilling = engine.isFilling
            unsafe hot.pointee.wantsAttention = hot.pointee.wantsAttention || isFilling
        }
        let isWatched = unsafe hot.pointee.watchesMasks
        let hasChanged = isWatched && (isHeldBack && !control.isHeldBack(by: masks) || needsProtection)
        if unsafe hot.pointee.wantsAttention || hot.pointee.cycles >= hot.pointee.sliceEnd || hasChanged {
            engine.stop()
            return false
        }
        if isWatched, !mayFetch(address) {
            refused = Refused(cause: .instructionAccess, pc: address)
            engine.stop()
            return false
        }
        if unsafe hot.pointee.untilSample <= 0 || hot.pointee.loopHead == address { lookForLoop(at: address) }
        return true
    }

    /// Permissions are told to the new engine like after a page was closed.
    private func renew() {
        isFilling = false
        if engine.renew() { hasClosedPage = true }
    }

    private func lookForLoop(at address: UInt32) {
        let window = unsafe hot.pointee.sliceEnd - hot.pointee.cycles
        let result = loop.look(at: address, cycles: unsafe hot.pointee.cycles, window: window, clock)
        unsafe hot.pointee.cycles += result.skip
        unsafe hot.pointee.loopHead = result.head
        unsafe hot.pointee.untilSample = result.untilSample
    }

    var masks: SystemControl.Masks {
        SystemControl.Masks(
            primask: engine[UC_ARM_REG_PRIMASK] & 1 != 0, faultmask: engine[UC_ARM_REG_FAULTMASK] & 1 != 0,
            basepri: engine[UC_ARM_REG_BASEPRI] & 0xFF)
    }

    // MARK: Registers of the chip

    private func load(_ address: UInt32, _ bytes: Int) -> UInt32 {
        let word = address & ~3
        let shift = 8 * (address & 3)
        let cycles = unsafe hot.pointee.cycles
        bus.now = clock.nanoseconds(at: cycles)
        let value: UInt32
        switch address >> 12 {
        case 0xE_000E:
            control.advance(to: cycles)
            loop.sawRead(stableUntil: address & 0xFFF < 0x20 ? .min : .max)
            value = control.read(word & 0xFFF, at: cycles)
        case 0xE_0001:
            loop.sawRead(stableUntil: .min)
            value = control.readCounter(word & 0xFFF, at: cycles)
        default:
            if loop.isWatching { loop.sawRead(stableUntil: peripherals.stableUntil(word, bus.now)) }
            value = peripherals.read(word, bus)
            noteUnmodelled(address, isWrite: false)
        }
        if let onTrace {
            onTrace(bus.now, .access(address: address, value: value >> shift, isWrite: false, pc: pcOfAccess(address, isWrite: false)))
        }
        return value >> shift
    }

    private func save(_ address: UInt32, _ value: UInt32, _ bytes: Int) {
        let cycles = unsafe hot.pointee.cycles
        bus.now = clock.nanoseconds(at: cycles)
        loop.sawWrite()
        if let onTrace { onTrace(bus.now, .access(address: address, value: value, isWrite: true, pc: pcOfAccess(address, isWrite: true))) }
        switch address >> 12 {
        case 0xE_000E:
            control.advance(to: cycles)
            control.write(address & 0xFFF, value, bytes: bytes, at: cycles)
            if address & ~3 == 0xE000_ED88 { blockCounts.forget() }
            if address & ~3 == 0xE000_ED14 {
                blockCounts.forget()
                if control.trapsUnaligned { trapsChanged() }
            }
            noteUnmodelled(address, isWrite: true)
        case 0xE_0001: control.writeCounter(address & 0xFFF, value, at: cycles)
        default:
            peripherals.write(address & ~3, value << (8 * (address & 3)), bus)
            noteUnmodelled(address, isWrite: true)
        }
        // A register may raise or mask an interrupt, but stopping inside a callback replays the store:
        // the next block hook stops instead (mt3620-silicon §7.5).
        unsafe hot.pointee.wantsAttention = true
    }

    private func noteUnmodelled(_ address: UInt32, isWrite: Bool) {
        guard bus.isUnmodelled else { return }
        bus.isUnmodelled = false
        unmodelled.add(address, isWrite: isWrite, pc: pcOfAccess(address, isWrite: isWrite))
    }

    /// The instruction of the current block that makes an access; the block's beginning if that cannot be told.
    func pcOfAccess(_ address: UInt32, isWrite: Bool) -> UInt32 {
        let (block, size) = unsafe (hot.pointee.block, hot.pointee.blockBytes)
        guard block != .max, let code = engine.load(block, Int(size)) else { return programCounter }
        let offset = ThumbCode.offset(ofAccess: address, isWrite: isWrite, in: code, at: block, engine.generalRegisters)
        return block &+ UInt32(offset ?? 0)
    }

    /// Takes back the cycles of what a block would have done after the instruction at `pc`.
    func uncount(after pc: UInt32) {
        let (block, size) = unsafe (hot.pointee.block, hot.pointee.blockBytes)
        guard block != .max, pc >= block, pc < block &+ size, let code = engine.load(block, Int(size)) else { return }
        unsafe hot.pointee.cycles -= max(0, ThumbCode.count(code, from: Int(pc - block)) - 1)
    }

    func lockUp(_ fault: CoreFault) -> Stop {
        isLockedUp = true
        return .lockedUp(fault)
    }
}

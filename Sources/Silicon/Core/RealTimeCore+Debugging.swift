import CUnicorn

/// What a debugger wants: looked at before each instruction, which costs time, so only once somebody debugs.
struct Debugging {
    var breakpoints: Set<UInt32> = []
    var isStepping = false
    /// The instruction at which it has stopped is let through once.
    var letThrough: UInt32?
    private(set) var hasStopped = false

    mutating func begin() { hasStopped = false }

    /// True if the core is to stop before this instruction.
    mutating func stops(at address: UInt32) -> Bool {
        let isLetThrough = letThrough == address
        letThrough = nil
        guard !isLetThrough, isStepping || breakpoints.contains(address) else { return false }
        hasStopped = true
        return true
    }
}

extension RealTimeCore {
    /// Must be called before the core has run.
    public func enableDebugging() {
        debugging = Debugging()
        loop.isOn = false
        engine.onInstruction = { [unowned self] address, _ in if debugging?.stops(at: address) == true { engine.stop() } }
        engine.watchInstructions()
    }

    public func setBreakpoint(_ address: UInt32, _ isSet: Bool) {
        if isSet { debugging?.breakpoints.insert(address & ~1) } else { debugging?.breakpoints.remove(address & ~1) }
    }

    /// Runs one instruction. Inside a conditional (IT) block the engine goes on to its end.
    public func step() -> Stop {
        debugging?.isStepping = true
        debugging?.letThrough = programCounter
        defer { debugging?.isStepping = false }
        let stop = run(until: now + 1)
        return stop == .reachedDeadline ? .breakpoint(programCounter) : stop
    }

    /// The rest of the block is counted when it is run.
    func stopForDebugger() -> Stop {
        let (block, size) = unsafe (hot.pointee.block, hot.pointee.blockBytes)
        if block != .max, programCounter >= block, programCounter < block &+ size,
            let code = engine.load(programCounter, Int(block &+ size - programCounter))
        {
            unsafe hot.pointee.cycles -= ThumbCode.count(code)
        }
        debugging?.letThrough = programCounter
        return .breakpoint(programCounter)
    }

    /// r0…r15, xPSR.
    public var debugRegisters: [UInt32] {
        get { engine.generalRegisters.dropLast() + [programCounter, engine[UC_ARM_REG_XPSR]] }
        set {
            for (register, value) in zip(Engine.general.dropLast(), newValue) { engine[register] = value }
            if newValue.count > 15 { programCounter = newValue[15] & ~1 }
            if newValue.count > 16 { engine[UC_ARM_REG_APSR_NZCV] = newValue[16] }
        }
    }

    /// Writes memory, code among it; false where there is none.
    public func debugStore(_ address: UInt32, _ bytes: [UInt8]) -> Bool { engine.storeCode(address, bytes) }
}

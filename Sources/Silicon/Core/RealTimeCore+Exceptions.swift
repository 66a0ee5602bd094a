import CUnicorn
import Formats

/// Exception entry and return, and faults (ARM DDI 0403E B1.5.6 to B1.5.15).
extension RealTimeCore {
    // MARK: How a stretch of code ended

    func interrupted(_ number: UInt32) -> Stop? {
        switch number {
        case 2: return answer(control.escalate(CoreException.supervisorCall, masks), nil)
        case 7:
            switch doReplaced() {
            case .done: return nil
            case .refused(let cause): return fault(cause, address: nil)
            case nil: break
            }
            if answersSemihosting, engine.load(programCounter, 2) == [0xAB, 0xBE] { return .semihosting }
            // BKPT without a debugger is a hard fault.
            if debugging != nil { return .breakpoint(programCounter) }
            return answer(control.escalate(CoreException.debugMonitor, masks), CoreFault(cause: "breakpoint instruction", self))
        // 8 is EXC_RETURN; 3 the same with stale flags (mt3620-silicon §7.1), or a fetch from nowhere.
        case 8 where !control.active.isEmpty, 3 where programCounter >= 0xFFFF_FFE0 && !control.active.isEmpty:
            return leave(programCounter | 1)
        case 3, 8: return fault(programCounter >= 0xF000_0000 ? .invalidReturn : .instructionBus, address: programCounter)
        default: return fault(.undefinedInstruction, address: nil)
        }
    }

    /// The engine cannot go on: a hint that it takes for the end, or an instruction that there is not.
    func undefined() -> Stop? {
        let block = unsafe hot.pointee.block
        if block != programCounter, let before = engine.load(programCounter &- 2, 2) {
            switch ThumbCode.half(before, 0) {
            case 0xBF20:  // WFE
                if !hasEvent { (isSleeping, waitsForEvent) = (true, true) }
                hasEvent = false
                return nil
            case 0xBF10: return nil  // YIELD
            default: break
            }
        }
        let isThumb = engine[UC_ARM_REG_XPSR] & 1 << 24 != 0
        if isThumb { uncount(after: programCounter) }
        return fault(isThumb ? .undefinedInstruction : .invalidState, address: nil)
    }

    func badAccess(_ access: Engine.BadAccess) -> Stop? {
        guard access.kind != .fetch else {
            programCounter = access.address & ~1
            // Registers and everything above 0xA0000000 can never be executed.
            let isForbidden =
                access.address >> 29 == 2 || access.address >= 0xA000_0000
                || !mayAccess(.fetch, access.address, isPrivileged: isPrivileged)
            return fault(isForbidden ? .instructionAccess : .instructionBus, address: nil)
        }
        programCounter = pcOfAccess(access.address, isWrite: access.kind == .write)
        uncount(after: programCounter)
        if unaligned == access.address {
            unaligned = nil
            return fault(.unaligned, address: nil)
        }
        let isAllowed = mayAccess(access.kind == .write ? .write : .read, access.address, isPrivileged: isPrivileged)
        return fault(isAllowed ? .preciseDataBus : .dataAccess, address: access.address)
    }

    func fault(_ cause: FaultCause, address: UInt32?) -> Stop? {
        let record = CoreFault(cause: "\(cause)", self, address: cause.hasAddress ? address : nil)
        return answer(control.fault(cause, address: address, masks), record)
    }

    /// Enters what a fault or a call is answered with; the owner hears of faults.
    private func answer(_ answer: SystemControl.Answer, _ fault: CoreFault?) -> Stop? {
        switch answer {
        case .lockUp: return lockUp(fault ?? CoreFault(cause: "supervisor call at too high a priority", self))
        case .exception(let number):
            if let stop = enter(number) {
                // What led there says more than what happened on the way to its handler.
                if case .lockedUp = stop, let fault { return .lockedUp(fault) }
                return stop
            }
            guard var fault else { return nil }
            fault.exception = number
            return .faulted(fault)
        }
    }

    // MARK: Entry

    /// Saves what the caller may not keep, and goes to the handler.
    func enter(_ exception: Int) -> Stop? {
        let state = engine[UC_ARM_REG_CONTROL]
        let hasFloat = state & 4 != 0
        let isThread = control.active.isEmpty
        let usesProcessStack = isThread && state & 2 != 0
        let old = engine[UC_ARM_REG_SP]
        let isPadded = old & 4 != 0
        let sp = (old & ~7) &- (hasFloat ? 0x68 : 0x20)
        let xpsr = engine[UC_ARM_REG_XPSR] & ~(1 << 9) | 1 << 24 | (isPadded ? 1 << 9 : 0)
        var frame = [UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR].map { engine[$0] }
        frame += [programCounter, xpsr]
        if hasFloat { frame += RealTimeCore.lowFloats.map { engine[$0] } + [engine[UC_ARM_REG_FPSCR], 0] }
        let mayStack = mayStack(.write, sp, words: frame.count, isPrivileged: isPrivileged)
        let isStacked = mayStack && engine.store(sp, frame.littleEndianBytes)
        engine[UC_ARM_REG_SP] = sp

        control.enter(exception)
        onTrace?(now, .entered(exception: exception, pc: programCounter))
        var link: UInt32 = isThread ? (usesProcessStack ? 0xFFFF_FFFD : 0xFFFF_FFF9) : 0xFFFF_FFF1
        if hasFloat { link -= 0x10 }
        // The order is what keeps the engine's flags right (mt3620-silicon §7.1).
        engine[UC_ARM_REG_CONTROL] = state & 1
        engine[UC_ARM_REG_IPSR] = UInt32(exception)
        engine[UC_ARM_REG_LR] = link
        engine[UC_ARM_REG_EPSR] = 0x0100_0000
        engine[UC_ARM_REG_APSR_NZCV] = xpsr
        (isSleeping, hasEvent) = (false, true)

        let vector = engine.word(control.vectorTable &+ UInt32(exception) * 4)
        programCounter = (vector ?? 0) & ~1
        if !isStacked {
            let cause = mayStack ? FaultCause.stacking : .memoryStacking
            let record = CoreFault(cause: "\(cause)", self, address: sp)
            guard exception != CoreException.hardFault else { return lockUp(record) }
            return answer(control.fault(cause, address: nil, masks), record)
        }
        guard let vector else {
            guard exception != CoreException.hardFault else { return lockUp(CoreFault(cause: "no vector table", self)) }
            return answer(control.vectorFault(masks), CoreFault(cause: "no vector table", self))
        }
        guard vector & 1 != 0 else {
            let record = CoreFault(cause: "\(FaultCause.invalidState)", self)
            guard exception != CoreException.hardFault else { return lockUp(record) }
            return answer(control.fault(.invalidState, address: nil, masks), record)
        }
        return nil
    }

    // MARK: Return

    private func leave(_ value: UInt32) -> Stop? {
        let toThread = value & 8 != 0
        let processStack = value & 4 != 0
        let hasFloat = value & 0x10 == 0
        let isKnown = [0xFFFF_FFF1, 0xFFFF_FFF9, 0xFFFF_FFFD].contains(value | 0x10)
        guard isKnown, toThread == (control.active.count == 1), let left = control.active.last else {
            programCounter = engine[UC_ARM_REG_LR] & ~1
            return fault(.invalidReturn, address: nil)
        }
        let sp = engine[processStack ? UC_ARM_REG_PSP : UC_ARM_REG_SP]
        let count = hasFloat ? 0x68 : 0x20
        // It is read with the rights of what it returns to.
        let returnsPrivileged = !toThread || engine[UC_ARM_REG_CONTROL] & 1 == 0
        guard mayStack(.read, sp, words: count / 4, isPrivileged: returnsPrivileged) else { return fault(.memoryUnstacking, address: nil) }
        guard let bytes = engine.load(sp, count) else { return fault(.unstacking, address: nil) }
        let frame = [UInt32](littleEndian: bytes)
        let xpsr = frame[7]
        let newStack = sp &+ UInt32(count) &+ (xpsr & 1 << 9 != 0 ? 4 : 0)

        // The handler may have just quieted its line.
        control.setLines(peripherals.lines)
        _ = control.leave()
        onTrace?(now, .left(exception: left))
        if left != CoreException.nonMaskable { engine[UC_ARM_REG_FAULTMASK] = 0 }
        if processStack { engine[UC_ARM_REG_PSP] = newStack } else { engine[UC_ARM_REG_SP] = newStack }
        let privilege = engine[UC_ARM_REG_CONTROL] & 1
        engine[UC_ARM_REG_IPSR] = UInt32(control.active.last ?? 0)
        engine[UC_ARM_REG_CONTROL] = privilege | (processStack ? 2 : 0) | (hasFloat ? 4 : 0)
        let registers = [UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR]
        for (register, value) in zip(registers, frame) { engine[register] = value }
        if hasFloat {
            for (register, value) in zip(RealTimeCore.lowFloats, frame[8...]) { engine[register] = value }
            engine[UC_ARM_REG_FPSCR] = frame[24]
        }
        engine[UC_ARM_REG_EPSR] = 0x0100_0000 | xpsr & 0x0600_FC00
        engine[UC_ARM_REG_APSR_NZCV] = xpsr
        programCounter = frame[6] & ~1
        hasEvent = true
        // SLEEPONEXIT
        if toThread && control.sleepControl & 2 != 0 { (isSleeping, waitsForEvent) = (true, false) }
        return nil
    }

    private static let lowFloats: [uc_arm_reg] = [
        UC_ARM_REG_S0, UC_ARM_REG_S1, UC_ARM_REG_S2, UC_ARM_REG_S3, UC_ARM_REG_S4, UC_ARM_REG_S5, UC_ARM_REG_S6, UC_ARM_REG_S7,
        UC_ARM_REG_S8, UC_ARM_REG_S9, UC_ARM_REG_S10, UC_ARM_REG_S11, UC_ARM_REG_S12, UC_ARM_REG_S13, UC_ARM_REG_S14, UC_ARM_REG_S15,
    ]
}

extension [UInt32] {
    init(littleEndian bytes: [UInt8]) {
        self = stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
        }
    }
}

import Formats
import Silicon

/// Signals: who gets them, what becomes of a call that they interrupt, and handlers (arch/arm/kernel/signal.c has the frame).
extension Kernel {
    func send(_ information: SignalInformation, to process: Process) {
        guard process.status == nil else { return }
        let action = process.actions[information.number] ?? SignalAction()
        if action.handler == SignalAction.ignore || action.handler == SignalAction.standard && SignalNumber.isIgnored(information.number) {
            // What somebody waits for with sigtimedwait is kept.
            guard process.threads.contains(where: { $0.mask[information.number] }) else { return }
        }
        if !process.pending.contains(where: { $0.number == information.number }) { process.pending.append(information) }
        changed()
    }

    func send(_ information: SignalInformation, to thread: Thread) {
        if !thread.pending.contains(where: { $0.number == information.number }) { thread.pending.append(information) }
        changed()
    }

    private func waiting(_ thread: Thread) -> SignalSet {
        var set = SignalSet()
        for information in thread.pending + thread.process.pending { set[information.number] = true }
        return set
    }

    func hasSignal(_ thread: Thread) -> Bool {
        guard !thread.pending.isEmpty || !thread.process.pending.isEmpty else { return false }
        return waiting(thread).first(notIn: thread.mask) != nil
    }

    /// Whether a signal is pending and in a set.
    func hasSignal(_ thread: Thread, in wanted: SignalSet) -> Bool { waiting(thread).bits & wanted.bits != 0 }

    /// Takes a signal that is pending and in a set.
    func takeSignal(_ thread: Thread, in wanted: SignalSet) -> SignalInformation? {
        let set = SignalSet(bits: waiting(thread).bits & wanted.bits)
        guard let number = set.first(notIn: SignalSet()) else { return nil }
        return take(number, thread)
    }

    private func take(_ number: Int, _ thread: Thread) -> SignalInformation? {
        if let index = thread.pending.firstIndex(where: { $0.number == number }) { return thread.pending.remove(at: index) }
        if let index = thread.process.pending.firstIndex(where: { $0.number == number }) { return thread.process.pending.remove(at: index) }
        return nil
    }

    /// A signal comes while a call waits: it ends with EINTR, or is made again after the handler.
    func interrupt(_ thread: Thread, _ call: SystemCall) {
        unload(thread)
        forgetWait(thread)
        let number = waiting(thread).first(notIn: thread.mask) ?? 0
        let action = thread.process.actions[number] ?? SignalAction()
        let isHandled = action.handler > SignalAction.ignore
        if thread.written > 0 {
            thread.registers.general[0] = UInt32(thread.written)
        } else if (!isHandled || action.flags & SignalAction.restarts != 0) && SystemCall.isRestartable(call.number) {
            let isThumb = thread.registers.cpsr & 0x20 != 0
            thread.registers.general[15] &-= isThumb ? 2 : 4
            thread.registers.general[0] = call.arguments[0]
        } else {
            thread.registers.general[0] = UInt32(bitPattern: -Errno.EINTR.rawValue)
        }
        thread.written = 0
        thread.state = .ready
        thread.deadline = .max
    }

    /// Handles what is pending; false if the thread does not go on.
    func deliverSignals(_ thread: Thread) -> Bool {
        while let number = waiting(thread).first(notIn: thread.mask), let information = take(number, thread) {
            let action = thread.process.actions[number] ?? SignalAction()
            if number != SignalNumber.kill, action.handler == SignalAction.ignore { continue }
            if number == SignalNumber.kill || action.handler == SignalAction.standard {
                if SignalNumber.isIgnored(number) || number == SignalNumber.stop { continue }
                // abort(3): the program, or its compiler's checks, have found something wrong.
                if number == SignalNumber.abort { crashed(thread, number, address: 0) }
                end(thread.process, status: UInt32(number))
                return false
            }
            if !enter(thread, action, information) {
                end(thread.process, status: UInt32(SignalNumber.segmentation))
                return false
            }
        }
        if let mask = thread.maskAfterWait { (thread.mask, thread.maskAfterWait) = (mask, nil) }
        return true
    }

    private func crashed(_ thread: Thread, _ signal: Int, address: UInt32) {
        let registers = thread.registers.general
        let record = CrashRecord(signal: signal, pc: registers[15], lr: registers[14], sp: registers[13], address: address)
        onEvent(now, .crashed(program: thread.process.name, record))
        dump(record, of: thread.process)
    }

    /// A fault of the program's own: a signal that it cannot put off.
    func fault(_ thread: Thread, _ signal: ApplicationCore.Signal, address: UInt32) {
        let process = thread.process
        let action = process.actions[signal.rawValue] ?? SignalAction()
        let isMapped = process.core.memory.access(at: address).map { $0 != .none } ?? false
        let information = SignalInformation(number: signal.rawValue, code: isMapped ? 2 : 1, value: address)
        if action.handler <= SignalAction.ignore || thread.mask[signal.rawValue] {
            crashed(thread, signal.rawValue, address: address)
            process.actions[signal.rawValue] = nil
            thread.mask[signal.rawValue] = false
        }
        send(information, to: thread)
    }

    // MARK: Frames

    /// siginfo, ucontext and the return code that calls sigreturn.
    private static let frameBytes = 128 + Int(contextBytes) + 16
    private static let contextBytes: UInt32 = 20 + 84 + 128 + 512

    /// Goes to a handler; false if its stack cannot hold the frame.
    private func enter(_ thread: Thread, _ action: SignalAction, _ information: SignalInformation) -> Bool {
        var registers = thread.registers
        let onStack = thread.alternateStack.count > 0 && action.flags & SignalAction.onAlternateStack != 0
        let isThere = registers.general[13] &- thread.alternateStack.start < thread.alternateStack.count
        let top = onStack && !isThere ? thread.alternateStack.start &+ thread.alternateStack.count : registers.general[13]
        let frame = (top &- UInt32(Kernel.frameBytes)) & ~7
        let mask = thread.maskAfterWait ?? thread.mask
        thread.maskAfterWait = nil
        var bytes = information.record + context(registers, mask, thread)
        let returnCode = frame &+ UInt32(bytes.count)
        // mov r7, #173; svc 0, for programs without a restorer of their own: pages cannot be both written and executed.
        bytes += [0xAD, 0x70, 0xA0, 0xE3, 0, 0, 0, 0xEF, 0, 0, 0, 0, 0, 0, 0, 0]
        guard thread.process.core.memory.store(frame, bytes) else { return false }
        registers.general[0] = UInt32(information.number)
        registers.general[1] = frame
        registers.general[2] = frame &+ 128
        registers.general[13] = frame
        registers.general[14] = action.restorer != 0 ? action.restorer : returnCode
        registers.general[15] = action.handler & ~1
        registers.cpsr = registers.cpsr & ~0x0600_FC20 | (action.handler & 1 != 0 ? 0x20 : 0)
        thread.registers = registers
        thread.mask.bits |= action.mask.bits
        if action.flags & SignalAction.isNotDeferred == 0 { thread.mask[information.number] = true }
        if action.flags & SignalAction.resets != 0 { thread.process.actions[information.number] = nil }
        return true
    }

    private func context(_ registers: ApplicationCore.Registers, _ mask: SignalSet, _ thread: Thread) -> [UInt8] {
        var words: [UInt32] = [0, 0, thread.alternateStack.start, 0, thread.alternateStack.count]
        words += [0, 0, UInt32(truncatingIfNeeded: mask.bits)] + registers.general + [registers.cpsr, 0]
        var bytes = words.littleEndianBytes + mask.bits.littleEndianBytes + [UInt8](repeating: 0, count: 120)
        // struct vfp_sigframe.
        bytes += ([0x5646_5001, 288] as [UInt32]).littleEndianBytes + registers.floats.flatMap(\.littleEndianBytes)
        bytes += registers.fpscr.littleEndianBytes
        return bytes + [UInt8](repeating: 0, count: Int(Kernel.contextBytes) - bytes.count)
    }

    /// A handler has returned: everything is as it was.
    func signalReturn(_ thread: Thread) throws(Errno) {
        let memory = thread.process.memory
        let frame = thread.process.core.registers.general[13]
        let fields = try memory.fields(frame &+ 128, Int(Kernel.contextBytes))
        var registers = thread.process.core.registers
        registers.general = (0..<16).map { fields.u32(32 + $0 * 4) ?? 0 }
        registers.cpsr = fields.u32(96) ?? 0
        thread.mask = SignalSet(bits: fields.u64(104) ?? 0)
        if fields.u32(232) == 0x5646_5001 {
            registers.floats = (0..<registers.floats.count).map { fields.u64(240 + $0 * 8) ?? 0 }
            registers.fpscr = fields.u32(240 + 256) ?? 0
        }
        thread.registers = registers
    }
}

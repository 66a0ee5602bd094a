import Formats

/// Calls on signals.
extension CallTable {
    static let signals: Group = [
        (29, "pause", { kernel, thread, _ throws(Errno) in kernel.wait(thread) }),
        (37, "kill", does(kill)), (119, "sigreturn", signalReturn), (173, "rt_sigreturn", signalReturn),
        (174, "rt_sigaction", does(setAction)), (175, "rt_sigprocmask", does(setMask)),
        (
            176, "rt_sigpending",
            does { _, t, a throws(Errno) in
                var set = SignalSet()
                for information in t.pending + t.process.pending { set[information.number] = true }
                try t.process.memory.put(a[0], set.bits.littleEndianBytes)
            }
        ),
        (177, "rt_sigtimedwait", { k, t, a throws(Errno) in try waitForSignal(k, t, a, isLong: false) }),
        (421, "rt_sigtimedwait_time64", { k, t, a throws(Errno) in try waitForSignal(k, t, a, isLong: true) }),
        (
            179, "rt_sigsuspend",
            { kernel, thread, a throws(Errno) in
                try waitWithMask(kernel, thread, a[0])
                return kernel.wait(thread)
            }
        ),
        (186, "sigaltstack", does(setAlternateStack)),
        (238, "tkill", does { k, t, a throws(Errno) in try killThread(k, t, a[0], a[1]) }),
        (349, "signalfd", gives { k, t, a throws(Errno) in try signalFile(k, t, a, flags: 0) }),
        (355, "signalfd4", gives { k, t, a throws(Errno) in try signalFile(k, t, a, flags: a[3]) }),
        (178, "rt_sigqueueinfo", does { k, t, a throws(Errno) in try kill(k, t, a) }),
        (268, "tgkill", does { k, t, a throws(Errno) in try killThread(k, t, a[1], a[2]) }),
    ]

    private static func number(_ value: UInt32) throws(Errno) -> Int {
        guard value <= UInt32(SignalNumber.count) else { throw .EINVAL }
        return Int(value)
    }

    @Sendable private static func kill(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let (target, signal) = (Int32(bitPattern: a[0]), try number(a[1]))
        let targets = kernel.processes.values.sorted { $0.id < $1.id }.filter { process in
            guard process.status == nil else { return process.id == target }
            if target > 0 { return process.id == target }
            if target == 0 { return process.group == thread.process.group }
            return target == -1 ? process !== thread.process : process.group == 0 &- target
        }
        guard !targets.isEmpty else { throw .ESRCH }
        guard signal > 0 else { return }
        for process in targets { kernel.send(SignalInformation(number: signal, value: UInt32(thread.process.id)), to: process) }
    }

    private static func killThread(_ kernel: Kernel, _ thread: Thread, _ id: UInt32, _ signal: UInt32) throws(Errno) {
        let signal = try number(signal)
        guard let target = kernel.thread(Int32(bitPattern: id)), target.process === thread.process else { throw .ESRCH }
        guard signal > 0 else { return }
        kernel.send(SignalInformation(number: signal, code: -6, value: UInt32(thread.process.id)), to: target)
    }

    /// A new one, or another mask for one that there is.
    private static func signalFile(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], flags: UInt32) throws(Errno) -> UInt32 {
        guard a[2] == 8, flags & ~(closeOnExec | OpenFile.isNonBlocking) == 0 else { throw .EINVAL }
        let mask = SignalSet(bits: try thread.process.memory.fields(a[1], 8).u64(0) ?? 0)
        guard a[0] == .max else {
            guard let file = try thread.process.file(a[0]) as? SignalFile else { throw .EINVAL }
            file.mask = mask
            kernel.changed()
            return a[0]
        }
        return try thread.process.open(SignalFile(kernel, mask: mask, flags: flags), closesOnExec: flags & closeOnExec != 0)
    }

    private static let signalReturn: CallEntry.Body = { kernel, thread, _ throws(Errno) in
        try kernel.signalReturn(thread)
        return .replaced
    }

    @Sendable private static func setAction(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let (process, signal) = (thread.process, try number(a[0]))
        guard signal > 0, a[3] == 8 else { throw .EINVAL }
        let old = process.actions[signal] ?? SignalAction()
        if a[1] != 0 {
            guard signal != SignalNumber.kill, signal != SignalNumber.stop else { throw .EINVAL }
            let fields = try process.memory.fields(a[1], 20)
            process.actions[signal] = SignalAction(
                handler: fields.u32(0) ?? 0, flags: fields.u32(4) ?? 0, restorer: fields.u32(8) ?? 0,
                mask: SignalSet(bits: Bytes(fields.block(12, 8) ?? []).u64(0) ?? 0))
        }
        try process.memory.putIfAny(a[2], [old.handler, old.flags, old.restorer].littleEndianBytes + old.mask.bits.littleEndianBytes)
    }

    @Sendable private static func setMask(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let old = thread.mask
        if a[1] != 0 {
            let set = try thread.process.memory.fields(a[1], 8).u64(0) ?? 0
            switch a[0] {
            case 0: thread.mask.bits |= set
            case 1: thread.mask.bits &= ~set
            case 2: thread.mask.bits = set
            default: throw .EINVAL
            }
        }
        try thread.process.memory.putIfAny(a[2], old.bits.littleEndianBytes)
    }

    /// Another mask while a call waits.
    static func waitWithMask(_ kernel: Kernel, _ thread: Thread, _ address: UInt32) throws(Errno) {
        guard !kernel.isWaiting(thread), address != 0 else { return }
        let set = try thread.process.memory.fields(address, 8).u64(0) ?? 0
        thread.maskAfterWait = thread.mask
        thread.mask = SignalSet(bits: set)
    }

    private static func waitForSignal(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) -> Answer {
        let memory = thread.process.memory
        let wanted = SignalSet(bits: try memory.fields(a[0], 8).u64(0) ?? 0)
        if let information = kernel.takeSignal(thread, in: wanted) {
            try memory.putIfAny(a[1], information.record)
            return .value(UInt32(information.number))
        }
        if kernel.isOver(thread) { throw .EAGAIN }
        return kernel.wait(thread, a[2] == 0 ? nil : try Timespec.read(memory, a[2], isLong: isLong))
    }

    @Sendable private static func setAlternateStack(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let old = thread.alternateStack
        if a[0] != 0 {
            let fields = try thread.process.memory.fields(a[0], 12)
            let isOff = (fields.u32(4) ?? 0) & 2 != 0
            if !isOff, (fields.u32(8) ?? 0) < 2048 { throw .ENOMEM }
            thread.alternateStack = isOff ? (0, 0) : (fields.u32(0) ?? 0, fields.u32(8) ?? 0)
        }
        try thread.process.memory.putIfAny(a[1], [old.start, old.count == 0 ? 2 : 0, old.count].littleEndianBytes)
    }
}

import Formats
import Silicon

/// Calls on processes and threads.
extension CallTable {
    static let processes: Group = [
        (
            1, "exit",
            { kernel, thread, a throws(Errno) in
                kernel.endThread(thread, code: a[0])
                return .noAnswer
            }
        ),
        (2, "fork", { kernel, thread, _ throws(Errno) in try kernel.fork(thread, stack: 0, lends: false, a: [0, 0, 0, 0, 0]) }),
        (
            11, "execve",
            { kernel, thread, a throws(Errno) in
                let memory = thread.process.memory
                guard thread.process.policy.mayFork else { throw .EPERM }
                try kernel.execute(thread, memory.text(a[0]), memory.texts(a[1]), memory.texts(a[2]))
                return .replaced
            }
        ),
        (
            387, "execveat",
            { kernel, thread, a throws(Errno) in
                let memory = thread.process.memory
                guard thread.process.policy.mayFork else { throw .EPERM }
                guard a[0] == here else { throw .ENOSYS }
                try kernel.execute(thread, memory.text(a[1]), memory.texts(a[2]), memory.texts(a[3]))
                return .replaced
            }
        ),
        (20, "getpid", gives { _, t, _ throws(Errno) in UInt32(t.process.id) }),
        (24, "getuid", gives { _, t, _ throws(Errno) in t.process.user }),
        (199, "getuid32", gives { _, t, _ throws(Errno) in t.process.user }),
        (201, "geteuid32", gives { _, t, _ throws(Errno) in t.process.user }),
        (49, "geteuid", gives { _, t, _ throws(Errno) in t.process.user }),
        (200, "getgid32", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (202, "getegid32", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (164, "setresuid", does(sameUser)), (170, "setresgid", does(sameUser)), (70, "setreuid", does(sameUser)),
        (23, "setuid", does { _, t, a throws(Errno) in if a[0] != t.process.user { throw .EPERM } }),
        (46, "setgid", does { _, t, a throws(Errno) in if a[0] != t.process.groupOfUser { throw .EPERM } }),
        (215, "setfsuid32", gives { _, t, _ throws(Errno) in t.process.user }),
        (216, "setfsgid32", gives { _, t, _ throws(Errno) in t.process.groupOfUser }), (80, "getgroups", constant(0)),
        (47, "getgid", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (50, "getegid", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (205, "getgroups32", constant(0)),
        (213, "setuid32", does { _, t, a throws(Errno) in if a[0] != t.process.user { throw .EPERM } }),
        (214, "setgid32", does { _, t, a throws(Errno) in if a[0] != t.process.groupOfUser { throw .EPERM } }),
        (203, "setreuid32", does(sameUser)), (204, "setregid32", does(sameUser)), (208, "setresuid32", does(sameUser)),
        (210, "setresgid32", does(sameUser)),
        (
            209, "getresuid32",
            does { _, t, a throws(Errno) in
                for address in a[..<3] { try t.process.memory.put(address, t.process.user.littleEndianBytes) }
            }
        ),
        (
            211, "getresgid32",
            does { _, t, a throws(Errno) in
                for address in a[..<3] { try t.process.memory.put(address, t.process.groupOfUser.littleEndianBytes) }
            }
        ),
        (
            57, "setpgid",
            does { k, t, a throws(Errno) in
                guard let process = a[0] == 0 ? t.process : k.processes[Int32(bitPattern: a[0])] else { throw .ESRCH }
                guard a[1] <= UInt32(Int32.max) else { throw .EINVAL }
                process.group = a[1] == 0 ? process.id : Int32(a[1])
            }
        ),
        (64, "getppid", gives { _, t, _ throws(Errno) in UInt32(t.process.parent) }),
        (65, "getpgrp", gives { _, t, _ throws(Errno) in UInt32(t.process.group) }),
        (
            66, "setsid",
            gives { _, t, _ throws(Errno) in
                (t.process.session, t.process.group) = (t.process.id, t.process.id)
                return UInt32(t.process.id)
            }
        ),
        (
            132, "getpgid",
            gives { k, t, a throws(Errno) in
                guard let process = a[0] == 0 ? t.process : k.processes[Int32(bitPattern: a[0])] else { throw .ESRCH }
                return UInt32(process.group)
            }
        ),
        (147, "getsid", gives { _, t, _ throws(Errno) in UInt32(t.process.session) }),
        (75, "setrlimit", constant(0)),
        (
            191, "ugetrlimit",
            does { _, t, a throws(Errno) in
                try t.process.memory.put(a[1], limit(t.process, a[0]).map { UInt32(min($0, UInt64(UInt32.max))) }.littleEndianBytes)
            }
        ),
        (
            369, "prlimit64",
            does { _, t, a throws(Errno) in
                try t.process.memory.putIfAny(a[3], limit(t.process, a[1]).flatMap(\.littleEndianBytes))
            }
        ),
        (77, "getrusage", does { _, t, a throws(Errno) in try t.process.memory.put(a[1], usage(a[0] == 0 ? t.process : nil)) }),
        (114, "wait4", waitForChild), (280, "waitid", waitForChildState), (184, "capget", does(capabilities)),
        (
            185, "capset",
            does { _, t, a throws(Errno) in if try t.process.memory.bytes(a[1], 24).contains(where: { $0 != 0 }) { throw .EPERM } }
        ),
        (116, "sysinfo", does(systemInformation)),
        (120, "clone", { kernel, thread, a throws(Errno) in try kernel.clone(thread, a) }),
        (122, "uname", does(systemName)), (136, "personality", gives(changePersonality)), (103, "syslog", gives(readLog)),
        (172, "prctl", gives(processControl)),
        (190, "vfork", { kernel, thread, _ throws(Errno) in try kernel.fork(thread, stack: 0, lends: true, a: [0, 0, 0, 0, 0]) }),
        (224, "gettid", gives { _, t, _ throws(Errno) in UInt32(t.id) }),
        (240, "futex", { k, t, a throws(Errno) in try futex(k, t, a, isLong: false) }),
        (422, "futex_time64", { k, t, a throws(Errno) in try futex(k, t, a, isLong: true) }),
        (
            248, "exit_group",
            { kernel, thread, a throws(Errno) in
                kernel.end(thread.process, status: (a[0] & 0xFF) << 8)
                return .noAnswer
            }
        ),
        (
            256, "set_tid_address",
            gives { _, t, a throws(Errno) in
                t.clearedAtEnd = a[0]
                return UInt32(t.id)
            }
        ),
        (338, "set_robust_list", constant(0)),
        (
            384, "getrandom",
            gives { k, t, a throws(Errno) in
                var bytes = k.random(Int(min(a[1], 1 << 20)))
                if t.process.policy.weaknesses.contains(.randomFill) {
                    for index in bytes.count / 4 * 4..<bytes.count { bytes[index] = 0 }
                }
                try t.process.memory.put(a[0], bytes)
                return UInt32(bytes.count)
            }
        ),
        (
            0xF_0005, "set_tls",
            does { _, t, a throws(Errno) in
                var registers = t.process.core.registers
                registers.thread = a[0]
                t.process.core.registers = registers
            }
        ),
    ]

    @Sendable private static func sameUser(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let own = [thread.process.user, .max]
        guard own.contains(a[0]), own.contains(a[1]) else { throw .EPERM }
    }

    /// Soft and hard.
    private static func limit(_ process: Process, _ resource: UInt32) -> [UInt64] {
        switch resource {
        case 3: [UInt64(Loader.stackBytes), UInt64(Loader.stackBytes)]
        case 4: [0, 0]
        case 6: [UInt64(process.policy.processes), UInt64(process.policy.processes)]
        case 7: [UInt64(process.policy.openFiles), UInt64(process.policy.openFiles)]
        default: [.max, .max]
        }
    }

    /// struct rusage: user time; nothing else is counted.
    private static func usage(_ process: Process?) -> [UInt8] {
        let microseconds = (process?.usedNanoseconds ?? 0) / 1000
        return ([UInt32(microseconds / 1_000_000), UInt32(microseconds % 1_000_000)] + [UInt32](repeating: 0, count: 16)).littleEndianBytes
    }

    private static let waitForChild: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let (wanted, process) = (Int32(bitPattern: a[0]), thread.process)
        guard wanted != .min else { throw .ESRCH }
        let children = kernel.processes.values.filter { child in
            guard child.parent == process.id else { return false }
            return wanted == -1 || wanted == child.id || wanted == 0 && child.group == process.group
                || wanted < -1 && child.group == 0 &- wanted
        }
        guard !children.isEmpty else { throw .ECHILD }
        guard let child = children.filter({ $0.status != nil }).min(by: { $0.id < $1.id }), let status = child.status else {
            return a[2] & 1 != 0 ? .value(0) : kernel.wait(thread)
        }
        try process.memory.putIfAny(a[1], status.littleEndianBytes)
        try process.memory.putIfAny(a[3], usage(child))
        kernel.processes[child.id] = nil
        return .value(UInt32(child.id))
    }

    /// waitid(2): struct siginfo tells what became of which child.
    private static let waitForChildState: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let process = thread.process
        // P_ALL 0, P_PID 1, P_PGID 2; WNOHANG 1, WEXITED 4, WNOWAIT 0x0100_0000.
        guard a[0] <= 2, a[3] & 0xE != 0 else { throw .EINVAL }
        let children = kernel.processes.values.filter { child in
            guard child.parent == process.id else { return false }
            return a[0] == 0 || UInt32(bitPattern: a[0] == 1 ? child.id : child.group) == a[1]
        }
        guard !children.isEmpty else { throw .ECHILD }
        let ended = a[3] & 4 == 0 ? [] : children.filter { $0.status != nil }
        guard let child = ended.min(by: { $0.id < $1.id }), let status = child.status else {
            guard a[3] & 1 != 0 else { return kernel.wait(thread) }
            try process.memory.putIfAny(a[2], [UInt8](repeating: 0, count: 128))
            return .value(0)
        }
        let (isExit, code) = (status & 0x7F == 0, Int32(status & 0x7F == 0 ? status >> 8 : status & 0x7F))
        let information = SignalInformation(number: SignalNumber.child, code: isExit ? 1 : 2, value: UInt32(child.id), status: code)
        try process.memory.putIfAny(a[2], information.record)
        try process.memory.putIfAny(a[4], usage(child))
        if a[3] & 0x0100_0000 == 0 { kernel.processes[child.id] = nil }
        return .value(0)
    }

    /// None, in all three sets of both halves (struct __user_cap_data_struct).
    @Sendable private static func capabilities(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let version = try thread.process.memory.word(a[0])
        guard [0x2007_1026, 0x2008_0522].contains(version) else {
            try thread.process.memory.put(a[0], UInt32(0x2008_0522).littleEndianBytes)
            if a[1] == 0 { return }
            throw .EINVAL
        }
        try thread.process.memory.putIfAny(a[1], [UInt8](repeating: 0, count: 24))
    }

    @Sendable private static func systemName(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let fields = ["Linux", "orrery", "5.10.60", "#1 PREEMPT", "armv7l", "(none)"]
        try thread.process.memory.put(a[0], fields.flatMap { Array($0.utf8) + [UInt8](repeating: 0, count: 65 - $0.utf8.count) })
    }

    /// struct sysinfo: 4 MiB, as the chip has.
    @Sendable private static func systemInformation(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let seconds = UInt32(truncatingIfNeeded: kernel.now / 1_000_000_000)
        var bytes = ([seconds, 0, 0, 0, 4 << 20, 2 << 20, 0, 0, 0, 0] as [UInt32]).littleEndianBytes
        bytes += UInt32(kernel.processes.count).littleEndianBytes + ([0, 0, 1] as [UInt32]).littleEndianBytes
        try thread.process.memory.put(a[0], bytes + [UInt8](repeating: 0, count: 64 - bytes.count))
    }

    @Sendable private static func processControl(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        switch a[0] {
        case 15:  // PR_SET_NAME
            process.name = try process.memory.text(a[1])
            return 0
        case 16:
            try process.memory.put(a[1], Array(process.name.utf8.prefix(15)) + [0])
            return 0
        case 1, 4, 29, 36, 38: return 0  // death signal, dumpable, timer slack, subreaper, no new privileges
        case 3, 30, 41: return 0
        case 23: return 0  // no capability is in the bounding set
        case 2, 37:
            try process.memory.put(a[1], [0, 0, 0, 0])
            return 0
        case 39: return 1
        default: throw .EINVAL
        }
    }

    @Sendable private static func changePersonality(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        let old = process.personality
        guard a[0] != .max else { return old }
        guard a[0] == 0 || process.policy.weaknesses.contains(.readImpliesExecute) else { throw .EPERM }
        process.personality = a[0]
        return old
    }

    /// The kernel's log is for nobody (dmesg_restrict).
    @Sendable private static func readLog(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        guard thread.process.policy.weaknesses.contains(.kernelLog) else { throw .EPERM }
        guard a[0] == 3 else { return 0 }
        let text = Array(
            "<6>Booting Linux on physical CPU 0x0\n<6>Kernel code: 0xc0008000 - 0xc0400000\n".utf8.prefix(Int(min(a[2], 4096))))
        try thread.process.memory.put(a[1], text)
        return UInt32(text.count)
    }

    // MARK: Futexes

    private static func futex(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) -> Answer {
        let operation = a[1] & 0x7F
        let key = FutexKey(process: thread.process.id, address: a[0])
        switch operation {
        case 0, 9:  // WAIT, WAIT_BITSET
            if kernel.isWaiting(thread) {
                guard kernel.futexWaiters[key]?.contains(where: { $0 === thread }) == true else { return .value(0) }
                if kernel.isOver(thread) { throw .ETIMEDOUT }
                return kernel.wait(thread)
            }
            guard try thread.process.memory.word(a[0]) == a[2] else { throw .EAGAIN }
            var left: Int64?
            if a[3] != 0 {
                let time = try Timespec.read(thread.process.memory, a[3], isLong: isLong)
                // WAIT_BITSET says when, by the clock that it names; WAIT says how long.
                left = operation == 0 ? time : max(0, time - (a[1] & 0x100 != 0 ? kernel.epoch + kernel.now : kernel.now))
            }
            kernel.futexWaiters[key, default: []].append(thread)
            return kernel.wait(thread, left)
        case 1, 10: return .value(kernel.wakeWaiters(key, a[2]))
        case 3, 4:  // REQUEUE, CMP_REQUEUE
            if operation == 4, try thread.process.memory.word(a[0]) != a[5] { throw .EAGAIN }
            let woken = kernel.wakeWaiters(key, a[2])
            let other = FutexKey(process: thread.process.id, address: a[4])
            let moved = kernel.futexWaiters[key] ?? []
            kernel.futexWaiters[key] = nil
            // They wait by their own call's address: whoever is woken at the other one is woken.
            for waiter in moved { kernel.futexWaiters[other, default: []].append(waiter) }
            kernel.requeued(moved, to: a[4])
            return .value(woken + UInt32(moved.count))
        default: throw .ENOSYS
        }
    }
}

struct FutexKey: Hashable {
    var process: Int32
    var address: UInt32
}

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
        (20, "getpid", gives { _, t, _ throws(Errno) in UInt32(t.process.id) }),
        (24, "getuid", gives { _, t, _ throws(Errno) in t.process.user }),
        (199, "getuid32", gives { _, t, _ throws(Errno) in t.process.user }),
        (201, "geteuid32", gives { _, t, _ throws(Errno) in t.process.user }),
        (49, "geteuid", gives { _, t, _ throws(Errno) in t.process.user }),
        (200, "getgid32", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (202, "getegid32", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (47, "getgid", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (50, "getegid", gives { _, t, _ throws(Errno) in t.process.groupOfUser }),
        (205, "getgroups32", constant(0)), (206, "setgroups32", does(denied)),
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
        (114, "wait4", waitForChild), (116, "sysinfo", does(systemInformation)),
        (120, "clone", { kernel, thread, a throws(Errno) in try kernel.clone(thread, a) }),
        (122, "uname", does(systemName)), (136, "personality", gives(changePersonality)), (103, "syslog", gives(readLog)),
        (158, "sched_yield", constant(0)),
        (172, "prctl", gives(processControl)),
        (190, "vfork", { kernel, thread, _ throws(Errno) in try kernel.fork(thread, stack: 0, lends: true, a: [0, 0, 0, 0, 0]) }),
        (224, "gettid", gives { _, t, _ throws(Errno) in UInt32(t.id) }),
        (240, "futex", { k, t, a throws(Errno) in try futex(k, t, a, isLong: false) }),
        (422, "futex_time64", { k, t, a throws(Errno) in try futex(k, t, a, isLong: true) }),
        (241, "sched_setaffinity", constant(0)),
        (
            242, "sched_getaffinity",
            gives { _, t, a throws(Errno) in
                guard a[1] >= 4 else { throw .EINVAL }
                try t.process.memory.put(a[2], [1, 0, 0, 0])
                return 4
            }
        ),
        (96, "getpriority", constant(20)), (97, "setpriority", constant(0)), (157, "sched_getscheduler", constant(0)),
        (155, "sched_getparam", does { _, t, a throws(Errno) in try t.process.memory.put(a[1], [0, 0, 0, 0]) }),
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
        // Newer than the original's kernel: C libraries ask for them, and do without.
        (398, "rseq", constant(UInt32(bitPattern: -Errno.ENOSYS.rawValue))),
        (435, "clone3", constant(UInt32(bitPattern: -Errno.ENOSYS.rawValue))),
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

    @Sendable private static func denied(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) { throw .EPERM }

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
        case 1, 4, 38: return 0  // death signal, dumpable, no new privileges
        case 3: return 0
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

import Formats

/// Calls on scheduling: there is one core and one policy, in which every thread has its turn.
extension CallTable {
    static let scheduling: Group = [
        (34, "nice", constant(0)), (96, "getpriority", constant(20)), (97, "setpriority", constant(0)),
        (154, "sched_setparam", does { k, t, a throws(Errno) in try checkPriority(k, t, a[0], policy: 0, t.process.memory.word(a[1])) }),
        (155, "sched_getparam", does { _, t, a throws(Errno) in try t.process.memory.put(a[1], [0, 0, 0, 0]) }),
        (
            156, "sched_setscheduler",
            does { k, t, a throws(Errno) in try checkPriority(k, t, a[0], policy: a[1], t.process.memory.word(a[2])) }
        ),
        (157, "sched_getscheduler", constant(0)), (158, "sched_yield", constant(0)),
        (159, "sched_get_priority_max", gives { _, _, a throws(Errno) in try priorities(a[0]).upperBound }),
        (160, "sched_get_priority_min", gives { _, _, a throws(Errno) in try priorities(a[0]).lowerBound }),
        (161, "sched_rr_get_interval", does { _, t, a throws(Errno) in try t.process.memory.put(a[1], Timespec.record(0, isLong: false)) }),
        (
            423, "sched_rr_get_interval_time64",
            does { _, t, a throws(Errno) in try t.process.memory.put(a[1], Timespec.record(0, isLong: true)) }
        ),
        (241, "sched_setaffinity", constant(0)),
        (
            242, "sched_getaffinity",
            gives { _, t, a throws(Errno) in
                guard a[1] >= 4 else { throw .EINVAL }
                try t.process.memory.put(a[2], [1, 0, 0, 0])
                return 4
            }
        ),
        (
            345, "getcpu",
            does { _, t, a throws(Errno) in
                for address in a[..<2] { try t.process.memory.putIfAny(address, [0, 0, 0, 0]) }
            }
        ),
    ]

    /// SCHED_OTHER, SCHED_BATCH and SCHED_IDLE; SCHED_FIFO and SCHED_RR.
    private static func priorities(_ policy: UInt32) throws(Errno) -> ClosedRange<UInt32> {
        switch policy {
        case 0, 3, 5: 0...0
        case 1, 2: 1...99
        default: throw .EINVAL
        }
    }

    /// Nobody may run before others (CAP_SYS_NICE).
    private static func checkPriority(
        _ kernel: Kernel, _ thread: Thread, _ process: UInt32, policy: UInt32, _ priority: UInt32
    ) throws(Errno) {
        guard process == 0 || kernel.thread(Int32(bitPattern: process)) != nil else { throw .ESRCH }
        guard try priorities(policy).contains(priority) else { throw .EINVAL }
        if policy == 1 || policy == 2 { throw .EPERM }
    }
}

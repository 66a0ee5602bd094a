import Formats

/// Calls on time. Everything is the device's virtual time; the wall clock is that and an epoch.
extension CallTable {
    static let times: Group = [
        (
            13, "time",
            gives { k, t, a throws(Errno) in
                let seconds = UInt32(truncatingIfNeeded: (k.epoch + k.now) / 1_000_000_000)
                try t.process.memory.putIfAny(a[0], seconds.littleEndianBytes)
                return seconds
            }
        ),
        (
            43, "times",
            gives { k, t, a throws(Errno) in
                let ticks = UInt32(truncatingIfNeeded: t.process.usedNanoseconds / 10_000_000)
                try t.process.memory.putIfAny(a[0], [ticks, 0, 0, 0].littleEndianBytes)
                return UInt32(truncatingIfNeeded: k.now / 10_000_000)
            }
        ),
        (
            78, "gettimeofday",
            does { k, t, a throws(Errno) in
                let microseconds = (k.epoch + k.now) / 1000
                let words = [UInt32(truncatingIfNeeded: microseconds / 1_000_000), UInt32(microseconds % 1_000_000)]
                try t.process.memory.putIfAny(a[0], words.littleEndianBytes)
                // struct timezone: there is none.
                try t.process.memory.putIfAny(a[1], [UInt8](repeating: 0, count: 8))
            }
        ),
        (104, "setitimer", does(setAlarm)),
        (105, "getitimer", does { k, t, a throws(Errno) in try t.process.memory.put(a[1], alarm(k, t)) }),
        (162, "nanosleep", { k, t, a throws(Errno) in try sleep(k, t, a[0], isLong: false, until: nil) }),
        (265, "clock_nanosleep", { k, t, a throws(Errno) in try sleepByClock(k, t, a, isLong: false) }),
        (407, "clock_nanosleep_time64", { k, t, a throws(Errno) in try sleepByClock(k, t, a, isLong: true) }),
        (257, "timer_create", does(makeTimer)),
        (
            261, "timer_delete",
            does { _, t, a throws(Errno) in
                guard t.process.timers.removeValue(forKey: Int32(bitPattern: a[0])) != nil else { throw .EINVAL }
            }
        ),
        (260, "timer_getoverrun", constant(0)),
        (258, "timer_settime", does { k, t, a throws(Errno) in try setTimer(k, t, a, isLong: false) }),
        (409, "timer_settime64", does { k, t, a throws(Errno) in try setTimer(k, t, a, isLong: true) }),
        (259, "timer_gettime", does { k, t, a throws(Errno) in try getTimer(k, t, a, isLong: false) }),
        (408, "timer_gettime64", does { k, t, a throws(Errno) in try getTimer(k, t, a, isLong: true) }),
        (79, "settimeofday", does(setTimeOfDay)),
        (262, "clock_settime", does { k, t, a throws(Errno) in try setClock(k, t, a, isLong: false) }),
        (404, "clock_settime64", does { k, t, a throws(Errno) in try setClock(k, t, a, isLong: true) }),
        (
            263, "clock_gettime",
            does { k, t, a throws(Errno) in
                try t.process.memory.put(a[1], Timespec.record(clock(k, t, a[0]), isLong: false))
            }
        ),
        (
            403, "clock_gettime64",
            does { k, t, a throws(Errno) in
                try t.process.memory.put(a[1], Timespec.record(clock(k, t, a[0]), isLong: true))
            }
        ),
        (264, "clock_getres", does { _, t, a throws(Errno) in try t.process.memory.putIfAny(a[1], Timespec.record(1, isLong: false)) }),
        (
            406, "clock_getres_time64",
            does { _, t, a throws(Errno) in try t.process.memory.putIfAny(a[1], Timespec.record(1, isLong: true)) }
        ),
        (
            350, "timerfd_create",
            gives { k, t, a throws(Errno) in
                _ = try clock(k, t, a[0])
                return try t.process.open(TimerFile(flags: a[1]) { [unowned k] in k.now }, closesOnExec: a[1] & closeOnExec != 0)
            }
        ),
        (353, "timerfd_settime", does { k, t, a throws(Errno) in try setTimerFile(k, t, a, isLong: false) }),
        (411, "timerfd_settime64", does { k, t, a throws(Errno) in try setTimerFile(k, t, a, isLong: true) }),
        (354, "timerfd_gettime", does { _, t, a throws(Errno) in try getTimerFile(t, a, isLong: false) }),
        (410, "timerfd_gettime64", does { _, t, a throws(Errno) in try getTimerFile(t, a, isLong: true) }),
    ]

    private static func clock(_ kernel: Kernel, _ thread: Thread, _ number: UInt32) throws(Errno) -> Int64 {
        switch number {
        case 0, 5, 8, 11: kernel.epoch + kernel.now
        case 1, 4, 6, 7, 9: kernel.now
        case 2, 3: thread.process.usedNanoseconds
        default: throw .EINVAL
        }
    }

    private static func setClock(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        guard a[0] == 0 else { throw .EINVAL }
        try kernel.setClock(to: Timespec.read(thread.process.memory, a[1], isLong: isLong), thread.process)
    }

    /// Seconds and microseconds; a zone is nothing that a kernel keeps.
    @Sendable private static func setTimeOfDay(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] != 0 else { return }
        let fields = try thread.process.memory.fields(a[0], 8)
        guard let seconds = fields.u32(0), let microseconds = fields.u32(4), seconds <= UInt32(Int32.max), microseconds < 1_000_000 else {
            throw .EINVAL
        }
        try kernel.setClock(to: Int64(seconds) * 1_000_000_000 + Int64(microseconds) * 1000, thread.process)
    }

    private static func sleep(
        _ kernel: Kernel, _ thread: Thread, _ address: UInt32, isLong: Bool, until base: Int64?
    ) throws(Errno) -> Answer {
        if kernel.isOver(thread) { return .value(0) }
        let time = try Timespec.read(thread.process.memory, address, isLong: isLong)
        let left = base.map { max(0, time - $0) } ?? time
        return left == 0 && !kernel.isWaiting(thread) ? .value(0) : kernel.wait(thread, left)
    }

    private static func sleepByClock(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) -> Answer {
        let now = try clock(kernel, thread, a[0])
        return try sleep(kernel, thread, a[2], isLong: isLong, until: a[1] & 1 != 0 ? now : nil)
    }

    // MARK: Alarms and timers

    /// Seconds and microseconds.
    private static func timeval(_ nanoseconds: Int64) -> [UInt32] {
        [UInt32(truncatingIfNeeded: nanoseconds / 1_000_000_000), UInt32(nanoseconds / 1000 % 1_000_000)]
    }

    private static func alarm(_ kernel: Kernel, _ thread: Thread) -> [UInt8] {
        let process = thread.process
        let left = process.alarmAt == .max ? 0 : max(0, process.alarmAt - kernel.now)
        return [process.alarmInterval, left].flatMap { timeval($0).littleEndianBytes }
    }

    @Sendable private static func setAlarm(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] == 0 else { throw .EINVAL }
        let old = alarm(kernel, thread)
        if a[1] != 0 {
            let fields = try thread.process.memory.fields(a[1], 16)
            func time(_ offset: Int) -> Int64 { Int64(fields.u32(offset) ?? 0) * 1_000_000_000 + Int64(fields.u32(offset + 4) ?? 0) * 1000 }
            thread.process.alarmInterval = time(0)
            thread.process.alarmAt = time(8) == 0 ? .max : kernel.time(in: time(8))
        }
        try thread.process.memory.putIfAny(a[2], old)
    }

    @Sendable private static func makeTimer(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let process = thread.process
        _ = try clock(kernel, thread, a[0])
        var timer = ProcessTimer(signal: SignalNumber.alarm, value: 0)
        if a[1] != 0 {
            let fields = try process.memory.fields(a[1], 12)
            // SIGEV_NONE 1, SIGEV_SIGNAL 0, SIGEV_THREAD_ID 4.
            timer = ProcessTimer(signal: fields.u32(8) == 1 ? 0 : Int(fields.u32(4) ?? 0), value: fields.u32(0) ?? 0)
            guard timer.signal <= SignalNumber.count else { throw .EINVAL }
        }
        guard process.timers.count < 32 else { throw .EAGAIN }
        var number: Int32 = 0
        while process.timers[number] != nil { number += 1 }
        process.timers[number] = timer
        try process.memory.put(a[2], UInt32(number).littleEndianBytes)
    }

    private static func setTimer(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        let (process, number) = (thread.process, Int32(bitPattern: a[0]))
        guard process.timers[number] != nil else { throw .EINVAL }
        if a[3] != 0 { try getTimer(kernel, thread, [a[0], a[3]], isLong: isLong) }
        let interval = try Timespec.read(process.memory, a[2], isLong: isLong)
        let value = try Timespec.read(process.memory, a[2] &+ (isLong ? 16 : 8), isLong: isLong)
        process.timers[number]?.interval = interval
        process.timers[number]?.expiresAt = value == 0 ? .max : a[1] & 1 != 0 ? value : kernel.time(in: value)
    }

    private static func getTimer(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        guard let timer = thread.process.timers[Int32(bitPattern: a[0])] else { throw .EINVAL }
        let left = timer.expiresAt == .max ? 0 : max(1, timer.expiresAt - kernel.now)
        try thread.process.memory.put(a[1], Timespec.record(timer.interval, isLong: isLong) + Timespec.record(left, isLong: isLong))
    }

    private static func setTimerFile(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        guard let file = try thread.process.file(a[0]) as? TimerFile else { throw .EINVAL }
        let memory = thread.process.memory
        if a[3] != 0 { try getTimerFile(thread, [a[0], a[3]], isLong: isLong) }
        let interval = try Timespec.read(memory, a[2], isLong: isLong)
        let value = try Timespec.read(memory, a[2] &+ (isLong ? 16 : 8), isLong: isLong)
        // TFD_TIMER_ABSTIME by the wall clock is told apart by its size.
        let isWall = a[1] & 1 != 0 && value >= kernel.epoch
        let at = a[1] & 1 == 0 ? kernel.time(in: value) : isWall ? value - kernel.epoch : value
        file.set(expiresAt: value == 0 ? .max : at, interval: interval)
        kernel.changed()
    }

    private static func getTimerFile(_ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        guard let file = try thread.process.file(a[0]) as? TimerFile else { throw .EINVAL }
        let (left, interval) = file.setting
        try thread.process.memory.put(a[1], Timespec.record(interval, isLong: isLong) + Timespec.record(left, isLong: isLong))
    }
}

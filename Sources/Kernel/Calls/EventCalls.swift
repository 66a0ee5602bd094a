import Formats

/// Calls that wait for several files at once.
extension CallTable {
    static let events: Group = [
        (
            142, "_newselect",
            { k, t, a throws(Errno) in
                let time = a[4] == 0 ? nil : try microseconds(t, a[4])
                return try select(k, t, a, time)
            }
        ),
        (168, "poll", { k, t, a throws(Errno) in try poll(k, t, a, milliseconds(a[2])) }),
        (250, "epoll_create", gives { _, t, _ throws(Errno) in try t.process.open(Poller()) }),
        (357, "epoll_create1", gives { _, t, a throws(Errno) in try t.process.open(Poller(), closesOnExec: a[0] & closeOnExec != 0) }),
        (251, "epoll_ctl", does(controlPoller)),
        (252, "epoll_wait", { k, t, a throws(Errno) in try waitForPoller(k, t, a, milliseconds(a[3])) }),
        (
            346, "epoll_pwait",
            { k, t, a throws(Errno) in
                try waitWithMask(k, t, a[4])
                return try waitForPoller(k, t, a, milliseconds(a[3]))
            }
        ),
        (
            441, "epoll_pwait2",
            { k, t, a throws(Errno) in
                let time = a[3] == 0 ? nil : try Timespec.read(t.process.memory, a[3], isLong: true)
                try waitWithMask(k, t, a[4])
                return try waitForPoller(k, t, a, time)
            }
        ),
        (335, "pselect6", { k, t, a throws(Errno) in try selectWithMask(k, t, a, isLong: false) }),
        (413, "pselect6_time64", { k, t, a throws(Errno) in try selectWithMask(k, t, a, isLong: true) }),
        (336, "ppoll", { k, t, a throws(Errno) in try pollWithMask(k, t, a, isLong: false) }),
        (414, "ppoll_time64", { k, t, a throws(Errno) in try pollWithMask(k, t, a, isLong: true) }),
        (351, "eventfd", gives { _, t, a throws(Errno) in try t.process.open(EventCounter(UInt64(a[0]), isSemaphore: false, flags: 0)) }),
        (
            356, "eventfd2",
            gives { _, t, a throws(Errno) in
                try t.process.open(
                    EventCounter(UInt64(a[0]), isSemaphore: a[1] & 1 != 0, flags: a[1]), closesOnExec: a[1] & closeOnExec != 0)
            }
        ),
    ]

    /// Of poll and epoll_wait: nil is for ever.
    private static func milliseconds(_ value: UInt32) -> Int64? {
        let signed = Int32(bitPattern: value)
        return signed < 0 ? nil : Int64(signed) * 1_000_000
    }

    private static func microseconds(_ thread: Thread, _ address: UInt32) throws(Errno) -> Int64 {
        let fields = try thread.process.memory.fields(address, 8)
        return Int64(fields.u32(0) ?? 0) * 1_000_000_000 + Int64(fields.u32(4) ?? 0) * 1000
    }

    private static func poll(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], _ time: Int64?) throws(Errno) -> Answer {
        let (process, count) = (thread.process, Int(a[1]))
        guard count <= Int(process.policy.openFiles) else { throw .EINVAL }
        let fields = try process.memory.fields(a[0], count * 8)
        var found: UInt32 = 0
        for index in 0..<count {
            let descriptor = fields.u32(index * 8) ?? 0
            var ready = Readiness()
            if Int32(bitPattern: descriptor) >= 0 {
                if let file = process.files[Int32(bitPattern: descriptor)]?.file {
                    let wanted = Readiness(rawValue: UInt32(fields.u16(index * 8 + 4) ?? 0))
                    ready = file.readiness.intersection(wanted.union([.error, .hangUp]))
                } else {
                    ready = Readiness(rawValue: 0x20)  // POLLNVAL
                }
            }
            if !ready.isEmpty { found += 1 }
            try process.memory.put(a[0] &+ UInt32(index * 8 + 6), UInt16(truncatingIfNeeded: ready.rawValue).littleEndianBytes)
        }
        if found > 0 || time == 0 || kernel.isOver(thread) { return .value(found) }
        return kernel.wait(thread, time)
    }

    private static func pollWithMask(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) -> Answer {
        let time = a[2] == 0 ? nil : try Timespec.read(thread.process.memory, a[2], isLong: isLong)
        try waitWithMask(kernel, thread, a[3])
        return try poll(kernel, thread, a, time)
    }

    private static func select(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], _ time: Int64?) throws(Errno) -> Answer {
        let (process, count) = (thread.process, Int(a[0]))
        guard count <= 1024 else { throw .EINVAL }
        let bytes = (count + 31) / 32 * 4
        var found: UInt32 = 0
        var results: [(address: UInt32, bits: [UInt8])] = []
        let kinds: [(UInt32, Readiness)] = [(a[1], [.input, .hangUp]), (a[2], [.output, .error]), (a[3], .priority)]
        for (address, wanted) in kinds where address != 0 {
            let set = try process.memory.bytes(address, bytes)
            var bits = [UInt8](repeating: 0, count: bytes)
            for number in 0..<count where set[number / 8] >> UInt8(number % 8) & 1 != 0 {
                guard let file = process.files[Int32(number)]?.file else { throw .EBADF }
                guard !file.readiness.isDisjoint(with: wanted) else { continue }
                bits[number / 8] |= 1 << UInt8(number % 8)
                found += 1
            }
            results.append((address, bits))
        }
        guard found > 0 || time == 0 || kernel.isOver(thread) else { return kernel.wait(thread, time) }
        for (address, bits) in results { try process.memory.put(address, bits) }
        return .value(found)
    }

    private static func selectWithMask(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) -> Answer {
        let time = a[4] == 0 ? nil : try Timespec.read(thread.process.memory, a[4], isLong: isLong)
        if a[5] != 0 { try waitWithMask(kernel, thread, thread.process.memory.word(a[5])) }
        return try select(kernel, thread, a, time)
    }

    // MARK: epoll

    private static func poller(_ thread: Thread, _ descriptor: UInt32) throws(Errno) -> Poller {
        guard let poller = try thread.process.file(descriptor) as? Poller else { throw .EINVAL }
        return poller
    }

    @Sendable private static func controlPoller(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let (poller, file) = (try poller(thread, a[0]), try thread.process.file(a[2]))
        let descriptor = Int32(bitPattern: a[2])
        if file is NodeFile || file is TextFile { throw .EPERM }
        kernel.changed()
        if a[1] == 2 { return try poller.remove(descriptor, file) }
        let fields = try thread.process.memory.fields(a[3], 16)
        let (events, data) = (fields.u32(0) ?? 0, fields.u64(8) ?? 0)
        switch a[1] {
        case 1: try poller.add(.init(file: file, events: events, data: data, descriptor: descriptor))
        case 3: try poller.change(descriptor, file, events: events, data: data)
        default: throw .EINVAL
        }
    }

    private static func waitForPoller(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], _ time: Int64?) throws(Errno) -> Answer {
        let (poller, limit) = (try poller(thread, a[0]), Int32(bitPattern: a[2]))
        guard limit > 0 else { throw .EINVAL }
        let found = poller.take(Int(min(limit, 1024)))
        guard !found.isEmpty || time == 0 || kernel.isOver(thread) else { return kernel.wait(thread, time) }
        var bytes: [UInt8] = []
        for event in found { bytes += event.events.littleEndianBytes + [0, 0, 0, 0] + event.data.littleEndianBytes }
        try thread.process.memory.put(a[1], bytes)
        return .value(UInt32(found.count))
    }
}

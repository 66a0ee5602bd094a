import Formats

/// Calls that tell of files and file systems, and that set their times.
extension CallTable {
    static let statuses: Group = [
        (106, "stat", does { k, t, a throws(Errno) in try shortStatus(t, find(k, t, here, a[0]).node, a[1]) }),
        (107, "lstat", does { k, t, a throws(Errno) in try shortStatus(t, find(k, t, here, a[0], followsLast: false).node, a[1]) }),
        (
            108, "fstat",
            does { _, t, a throws(Errno) in
                let file = try t.process.file(a[0])
                try t.process.memory.put(a[1], shortRecord(file.node, mode: file.mode))
            }
        ),
        (195, "stat64", does { k, t, a throws(Errno) in try status(t, find(k, t, here, a[0]).node, a[1]) }),
        (196, "lstat64", does { k, t, a throws(Errno) in try status(t, find(k, t, here, a[0], followsLast: false).node, a[1]) }),
        (197, "fstat64", does { _, t, a throws(Errno) in try status(t, t.process.file(a[0]), a[1]) }),
        (
            327, "fstatat64",
            does { k, t, a throws(Errno) in
                if a[3] & emptyPath != 0, try t.process.memory.text(a[1]).isEmpty { return try status(t, t.process.file(a[0]), a[2]) }
                try status(t, find(k, t, a[0], a[1], followsLast: a[3] & noFollow == 0).node, a[2])
            }
        ),
        (397, "statx", does(extendedStatus)),
        (
            99, "statfs",
            does { k, t, a throws(Errno) in
                _ = try find(k, t, here, a[0])
                try t.process.memory.put(a[1], shortFileSystemRecord)
            }
        ),
        (
            100, "fstatfs",
            does { _, t, a throws(Errno) in
                _ = try t.process.file(a[0])
                try t.process.memory.put(a[1], shortFileSystemRecord)
            }
        ),
        (266, "statfs64", does(fileSystemStatus)), (267, "fstatfs64", does(fileSystemStatus)),
        (92, "truncate", does { k, t, a throws(Errno) in try truncate(k, t, a[0], UInt64(a[1])) }),
        (193, "truncate64", does { k, t, a throws(Errno) in try truncate(k, t, a[0], UInt64(a[2]) | UInt64(a[3]) << 32) }),
        (348, "utimensat", does { k, t, a throws(Errno) in try setTimes(k, t, a, isLong: false) }),
        (412, "utimensat_time64", does { k, t, a throws(Errno) in try setTimes(k, t, a, isLong: true) }),
        (269, "utimes", does { k, t, a throws(Errno) in try setMicroseconds(k, t, here, a[0], a[1]) }),
        (326, "futimesat", does { k, t, a throws(Errno) in try setMicroseconds(k, t, a[0], a[1], a[2]) }),
    ]

    private static func status(_ thread: Thread, _ node: Node, _ address: UInt32) throws(Errno) {
        try thread.process.memory.put(address, record(node, mode: node.kind | node.mode))
    }

    private static func status(_ thread: Thread, _ file: OpenFile, _ address: UInt32) throws(Errno) {
        try thread.process.memory.put(address, record(file.node, mode: file.mode))
    }

    /// struct stat64 of ARM.
    private static func record(_ node: Node?, mode: UInt32) -> [UInt8] {
        let (number, size) = (node?.number ?? 1, Int64(node?.size ?? 0))
        let (owner, group) = (node?.owner ?? 0, node?.group ?? 0)
        let time = Timespec.record(node?.changedAt ?? 0, isLong: false)
        var bytes = UInt64(1).littleEndianBytes + [0, 0, 0, 0] + UInt32(truncatingIfNeeded: number).littleEndianBytes
        bytes += [mode, node?.links ?? 1, owner, group, 0, 0, 0, 0].littleEndianBytes
        bytes += size.littleEndianBytes + ([4096, 0] as [UInt32]).littleEndianBytes + ((size + 511) / 512).littleEndianBytes
        return bytes + time + time + time + number.littleEndianBytes
    }

    /// struct statx.
    @Sendable private static func extendedStatus(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let path = try thread.process.memory.text(a[1])
        let node: Node?
        let mode: UInt32
        if path.isEmpty, a[2] & emptyPath != 0 {
            let file = try thread.process.file(a[0])
            (node, mode) = (file.node, file.mode)
        } else {
            let found = try find(kernel, thread, a[0], a[1], followsLast: a[2] & noFollow == 0).node
            (node, mode) = (found, found.kind | found.mode)
        }
        let size = UInt64(node?.size ?? 0)
        let time = Timespec.record(node?.changedAt ?? 0, isLong: true)
        var bytes = ([0x7FF, 4096, 0, 0, node?.links ?? 1, node?.owner ?? 0, node?.group ?? 0, mode] as [UInt32]).littleEndianBytes
        bytes += (node?.number ?? 1).littleEndianBytes + size.littleEndianBytes + ((size + 511) / 512).littleEndianBytes
        bytes += UInt64(0).littleEndianBytes + time + time + time + time + ([0, 0, 0, 1] as [UInt32]).littleEndianBytes
        try thread.process.memory.put(a[4], bytes + [UInt8](repeating: 0, count: 256 - bytes.count))
    }

    /// struct stat of ARM.
    private static func shortRecord(_ node: Node?, mode: UInt32) -> [UInt8] {
        let (size, time) = (UInt32(truncatingIfNeeded: node?.size ?? 0), Timespec.record(node?.changedAt ?? 0, isLong: false))
        var bytes = [1, UInt32(truncatingIfNeeded: node?.number ?? 1)].littleEndianBytes
        for half in [mode, node?.links ?? 1, node?.owner ?? 0, node?.group ?? 0] {
            bytes += UInt16(truncatingIfNeeded: half).littleEndianBytes
        }
        bytes += ([0, size, 4096, (size + 511) / 512] as [UInt32]).littleEndianBytes
        return bytes + time + time + time + [UInt8](repeating: 0, count: 8)
    }

    private static func shortStatus(_ thread: Thread, _ node: Node, _ address: UInt32) throws(Errno) {
        try thread.process.memory.put(address, shortRecord(node, mode: node.kind | node.mode))
    }

    /// struct statfs, likewise.
    private static let shortFileSystemRecord: [UInt8] =
        ([0x0102_1994, 4096, 4096, 4096, 4096, 1024, 1024, 0, 0, 255, 4096, 0, 0, 0, 0, 0] as [UInt32]).littleEndianBytes

    /// struct statfs64: 16 MiB, all of it free.
    @Sendable private static func fileSystemStatus(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        var bytes = ([0x0102_1994, 4096] as [UInt32]).littleEndianBytes
        for value in [4096, 4096, 4096, 1024, 1024] as [UInt64] { bytes += value.littleEndianBytes }
        bytes += ([0, 0, 255, 4096, 0] as [UInt32]).littleEndianBytes
        try thread.process.memory.put(a[2], bytes + [UInt8](repeating: 0, count: 88 - bytes.count))
    }

    private static func truncate(_ kernel: Kernel, _ thread: Thread, _ path: UInt32, _ count: UInt64) throws(Errno) {
        let found = try find(kernel, thread, here, path)
        guard found.node.entries == nil else { throw .EISDIR }
        try mayWrite(thread.process, found.node)
        try resize(kernel, NodeFile(found.node, path: found.path, flags: OpenFile.writeOnly, kernel.tree), count)
    }

    // MARK: Times

    private static func setTime(_ kernel: Kernel, _ thread: Thread, _ node: Node?, _ nanoseconds: Int64?) throws(Errno) {
        guard let node else { throw .EBADF }
        guard !node.isReadOnly else { throw .EROFS }
        guard node.owner == thread.process.user || thread.process.user == 0 else { throw nanoseconds == nil ? .EACCES : .EPERM }
        node.changedAt = nanoseconds ?? kernel.tree.now()
    }

    /// Of the two times, that of the last change is kept.
    private static func setTimes(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], isLong: Bool) throws(Errno) {
        let node =
            a[1] == 0
            ? try thread.process.file(a[0]).node : try find(kernel, thread, a[0], a[1], followsLast: a[3] & noFollow == 0).node
        guard a[2] != 0 else { return try setTime(kernel, thread, node, nil) }
        let place = a[2] &+ (isLong ? 16 : 8)
        let part = try thread.process.memory.word(place &+ (isLong ? 8 : 4))
        // UTIME_NOW and UTIME_OMIT.
        if part == 0x3FFF_FFFF { return try setTime(kernel, thread, node, nil) }
        if part == 0x3FFF_FFFE { return }
        try setTime(kernel, thread, node, Timespec.read(thread.process.memory, place, isLong: isLong))
    }

    private static func setMicroseconds(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ path: UInt32, _ times: UInt32
    ) throws(Errno) {
        let node = try find(kernel, thread, directory, path).node
        guard times != 0 else { return try setTime(kernel, thread, node, nil) }
        let fields = try thread.process.memory.fields(times &+ 8, 8)
        guard let seconds = fields.u32(0), let microseconds = fields.u32(4), microseconds < 1_000_000 else { throw .EINVAL }
        try setTime(kernel, thread, node, Int64(seconds) * 1_000_000_000 + Int64(microseconds) * 1000)
    }
}

import Formats

/// Calls on open files.
extension CallTable {
    static let files: Group = [
        (3, "read", read), (4, "write", write),
        (
            6, "close",
            does { kernel, thread, a throws(Errno) in
                let node = try thread.process.file(a[0]).node
                try thread.process.close(Int32(bitPattern: a[0]))
                kernel.changed()
                if kernel.mustKeep(node) { kernel.sync() }
            }
        ),
        (19, "lseek", gives(seek)), (41, "dup", gives { _, thread, a throws(Errno) in try thread.process.open(thread.process.file(a[0])) }),
        (42, "pipe", does { kernel, thread, a throws(Errno) in try makePipe(kernel, thread, a[0], flags: 0) }),
        (54, "ioctl", gives(control)), (55, "fcntl", gives(fileControl)),
        (
            63, "dup2",
            gives { kernel, thread, a throws(Errno) in
                if a[0] == a[1] {
                    _ = try thread.process.file(a[0])
                    return a[1]
                }
                kernel.changed()
                return try duplicate(thread, a[0], a[1], closesOnExec: false)
            }
        ),
        (36, "sync", does { kernel, _, _ in kernel.sync() }), (118, "fsync", does(sync)), (140, "_llseek", does(seekLong)),
        (143, "flock", constant(0)), (145, "readv", readVector), (146, "writev", writeVector),
        (148, "fdatasync", does(sync)), (180, "pread64", gives(readAt)), (181, "pwrite64", gives(writeAt)),
        (361, "preadv", gives(readVectorAt)), (362, "pwritev", gives(writeVectorAt)), (373, "syncfs", does(sync)),
        (270, "arm_fadvise64_64", constant(0)), (225, "readahead", constant(0)), (352, "fallocate", does(allocate)),
        (436, "close_range", does(closeRange)), (385, "memfd_create", gives(makeMemoryFile)),
        (221, "fcntl64", gives(fileControl)), (239, "sendfile64", sendFile),
        (
            358, "dup3",
            gives { _, thread, a throws(Errno) in
                guard a[0] != a[1] else { throw .EINVAL }
                return try duplicate(thread, a[0], a[1], closesOnExec: a[2] & closeOnExec != 0)
            }
        ),
        (359, "pipe2", does { kernel, thread, a throws(Errno) in try makePipe(kernel, thread, a[0], flags: a[1]) }),
    ]

    static let closeOnExec: UInt32 = 0o2000000

    private static func sync(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        _ = try thread.process.file(a[0])
        kernel.sync()
    }

    private static func duplicate(_ thread: Thread, _ from: UInt32, _ to: UInt32, closesOnExec: Bool) throws(Errno) -> UInt32 {
        let process = thread.process
        let file = try process.file(from)
        guard to < UInt32(process.policy.openFiles) else { throw .EBADF }
        file.retain()
        try? process.close(Int32(to))
        process.files[Int32(to)] = .init(file: file, closesOnExec: closesOnExec)
        return to
    }

    private static func makePipe(_ kernel: Kernel, _ thread: Thread, _ address: UInt32, flags: UInt32) throws(Errno) {
        let pipe = Pipe()
        let isClosed = flags & closeOnExec != 0
        let reader = try thread.process.open(PipeEnd(pipe, isReader: true, flags: flags), closesOnExec: isClosed)
        let writer: UInt32
        do throws(Errno) { writer = try thread.process.open(PipeEnd(pipe, isReader: false, flags: flags), closesOnExec: isClosed) } catch {
            try? thread.process.close(Int32(reader))
            throw error
        }
        try thread.process.memory.put(address, [reader, writer].littleEndianBytes)
    }

    // MARK: Reading and writing

    private static let longest = 1 << 20

    private static func readable(_ thread: Thread, _ descriptor: UInt32) throws(Errno) -> OpenFile {
        let file = try thread.process.file(descriptor)
        guard file.canRead else { throw .EBADF }
        return file
    }

    private static func writable(_ thread: Thread, _ descriptor: UInt32) throws(Errno) -> OpenFile {
        let file = try thread.process.file(descriptor)
        guard file.canWrite else { throw .EBADF }
        return file
    }

    private static let read: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let file = try readable(thread, a[0])
        guard let bytes = try file.read(Int(min(a[2], UInt32(longest)))) else {
            if file.isNonBlocking { throw .EAGAIN }
            return kernel.wait(thread)
        }
        try thread.process.memory.put(a[1], bytes)
        kernel.changed()
        return .value(UInt32(bytes.count))
    }

    private static let readVector: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let file = try readable(thread, a[0])
        let vectors = try thread.process.memory.vectors(a[1], a[2])
        let wanted = vectors.reduce(0) { $0 + $1.count }
        guard let bytes = try file.read(min(wanted, longest)) else {
            if file.isNonBlocking { throw .EAGAIN }
            return kernel.wait(thread)
        }
        var done = 0
        for vector in vectors where done < bytes.count {
            let part = Array(bytes[done..<min(bytes.count, done + vector.count)])
            try thread.process.memory.put(vector.address, part)
            done += part.count
        }
        kernel.changed()
        return .value(UInt32(bytes.count))
    }

    private static func put(_ kernel: Kernel, _ thread: Thread, _ file: OpenFile, _ bytes: [UInt8]) throws(Errno) -> Answer {
        try put(kernel, thread, file, bytes, mayWait: !file.isNonBlocking) { bytes throws(Errno) in try file.write(bytes) }
    }

    /// Writes as Linux does to streams and pipes: whoever may wait goes on until all is taken, and hears first of what was.
    ///
    /// - Parameter write: How many were taken; nil if there is no room now.
    static func put(
        _ kernel: Kernel, _ thread: Thread, _ file: OpenFile, _ bytes: [UInt8], mayWait: Bool, signals: Bool = true,
        _ write: ([UInt8]) throws(Errno) -> Int?
    ) throws(Errno) -> Answer {
        let done = kernel.isWaiting(thread) ? thread.written : 0
        thread.written = 0
        let count: Int?
        do throws(Errno) { count = try write(done == 0 ? bytes : Array(bytes.dropFirst(done))) } catch {
            if done > 0 {
                (file as? Socket)?.pendingError = error
                return .value(UInt32(done))
            }
            if error == .EPIPE, signals { kernel.send(SignalInformation(number: SignalNumber.pipe), to: thread) }
            throw error
        }
        if count ?? 0 > 0 || bytes.isEmpty { kernel.changed() }
        let total = done + (count ?? 0)
        if total >= bytes.count && count != nil || total > 0 && !(mayWait && file.takesAll) { return .value(UInt32(total)) }
        guard mayWait else { throw .EAGAIN }
        thread.written = total
        return kernel.wait(thread)
    }

    private static let write: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let file = try writable(thread, a[0])
        return try put(kernel, thread, file, thread.process.memory.bytes(a[1], Int(min(a[2], UInt32(longest)))))
    }

    private static let writeVector: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let file = try writable(thread, a[0])
        var bytes: [UInt8] = []
        for vector in try thread.process.memory.vectors(a[1], a[2]) where bytes.count < longest {
            bytes += try thread.process.memory.bytes(vector.address, min(vector.count, longest - bytes.count))
        }
        return try put(kernel, thread, file, bytes)
    }

    private static func offset(_ low: UInt32, _ high: UInt32) throws(Errno) -> Int {
        guard high == 0, low < 1 << 31 else { throw .EINVAL }
        return Int(low)
    }

    @Sendable private static func readAt(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let bytes = try readable(thread, a[0]).read(Int(min(a[2], UInt32(longest))), at: offset(a[4], a[5]))
        try thread.process.memory.put(a[1], bytes)
        return UInt32(bytes.count)
    }

    @Sendable private static func writeAt(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let bytes = try thread.process.memory.bytes(a[1], Int(min(a[2], UInt32(longest))))
        return UInt32(try writable(thread, a[0]).write(bytes, at: offset(a[4], a[5])))
    }

    /// The offset comes in two words of 32 bits, from low to high.
    @Sendable private static func readVectorAt(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let vectors = try thread.process.memory.vectors(a[1], a[2])
        let wanted = min(longest, vectors.reduce(0) { $0 + $1.count })
        var left = try readable(thread, a[0]).read(wanted, at: offset(a[3], a[4]))[...]
        let count = left.count
        for vector in vectors where !left.isEmpty {
            try thread.process.memory.put(vector.address, Array(left.prefix(vector.count)))
            left = left.dropFirst(vector.count)
        }
        return UInt32(count)
    }

    @Sendable private static func writeVectorAt(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        var bytes: [UInt8] = []
        for vector in try thread.process.memory.vectors(a[1], a[2]) where bytes.count < longest {
            bytes += try thread.process.memory.bytes(vector.address, min(vector.count, longest - bytes.count))
        }
        return UInt32(try writable(thread, a[0]).write(bytes, at: offset(a[3], a[4])))
    }

    /// Makes a file as long as it says, without holes.
    @Sendable private static func allocate(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let file = try writable(thread, a[0])
        guard a[1] & ~1 == 0 else { throw .EOPNOTSUPP }
        let end = try offset(a[2], a[3]) + offset(a[4], a[5])
        guard let node = file.node, node.isFile else { throw .ENODEV }
        if a[1] & 1 == 0, end > node.size { try resize(kernel, file, UInt64(end)) }
    }

    /// CLOSE_RANGE_CLOEXEC 4 closes them when another program begins.
    @Sendable private static func closeRange(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] <= a[1], a[2] & ~6 == 0 else { throw .EINVAL }
        for number in thread.process.files.keys.sorted() where (a[0]...a[1]).contains(UInt32(bitPattern: number)) {
            if a[2] & 4 != 0 { thread.process.files[number]?.closesOnExec = true } else { try thread.process.close(number) }
        }
        kernel.changed()
    }

    /// A file without a name, as long as somebody has it open.
    @Sendable private static func makeMemoryFile(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let name = try thread.process.memory.text(a[0])
        guard a[1] & ~3 == 0 else { throw .EINVAL }
        let node = kernel.tree.make(.file([]), mode: 0o777)
        (node.owner, node.group, node.links) = (thread.process.user, thread.process.groupOfUser, 0)
        return try thread.process.open(
            NodeFile(node, path: "/memfd:" + name, flags: OpenFile.readWrite, kernel.tree), closesOnExec: a[1] & 1 != 0)
    }

    private static let sendFile: CallEntry.Body = { kernel, thread, a throws(Errno) in
        guard a[2] == 0 else { throw .EINVAL }
        let (to, from) = (try writable(thread, a[0]), try readable(thread, a[1]))
        guard from.node?.bytes != nil else { throw .EINVAL }
        guard to.readiness.contains(.output) else {
            return to.isNonBlocking ? .value(UInt32(bitPattern: -Errno.EAGAIN.rawValue)) : kernel.wait(thread)
        }
        let bytes = try from.read(Int(min(a[3], 4096))) ?? []
        guard !bytes.isEmpty else { return .value(0) }
        return try put(kernel, thread, to, bytes)
    }

    // MARK: Position

    @Sendable private static func seek(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let place = try thread.process.file(a[0]).seek(Int64(Int32(bitPattern: a[1])), a[2])
        guard (0..<1 << 31).contains(place) else { throw .EINVAL }
        return UInt32(place)
    }

    @Sendable private static func seekLong(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let distance = Int64(bitPattern: UInt64(a[1]) << 32 | UInt64(a[2]))
        let place = try thread.process.file(a[0]).seek(distance, a[4])
        try thread.process.memory.put(a[3], place.littleEndianBytes)
    }

    // MARK: Settings

    @Sendable private static func control(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let file = try thread.process.file(a[0])
        switch a[1] {
        case 0x5421:  // FIONBIO
            let isOn = try thread.process.memory.word(a[2]) != 0
            file.flags = isOn ? file.flags | OpenFile.isNonBlocking : file.flags & ~OpenFile.isNonBlocking
            return 0
        case 0x541B:  // FIONREAD
            guard let count = file.waitingBytes else { throw .ENOTTY }
            try thread.process.memory.put(a[2], UInt32(truncatingIfNeeded: count).littleEndianBytes)
            return 0
        case 0x5451, 0x5450:  // FIOCLEX, FIONCLEX
            thread.process.files[Int32(bitPattern: a[0])]?.closesOnExec = a[1] == 0x5451
            return 0
        case Kernel.interfaceRequests where file is Socket: return try kernel.interfaceControl(a[1], a[2], thread.process.memory)
        default: return try file.control(a[1], a[2], thread.process)
        }
    }

    @Sendable private static func fileControl(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        let file = try process.file(a[0])
        let number = Int32(bitPattern: a[0])
        switch a[1] {
        case 0, 1030:  // F_DUPFD, F_DUPFD_CLOEXEC
            guard a[2] < UInt32(process.policy.openFiles) else { throw .EINVAL }
            return try process.open(file, from: Int32(a[2]), closesOnExec: a[1] == 1030)
        case 1: return process.files[number]?.closesOnExec == true ? 1 : 0
        case 2:
            process.files[number]?.closesOnExec = a[2] & 1 != 0
            return 0
        case 3: return file.flags
        case 4:
            let changeable = OpenFile.isNonBlocking | OpenFile.appends
            file.flags = file.flags & ~changeable | a[2] & changeable
            return 0
        // Locks: programs of one device do not fight over files. F_GETLK finds that it is free: F_UNLCK.
        case 5, 12, 36:
            try process.memory.put(a[2], [2, 0])
            return 0
        case 6, 7, 13, 14, 37, 38: return 0
        case 8, 9, 10: return 0
        default: throw .EINVAL
        }
    }
}

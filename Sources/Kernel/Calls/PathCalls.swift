import Formats

/// Calls on paths.
extension CallTable {
    static let paths: Group = [
        (5, "open", gives { k, t, a throws(Errno) in try open(k, t, here, a[0], a[1], a[2]) }),
        (8, "creat", gives { k, t, a throws(Errno) in try open(k, t, here, a[0], 0o1101, a[1]) }),
        (9, "link", does { k, t, a throws(Errno) in try link(k, t, here, a[0], here, a[1], flags: 0) }),
        (330, "linkat", does { k, t, a throws(Errno) in try link(k, t, a[0], a[1], a[2], a[3], flags: a[4]) }),
        (10, "unlink", does { k, t, a throws(Errno) in try unlink(k, t, here, a[0], isDirectory: false) }),
        (
            61, "chroot",
            does { k, t, a throws(Errno) in
                guard try find(k, t, here, a[0]).node.entries != nil else { throw .ENOTDIR }
                throw .EPERM  // CAP_SYS_CHROOT
            }
        ),
        (207, "fchown32", does { _, t, a throws(Errno) in try changeOwner(t.process.file(a[0]).node, t, a[1], a[2]) }),
        (212, "chown32", does { k, t, a throws(Errno) in try changeOwner(find(k, t, here, a[0]).node, t, a[1], a[2]) }),
        (
            198, "lchown32",
            does { k, t, a throws(Errno) in try changeOwner(find(k, t, here, a[0], followsLast: false).node, t, a[1], a[2]) }
        ),
        (
            325, "fchownat",
            does { k, t, a throws(Errno) in
                if a[4] & emptyPath != 0, try t.process.memory.text(a[1]).isEmpty {
                    return try changeOwner(t.process.file(a[0]).node, t, a[2], a[3])
                }
                try changeOwner(find(k, t, a[0], a[1], followsLast: a[4] & noFollow == 0).node, t, a[2], a[3])
            }
        ),
        (12, "chdir", does { k, t, a throws(Errno) in try changeDirectory(t, find(k, t, here, a[0])) }),
        (15, "chmod", does { k, t, a throws(Errno) in try changeMode(k, t, here, a[0], a[1]) }),
        (33, "access", does { k, t, a throws(Errno) in try access(k, t, here, a[0], a[1]) }),
        (38, "rename", does { k, t, a throws(Errno) in try rename(k, t, here, a[0], here, a[1]) }),
        (39, "mkdir", does { k, t, a throws(Errno) in try makeDirectory(k, t, here, a[0], a[1]) }),
        (40, "rmdir", does { k, t, a throws(Errno) in try unlink(k, t, here, a[0], isDirectory: true) }),
        (
            60, "umask",
            gives { _, t, a throws(Errno) in
                defer { t.process.creationMask = a[0] & 0o777 }
                return t.process.creationMask
            }
        ),
        (83, "symlink", does { k, t, a throws(Errno) in try makeLink(k, t, a[0], here, a[1]) }),
        (85, "readlink", gives { k, t, a throws(Errno) in try readLink(k, t, here, a[0], a[1], a[2]) }),
        (93, "ftruncate", does { k, t, a throws(Errno) in try resize(k, t.process.file(a[0]), UInt64(a[1])) }),
        (94, "fchmod", does { k, t, a throws(Errno) in try changeMode(t.process.file(a[0]).node, t, a[1]) }),
        (
            133, "fchdir",
            does { _, t, a throws(Errno) in
                guard let file = try t.process.file(a[0]) as? NodeFile, let node = file.node, node.entries != nil else { throw .ENOTDIR }
                (t.process.directory, t.process.directoryPath) = (node, file.path)
            }
        ),
        (141, "getdents", constant(UInt32(bitPattern: -Errno.ENOSYS.rawValue))),
        (
            183, "getcwd",
            gives { _, t, a throws(Errno) in
                let path = Array(t.process.directoryPath.utf8) + [0]
                guard path.count <= Int(a[1]) else { throw .ERANGE }
                try t.process.memory.put(a[0], path)
                return UInt32(path.count)
            }
        ),
        (194, "ftruncate64", does { k, t, a throws(Errno) in try resize(k, t.process.file(a[0]), UInt64(a[2]) | UInt64(a[3]) << 32) }),

        (217, "getdents64", gives(readDirectory)),
        (322, "openat", gives { k, t, a throws(Errno) in try open(k, t, a[0], a[1], a[2], a[3]) }),
        (323, "mkdirat", does { k, t, a throws(Errno) in try makeDirectory(k, t, a[0], a[1], a[2]) }),

        (328, "unlinkat", does { k, t, a throws(Errno) in try unlink(k, t, a[0], a[1], isDirectory: a[2] & 0x200 != 0) }),
        (329, "renameat", does { k, t, a throws(Errno) in try rename(k, t, a[0], a[1], a[2], a[3]) }),
        (331, "symlinkat", does { k, t, a throws(Errno) in try makeLink(k, t, a[0], a[1], a[2]) }),
        (332, "readlinkat", gives { k, t, a throws(Errno) in try readLink(k, t, a[0], a[1], a[2], a[3]) }),
        (333, "fchmodat", does { k, t, a throws(Errno) in try changeMode(k, t, a[0], a[1], a[2]) }),
        (334, "faccessat", does { k, t, a throws(Errno) in try access(k, t, a[0], a[1], a[2]) }),
        (
            382, "renameat2",
            does { k, t, a throws(Errno) in
                guard a[4] == 0 else { throw .EINVAL }
                try rename(k, t, a[0], a[1], a[2], a[3])
            }
        ),
        (439, "faccessat2", does { k, t, a throws(Errno) in try access(k, t, a[0], a[1], a[2]) }),
    ]

    static let here = UInt32(bitPattern: -100)
    static let emptyPath: UInt32 = 0x1000
    static let noFollow: UInt32 = 0x100

    /// Where a path begins.
    private static func start(_ thread: Thread, _ directory: UInt32, _ path: String) throws(Errno) -> (node: Node, path: String) {
        if directory == here || path.hasPrefix("/") { return (thread.process.directory, thread.process.directoryPath) }
        guard let file = try thread.process.file(directory) as? NodeFile, let node = file.node, node.entries != nil else { throw .ENOTDIR }
        return (node, file.path)
    }

    static func place(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, followsLast: Bool = true
    ) throws(Errno) -> FileTree.Place {
        let path = try thread.process.memory.text(address)
        return try kernel.tree.find(path, from: start(thread, directory, path), for: thread.process, followsLast: followsLast)
    }

    struct Found {
        var node: Node
        var path: String
    }

    static func find(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, followsLast: Bool = true
    ) throws(Errno) -> Found {
        let place = try place(kernel, thread, directory, address, followsLast: followsLast)
        guard let node = place.node else { throw .ENOENT }
        return Found(node: node, path: place.path)
    }

    // MARK: Opening

    private static func open(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, _ flags: UInt32, _ mode: UInt32
    ) throws(Errno) -> UInt32 {
        let process = thread.process
        let (creates, isExclusive, truncates) = (flags & 0o100 != 0, flags & 0o200 != 0, flags & 0o1000 != 0)
        let wantsDirectory = flags & 0o40000 != 0
        var place = try place(kernel, thread, directory, address, followsLast: flags & 0o100000 == 0 && !(creates && isExclusive))
        if creates, isExclusive, place.node != nil { throw .EEXIST }
        if place.node == nil {
            guard creates else { throw .ENOENT }
            let node = kernel.tree.make(.file([]), mode: mode & 0o7777 & ~process.creationMask)
            (node.owner, node.group) = (process.user, process.groupOfUser)
            node.limitBytes = place.parent.limitBytes
            try mayWrite(process, place.parent)
            try kernel.tree.add(node, place)
            place.node = node
        }
        guard let node = place.node else { throw .ENOENT }
        if node.target != nil { throw .ELOOP }
        if wantsDirectory, node.entries == nil { throw .ENOTDIR }
        let writes = flags & OpenFile.accessMode != 0
        if node.entries != nil, writes { throw .EISDIR }
        if writes || truncates { try mayWrite(process, node) }
        if flags & OpenFile.accessMode != OpenFile.writeOnly { try mayRead(process, node) }
        let file: OpenFile
        switch node.content {
        case .device(let open): file = try open(process)
        case .generated(let make): file = TextFile(make(process), node)
        case .socket, .pipe: throw .ENXIO
        // The machine's file is gone, or not for whoever runs this.
        case .unread: throw .EIO
        default:
            if truncates { node.resize(to: 0) }
            file = NodeFile(
                node, path: place.path, flags: flags & (OpenFile.accessMode | OpenFile.appends | OpenFile.isNonBlocking), kernel.tree)
        }
        file.flags |= flags & OpenFile.isNonBlocking
        return try process.open(file, closesOnExec: flags & closeOnExec != 0)
    }

    private static func permits(_ process: Process, _ node: Node, _ bit: UInt32) -> Bool {
        if process.user == 0 { return true }
        let shift: UInt32 = node.owner == process.user ? 6 : node.group == process.groupOfUser ? 3 : 0
        return node.mode >> shift & bit != 0
    }
    private static func mayRead(_ process: Process, _ node: Node) throws(Errno) { if !permits(process, node, 4) { throw .EACCES } }
    static func mayWrite(_ process: Process, _ node: Node) throws(Errno) {
        if node.isReadOnly { throw .EROFS }
        if !permits(process, node, 2) { throw .EACCES }
    }

    private static func access(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, _ wanted: UInt32
    ) throws(Errno) {
        let node = try find(kernel, thread, directory, address).node
        if wanted & 2 != 0 { try mayWrite(thread.process, node) }
        if wanted & 4 != 0 { try mayRead(thread.process, node) }
        if wanted & 1 != 0, node.mode & 0o111 == 0 { throw .EACCES }
    }

    // MARK: Changing the tree

    private static func unlink(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, isDirectory: Bool
    ) throws(Errno) {
        let place = try place(kernel, thread, directory, address, followsLast: false)
        // The root of a file system stays, whoever asks.
        if let node = place.node, place.name.isEmpty { throw isDirectory || node.entries == nil ? .EBUSY : .EISDIR }
        if place.node != nil { try mayWrite(thread.process, place.parent) }
        let mustKeep = kernel.mustKeep(place.node)
        try kernel.tree.remove(place, isDirectory: isDirectory)
        if mustKeep { kernel.sync() }
    }

    private static func rename(
        _ kernel: Kernel, _ thread: Thread, _ fromDirectory: UInt32, _ from: UInt32, _ toDirectory: UInt32, _ to: UInt32
    ) throws(Errno) {
        let (old, new) = (
            try place(kernel, thread, fromDirectory, from, followsLast: false),
            try place(kernel, thread, toDirectory, to, followsLast: false)
        )
        try mayWrite(thread.process, old.parent)
        try mayWrite(thread.process, new.parent)
        if new.path.hasPrefix(old.path + "/") { throw .EINVAL }
        guard fileSystem(old.path) == fileSystem(new.path) else { throw .EXDEV }
        try kernel.tree.rename(old, new)
        // It may have become the mutable file, or ceased to be.
        kernel.sync()
    }

    /// What is mounted where a path leads, by its folder.
    private static func fileSystem(_ path: String) -> String {
        ["/proc/", "/dev/", "/run/"].first(where: (path + "/").hasPrefix) ?? "/"
    }

    /// One's own file may be given to oneself, which is all that can be done without CAP_CHOWN; -1 leaves it as it is.
    private static func changeOwner(_ node: Node?, _ thread: Thread, _ user: UInt32, _ group: UInt32) throws(Errno) {
        guard let node else { throw .EPERM }
        guard !node.isReadOnly else { throw .EROFS }
        let process = thread.process
        guard process.user != 0 else {
            if user != .max { node.owner = user }
            if group != .max { node.group = group }
            return
        }
        guard node.owner == process.user, [.max, process.user].contains(user), [.max, process.groupOfUser].contains(group) else {
            throw .EPERM
        }
    }

    /// Only one's own files get other names (protected_hardlinks, OS-12).
    private static func link(
        _ kernel: Kernel, _ thread: Thread, _ fromDirectory: UInt32, _ from: UInt32, _ toDirectory: UInt32, _ to: UInt32, flags: UInt32
    ) throws(Errno) {
        guard flags & ~(0x400 | emptyPath) == 0 else { throw .EINVAL }
        let node: Node
        var path = "/"
        if flags & emptyPath != 0, try thread.process.memory.text(from).isEmpty {
            guard let own = try thread.process.file(fromDirectory).node else { throw .EXDEV }
            node = own
        } else {
            let found = try find(kernel, thread, fromDirectory, from, followsLast: flags & 0x400 != 0)
            (node, path) = (found.node, found.path)
        }
        let new = try place(kernel, thread, toDirectory, to, followsLast: false)
        guard new.node == nil else { throw .EEXIST }
        guard fileSystem(path) == fileSystem(new.path) else { throw .EXDEV }
        guard node.owner == thread.process.user || thread.process.user == 0 else { throw .EPERM }
        try mayWrite(thread.process, new.parent)
        try kernel.tree.link(node, new)
    }

    private static func makeDirectory(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, _ mode: UInt32
    ) throws(Errno) {
        let place = try place(kernel, thread, directory, address)
        if place.node != nil { throw .EEXIST }
        try mayWrite(thread.process, place.parent)
        let node = kernel.tree.make(.directory([:]), mode: mode & 0o7777 & ~thread.process.creationMask)
        (node.owner, node.group) = (thread.process.user, thread.process.groupOfUser)
        try kernel.tree.add(node, place)
    }

    private static func makeLink(
        _ kernel: Kernel, _ thread: Thread, _ target: UInt32, _ directory: UInt32, _ address: UInt32
    ) throws(Errno) {
        let text = try thread.process.memory.text(target)
        let place = try place(kernel, thread, directory, address, followsLast: false)
        if place.node != nil { throw .EEXIST }
        try mayWrite(thread.process, place.parent)
        try kernel.tree.add(kernel.tree.make(.link(text), mode: 0o777), place)
    }

    private static func readLink(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, _ buffer: UInt32, _ count: UInt32
    ) throws(Errno) -> UInt32 {
        let node = try find(kernel, thread, directory, address, followsLast: false).node
        guard let target = kernel.tree.readLink(node, thread.process) else { throw .EINVAL }
        let bytes = Array(target.utf8.prefix(Int(min(count, 4096))))
        try thread.process.memory.put(buffer, bytes)
        return UInt32(bytes.count)
    }

    private static func changeDirectory(_ thread: Thread, _ found: Found) throws(Errno) {
        guard found.node.entries != nil else { throw .ENOTDIR }
        (thread.process.directory, thread.process.directoryPath) = (found.node, found.path)
    }

    private static func changeMode(
        _ kernel: Kernel, _ thread: Thread, _ directory: UInt32, _ address: UInt32, _ mode: UInt32
    ) throws(Errno) { try changeMode(find(kernel, thread, directory, address).node, thread, mode) }

    private static func changeMode(_ node: Node?, _ thread: Thread, _ mode: UInt32) throws(Errno) {
        guard let node else { throw .EINVAL }
        guard !node.isReadOnly else { throw .EROFS }
        guard node.owner == thread.process.user || thread.process.user == 0 else { throw .EPERM }
        node.mode = mode & 0o7777
    }

    static func resize(_ kernel: Kernel, _ file: OpenFile, _ count: UInt64) throws(Errno) {
        guard file.canWrite, let node = file.node, node.bytes != nil else { throw .EINVAL }
        guard count <= kernel.tree.quotaBytes else { throw .EFBIG }
        guard Int(count) <= node.limitBytes ?? .max else { throw .ENOSPC }
        node.resize(to: Int(count))
    }

    // MARK: Reading directories

    /// struct linux_dirent64, as many as there is room for; names in order, so that runs are alike.
    @Sendable private static func readDirectory(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        guard let file = try thread.process.file(a[0]) as? NodeFile, let entries = file.node?.entries else { throw .ENOTDIR }
        let names = [".", ".."] + entries.keys.sorted()
        var bytes: [UInt8] = []
        var index = Int(file.offset)
        while index < names.count {
            let node = entries[names[index]] ?? file.node
            let length = (19 + names[index].utf8.count + 1 + 7) & ~7
            guard bytes.count + length <= Int(a[2]) else { break }
            index += 1
            let head = (node?.number ?? 1).littleEndianBytes + UInt64(index).littleEndianBytes + UInt16(length).littleEndianBytes
            let record = head + [node?.entryType ?? 0] + Array(names[index - 1].utf8)
            bytes += record + [UInt8](repeating: 0, count: length - record.count)
        }
        if bytes.isEmpty, index < names.count { throw .EINVAL }
        _ = try file.seek(Int64(index), 0)
        try thread.process.memory.put(a[1], bytes)
        return UInt32(bytes.count)
    }
}

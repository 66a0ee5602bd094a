import Silicon

/// Calls on the address space. Pages are never both writable and executable, and never become the other (OS-5).
extension CallTable {
    static let memory: Group = [
        (45, "brk", gives(moveBreak)), (91, "munmap", does(unmap)), (125, "mprotect", does(protect)), (163, "mremap", gives(remap)),
        (192, "mmap2", gives(map)), (220, "madvise", does(advise)),
        (219, "mincore", does(tellResident)), (152, "mlockall", constant(0)), (153, "munlockall", constant(0)),
        (390, "mlock2", constant(0)), (389, "membarrier", gives(fence)), (144, "msync", constant(0)), (150, "mlock", constant(0)),
        (151, "munlock", constant(0)), (0xF_0002, "cacheflush", constant(0)),
    ]

    private static let page = AddressSpace.pageBytes
    private static let readImpliesExecute: UInt32 = 0x40_0000

    private static func rounded(_ count: UInt32) throws(Errno) -> Int {
        guard count > 0, count <= .max - page else { throw .EINVAL }
        return Int((count + page - 1) & ~(page - 1))
    }

    /// Address space that a program may have in all: what the host keeps of each page is not the program's to use up.
    private static let mostMapped = 512 << 20

    private static func checkRoom(_ process: Process, for count: Int) throws(Errno) {
        guard process.core.memory.mappedBytes + count <= mostMapped else { throw .ENOMEM }
    }

    /// The old break where the new one cannot be.
    @Sendable private static func moveBreak(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        let (heap, wanted) = (process.heap, a[0])
        guard wanted >= heap.lowerBound, wanted < Loader.mappingsEnd else { return heap.upperBound }
        let (oldEnd, newEnd) = ((heap.upperBound + page - 1) & ~(page - 1), (wanted + page - 1) & ~(page - 1))
        if newEnd > oldEnd,
            process.core.memory.mappedBytes + Int(newEnd - oldEnd) > mostMapped
                || !process.core.memory.map(
                    oldEnd, count: Int(newEnd - oldEnd), AddressSpace.Access.readWrite.asAllowed(process.policy.runsData))
        {
            return heap.upperBound
        }
        guard newEnd >= oldEnd || process.core.memory.unmap(newEnd, count: Int(oldEnd - newEnd)) else { return heap.upperBound }
        process.heap = heap.lowerBound..<wanted
        return wanted
    }

    private static func access(_ protection: UInt32) throws(Errno) -> AddressSpace.Access {
        switch protection & 7 {
        case 0: return .none
        case 1: return .read
        case 2, 3: return .readWrite
        case 4, 5: return .readExecute
        default: throw .EPERM
        }
    }

    /// Downwards from the highest address that is not taken.
    private static func freePlace(_ process: Process, _ count: Int) throws(Errno) -> UInt32 {
        var top = process.nextMapping
        while Int(top) > count + Int(process.heap.upperBound) {
            let start = top - UInt32(count)
            guard let taken = process.core.memory.firstMapped(start, count: count) else {
                process.nextMapping = start
                return start
            }
            top = taken
        }
        throw .ENOMEM
    }

    @Sendable private static func map(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        let count = try rounded(a[1])
        try checkRoom(process, for: count)
        let (flags, isFixed, isAnonymous) = (a[3], a[3] & 0x10 != 0, a[3] & 0x20 != 0)
        // READ_IMPLIES_EXEC, where the OS still allows it.
        let runsData = process.policy.runsData || process.personality & readImpliesExecute != 0
        let wanted = try access(a[2]).asAllowed(runsData)
        if flags & 0xF == 1, wanted == .readExecute { throw .EPERM }
        var content: [UInt8] = []
        if !isAnonymous {
            let file = try process.file(a[4])
            guard file.canRead, file.isMappable else { throw .EACCES }
            // What is written there would have to come into the file: this OS has no memory that files share (OS-3).
            if flags & 0xF == 1, wanted == .readWrite { throw file.canWrite ? .ENODEV : .EACCES }
            content = try file.read(Int(a[1]), at: Int(a[5]) * Int(page))
        }
        let start: UInt32
        if isFixed || a[0] != 0 && a[0] % page == 0 && process.core.memory.isFree(a[0], count: count) {
            guard a[0] % page == 0, a[0] >= page, UInt64(a[0]) + UInt64(count) <= UInt64(ApplicationCore.helperPage) else { throw .EINVAL }
            if flags & 0x10_0000 != 0, !process.core.memory.isFree(a[0], count: count) { throw .EEXIST }
            guard process.core.memory.unmap(a[0], count: count) else { throw .ENOMEM }
            start = a[0]
        } else {
            start = try freePlace(process, count)
        }
        guard process.core.memory.map(start, count: count, wanted) else { throw .ENOMEM }
        if !content.isEmpty { process.core.memory.fill(start, content) }
        return start
    }

    @Sendable private static func unmap(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] % page == 0 else { throw .EINVAL }
        let count = try rounded(a[1])
        guard UInt64(a[0]) + UInt64(count) <= UInt64(ApplicationCore.helperPage) else { throw .EINVAL }
        let process = thread.process
        guard process.core.memory.unmap(a[0], count: count) else { throw .ENOMEM }
        if a[0] + UInt32(count) <= Loader.mappingsEnd { process.nextMapping = max(process.nextMapping, a[0] + UInt32(count)) }
    }

    @Sendable private static func protect(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] % page == 0 else { throw .EINVAL }
        guard a[1] > 0 else { return }
        let (count, wanted) = (try rounded(a[1]), try access(a[2]))
        let memory = thread.process.core.memory
        for offset in stride(from: 0, to: count, by: Int(page)) {
            switch (memory.access(at: a[0] &+ UInt32(offset)), wanted) {
            case (nil, _): throw .ENOMEM
            case (.readWrite?, .readExecute), (.readExecute?, .readWrite): throw .EPERM
            default: break
            }
        }
        guard memory.protect(a[0], count: count, wanted) else { throw .ENOMEM }
    }

    /// MADV_DONTNEED gives pages back; other advice is only that.
    @Sendable private static func advise(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] % page == 0, a[2] < 26 || a[2] == 100 || a[2] == 101 else { throw .EINVAL }
        guard a[1] > 0 else { return }
        let (memory, count) = (thread.process.core.memory, try rounded(a[1]))
        guard UInt64(a[0]) + UInt64(count) <= UInt64(ApplicationCore.helperPage) else { throw .EINVAL }
        for offset in stride(from: 0, to: count, by: Int(page)) where memory.access(at: a[0] + UInt32(offset)) == nil { throw .ENOMEM }
        if a[2] == 4 { memory.release(a[0], count: count) }
    }

    /// Nothing is ever swapped out.
    @Sendable private static func tellResident(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] % page == 0 else { throw .EINVAL }
        guard a[1] > 0 else { return }
        let (memory, count) = (thread.process.core.memory, try rounded(a[1]))
        guard count <= mostMapped, UInt64(a[0]) + UInt64(count) <= UInt64(ApplicationCore.helperPage) else { throw .ENOMEM }
        for offset in stride(from: 0, to: count, by: Int(page)) where memory.access(at: a[0] + UInt32(offset)) == nil { throw .ENOMEM }
        try thread.process.memory.put(a[2], [UInt8](repeating: 1, count: count / Int(page)))
    }

    /// membarrier(2): there is one core, so that every command is fulfilled at once.
    @Sendable private static func fence(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        guard a[1] == 0 else { throw .EINVAL }
        switch a[0] {
        case 0: return 0x19
        case 1, 8, 16: return 0
        default: throw .EINVAL
        }
    }

    @Sendable private static func remap(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let process = thread.process
        let (old, new) = (try rounded(a[1]), try rounded(a[2]))
        let space = process.core.memory
        guard a[0] % page == 0, let access = space.access(at: a[0]), Int(a[0]) + max(old, new) <= Int(ApplicationCore.helperPage) else {
            throw .EFAULT
        }
        if new <= old {
            guard new == old || space.unmap(a[0] + UInt32(new), count: old - new) else { throw .ENOMEM }
            return a[0]
        }
        try checkRoom(process, for: new)
        if space.map(a[0] + UInt32(old), count: new - old, access) {
            return a[0]
        }
        guard a[3] & 1 != 0, let content = space.load(a[0], old) else { throw .ENOMEM }
        let start = try freePlace(process, new)
        guard space.map(start, count: new, access) else { throw .ENOMEM }
        space.fill(start, content)
        space.unmap(a[0], count: old)
        return start
    }
}

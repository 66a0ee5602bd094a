import Formats

/// Calls on sockets.
extension CallTable {
    static let sockets: Group = [
        (281, "socket", gives(makeSocket)),
        (282, "bind", does { _, t, a throws(Errno) in try socket(t, a[0]).bind(address(t, a[1], a[2]), t.process) }),
        (283, "connect", connect), (284, "listen", does { _, t, a throws(Errno) in try socket(t, a[0]).listen(t.process) }),
        (285, "accept", { k, t, a throws(Errno) in try accept(k, t, a, flags: 0) }),
        (366, "accept4", { k, t, a throws(Errno) in try accept(k, t, a, flags: a[3]) }),
        (286, "getsockname", does { _, t, a throws(Errno) in try tell(t, socket(t, a[0]).ownAddress, a[1], a[2]) }),
        (
            287, "getpeername",
            does { _, t, a throws(Errno) in
                guard let peer = try socket(t, a[0]).peerAddress else { throw .ENOTCONN }
                try tell(t, peer, a[1], a[2])
            }
        ),
        (288, "socketpair", does(makePair)),
        (289, "send", { k, t, a throws(Errno) in try send(k, t, a[0], t.process.memory.bytes(a[1], length(a[2])), nil, a[3]) }),
        (
            290, "sendto",
            { k, t, a throws(Errno) in
                let to = a[4] == 0 ? nil : try address(t, a[4], a[5])
                return try send(k, t, a[0], t.process.memory.bytes(a[1], length(a[2])), to, a[3])
            }
        ),
        (291, "recv", { k, t, a throws(Errno) in try receive(k, t, a[0], [(a[1], length(a[2]))], flags: a[3], from: (0, 0)) }),
        (292, "recvfrom", { k, t, a throws(Errno) in try receive(k, t, a[0], [(a[1], length(a[2]))], flags: a[3], from: (a[4], a[5])) }),
        (
            293, "shutdown",
            does { k, t, a throws(Errno) in
                try socket(t, a[0]).shutDown(a[1])
                k.changed()
            }
        ),
        (294, "setsockopt", does(setOption)), (295, "getsockopt", does(getOption)),
    ]

    private static let longest: UInt32 = 1 << 20
    static func length(_ count: UInt32) -> Int { Int(min(count, longest)) }

    private static func socket(_ thread: Thread, _ descriptor: UInt32) throws(Errno) -> Socket {
        guard let socket = try thread.process.file(descriptor) as? Socket else { throw .ENOTSOCK }
        return socket
    }

    static func address(_ thread: Thread, _ place: UInt32, _ count: UInt32) throws(Errno) -> [UInt8] {
        guard count <= 128 else { throw .EINVAL }
        return try thread.process.memory.bytes(place, Int(count))
    }

    /// An address for the program, as much as it has room for.
    private static func tell(_ thread: Thread, _ bytes: [UInt8], _ place: UInt32, _ lengthPlace: UInt32) throws(Errno) {
        guard place != 0 else { return }
        let room = try thread.process.memory.word(lengthPlace)
        try thread.process.memory.put(place, Array(bytes.prefix(Int(room))))
        try thread.process.memory.put(lengthPlace, UInt32(bytes.count).littleEndianBytes)
    }

    @Sendable private static func makeSocket(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) -> UInt32 {
        let (type, flags) = (a[1] & 0xF, a[1])
        let made: Socket
        switch (a[0], type) {
        case (2, 1): made = StreamSocket(kernel.stack, family: 2, flags: flags)
        case (2, 2): made = DatagramSocket(kernel.stack, flags: flags)
        case (43, 2): made = ComponentSocket(kernel, flags: flags)
        case (1, 1): made = StreamSocket(kernel.stack, family: 1, flags: flags)
        // NETLINK_ROUTE.
        case (16, 2...3):
            guard a[2] == 0 else { throw .EPROTONOSUPPORT }
            made = NetlinkSocket(kernel, type: type, flags: flags)
        // Raw ones are not for programs (CAP_NET_RAW).
        case (2, 3): throw .EPERM
        default: throw [1, 2, 16, 43].contains(a[0]) ? .EPROTONOSUPPORT : .EAFNOSUPPORT
        }
        return try thread.process.open(made, closesOnExec: flags & closeOnExec != 0)
    }

    @Sendable private static func makePair(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        guard a[0] == 1 else { throw .EAFNOSUPPORT }
        let (one, other) = StreamSocket.pair(kernel.stack, flags: a[1])
        let isClosed = a[1] & closeOnExec != 0
        let descriptors = [try thread.process.open(one, closesOnExec: isClosed), try thread.process.open(other, closesOnExec: isClosed)]
        try thread.process.memory.put(a[3], descriptors.littleEndianBytes)
    }

    private static let connect: CallEntry.Body = { kernel, thread, a throws(Errno) in
        let socket = try socket(thread, a[0])
        let isNew = !kernel.isWaiting(thread)
        let to = try address(thread, a[1], a[2])
        do throws(Errno) {
            if try socket.connect(to, thread.process) {
                kernel.changed()
                return .value(0)
            }
        } catch {
            // What this very call has brought about.
            if error == .EISCONN && !isNew { return .value(0) }
            throw error
        }
        if socket.isNonBlocking { throw isNew ? .EINPROGRESS : .EALREADY }
        return kernel.wait(thread)
    }

    private static func accept(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32], flags: UInt32) throws(Errno) -> Answer {
        let listener = try socket(thread, a[0])
        guard let accepted = try listener.accept() else {
            if listener.isNonBlocking { throw .EAGAIN }
            return kernel.wait(thread)
        }
        accepted.flags |= flags & OpenFile.isNonBlocking
        let descriptor = try thread.process.open(accepted, closesOnExec: flags & closeOnExec != 0)
        if let peer = accepted.peerAddress { try tell(thread, peer, a[1], a[2]) }
        return .value(descriptor)
    }

    static let dontWait: UInt32 = 0x40
    private static let noSignal: UInt32 = 0x4000

    static func send(
        _ kernel: Kernel, _ thread: Thread, _ descriptor: UInt32, _ bytes: [UInt8], _ to: [UInt8]?, _ flags: UInt32
    ) throws(Errno) -> Answer {
        let socket = try socket(thread, descriptor)
        let mayWait = !socket.isNonBlocking && flags & dontWait == 0
        return try put(kernel, thread, socket, bytes, mayWait: mayWait, signals: flags & noSignal == 0) { bytes throws(Errno) in
            try socket.send(bytes, to: to, thread.process)
        }
    }

    static func receive(
        _ kernel: Kernel, _ thread: Thread, _ descriptor: UInt32, _ buffers: [(address: UInt32, count: Int)], flags: UInt32,
        from: (address: UInt32, length: UInt32)
    ) throws(Errno) -> Answer {
        let socket = try socket(thread, descriptor)
        // MSG_TRUNC: how long it was is told, however much there is room for.
        let room = flags & 0x20 != 0 && socket.type != 1 ? Int(longest) : min(Int(longest), buffers.reduce(0) { $0 + $1.count })
        guard let (bytes, sender) = try socket.receive(room, peek: flags & 2 != 0) else {
            if socket.isNonBlocking || flags & dontWait != 0 || kernel.isOver(thread) { throw .EAGAIN }
            return kernel.wait(thread, socket.receiveTimeout)
        }
        var left = bytes[...]
        for buffer in buffers where !left.isEmpty {
            try thread.process.memory.put(buffer.address, Array(left.prefix(buffer.count)))
            left = left.dropFirst(buffer.count)
        }
        if !sender.isEmpty { try tell(thread, sender, from.address, from.length) }
        kernel.changed()
        return .value(UInt32(bytes.count))
    }

    // MARK: Options

    @Sendable private static func setOption(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let socket = try socket(thread, a[0])
        if let component = socket as? ComponentSocket, a[1] == UInt32(ComponentSocket.familyNumber) {
            return try component.setOption(thread.process.memory.bytes(a[3], Int(min(a[4], 64))), thread.process)
        }
        guard a[1] == 1, [20, 66].contains(a[2]) else { return }
        // SO_RCVTIMEO, with two words or two double words.
        let isLong = a[4] >= 16
        let fields = try thread.process.memory.fields(a[3], isLong ? 16 : 8)
        let seconds = Int64(fields.u32(0) ?? 0), microseconds = Int64(fields.u32(isLong ? 8 : 4) ?? 0)
        let time = seconds * 1_000_000_000 + microseconds * 1000
        socket.receiveTimeout = time == 0 ? nil : time
    }

    @Sendable private static func getOption(_ kernel: Kernel, _ thread: Thread, _ a: [UInt32]) throws(Errno) {
        let socket = try socket(thread, a[0])
        var value: UInt32 = 0
        switch (a[1], a[2]) {
        case (1, 3): value = socket.type
        case (1, 4):
            value = UInt32(socket.pendingError?.rawValue ?? 0)
            socket.pendingError = nil
        case (1, 7), (1, 8): value = 64 << 10
        case (1, 30): value = socket.isListening ? 1 : 0
        case (1, 38): value = socket.family != 2 ? 0 : socket.type == 1 ? 6 : 17
        case (1, 39): value = UInt32(socket.family)
        default: break
        }
        let room = try thread.process.memory.word(a[4])
        try thread.process.memory.put(a[3], Array(value.littleEndianBytes.prefix(Int(room))))
        try thread.process.memory.put(a[4], min(room, 4).littleEndianBytes)
    }
}

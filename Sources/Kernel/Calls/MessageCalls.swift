import Formats

/// Calls on sockets that take struct msghdr, one or several; ancillary data is not there.
extension CallTable {
    static let messages: Group = [
        (296, "sendmsg", { k, t, a throws(Errno) in try sendMessage(k, t, a[0], a[1], a[2]) }),
        (297, "recvmsg", { k, t, a throws(Errno) in try receiveMessage(k, t, a[0], a[1], a[2]) }), (374, "sendmmsg", sendMessages),
        (365, "recvmmsg", receiveMessages), (417, "recvmmsg_time64", receiveMessages),
    ]

    /// struct msghdr, and with the length that came of it struct mmsghdr.
    private static let headBytes = 28
    private static let longHeadBytes: UInt32 = 32
    /// UIO_MAXIOV.
    private static let mostMessages: UInt32 = 1024
    /// MSG_WAITFORONE.
    private static let waitsForOne: UInt32 = 0x1_0000

    private static func sendMessage(
        _ kernel: Kernel, _ thread: Thread, _ descriptor: UInt32, _ place: UInt32, _ flags: UInt32
    ) throws(Errno) -> Answer {
        let memory = thread.process.memory
        let head = try memory.fields(place, headBytes)
        var bytes: [UInt8] = []
        for vector in try memory.vectors(head.u32(8) ?? 0, head.u32(12) ?? 0) {
            bytes += try memory.bytes(vector.address, min(vector.count, length(.max) - bytes.count))
        }
        let to = head.u32(0) == 0 ? nil : try address(thread, head.u32(0) ?? 0, head.u32(4) ?? 0)
        return try send(kernel, thread, descriptor, bytes, to, flags)
    }

    private static func receiveMessage(
        _ kernel: Kernel, _ thread: Thread, _ descriptor: UInt32, _ place: UInt32, _ flags: UInt32
    ) throws(Errno) -> Answer {
        let memory = thread.process.memory
        let head = try memory.fields(place, headBytes)
        let vectors = try memory.vectors(head.u32(8) ?? 0, head.u32(12) ?? 0)
        let name = head.u32(0) ?? 0
        let answer = try receive(kernel, thread, descriptor, vectors, flags: flags, from: (name, place &+ 4))
        if case .value = answer { try memory.put(place &+ 20, [UInt8](repeating: 0, count: 8)) }
        return answer
    }

    /// How many were done; the first one's failure, or wait, is the call's.
    private static func each(
        _ thread: Thread, _ place: UInt32, _ count: UInt32, _ body: (Int, UInt32) throws(Errno) -> Answer
    ) throws(Errno) -> Answer {
        var done: UInt32 = 0
        while done < min(count, mostMessages) {
            let at = place &+ done * longHeadBytes
            let answer: Answer
            do throws(Errno) { answer = try body(Int(done), at) } catch {
                if done > 0 { return .value(done) }
                throw error
            }
            guard case .value(let bytes) = answer else { return done > 0 ? .value(done) : answer }
            try thread.process.memory.put(at &+ UInt32(headBytes), bytes.littleEndianBytes)
            done += 1
        }
        return .value(done)
    }

    private static let sendMessages: CallEntry.Body = { kernel, thread, a throws(Errno) in
        try each(thread, a[1], a[2]) { _, place throws(Errno) in try sendMessage(kernel, thread, a[0], place, a[3]) }
    }

    /// The first is waited for; others are taken if they are there.
    private static let receiveMessages: CallEntry.Body = { kernel, thread, a throws(Errno) in
        try each(thread, a[1], a[2]) { index, place throws(Errno) in
            let flags = a[3] & ~waitsForOne
            return try receiveMessage(kernel, thread, a[0], place, index == 0 ? flags : flags | dontWait)
        }
    }
}

/// One UART of the A7's, as its driver in the kernel has it: what programs write waits in a buffer and goes out at the line's
/// rate, and what comes in arrives at it. Bytes have their instants; the program is woken for a FIFO of them, not for each.
struct SerialDriver {
    /// As Linux's terminals have it.
    static let bufferBytes = 4096
    private static let fifoBytes = 16

    /// Of one byte; 115200 8N1 as long as nobody has said otherwise.
    var byteNanoseconds: Int64 = 10 * 1_000_000_000 / 115_200
    private var outgoing: [UInt8] = []
    /// When the first of them has gone.
    private var sentAt = Int64.max
    private var incoming: [UInt8] = []
    /// When the first of them is here.
    private var arrivesAt = Int64.max
    private var lastArrival = Int64.min / 2
    private(set) var received: [UInt8] = []
    private var hasLost = false
    private var hasToldLoss = false

    var room: Int { SerialDriver.bufferBytes - outgoing.count }

    mutating func write(_ bytes: ArraySlice<UInt8>, at now: Int64) {
        if outgoing.isEmpty { sentAt = now + byteNanoseconds }
        outgoing += bytes
    }

    mutating func arrive(_ bytes: [UInt8], at now: Int64) {
        if incoming.isEmpty { arrivesAt = max(now, lastArrival) + byteNanoseconds }
        incoming += bytes
    }

    /// A byte that is all here.
    mutating func accept(_ byte: UInt8) { if received.count < SerialDriver.bufferBytes { received.append(byte) } else { hasLost = true } }

    /// Once, that nobody had room for a byte.
    mutating func takeLoss() -> Bool {
        guard hasLost, !hasToldLoss else { return false }
        hasToldLoss = true
        return true
    }

    mutating func take(_ count: Int) -> [UInt8] {
        defer { received.removeFirst(min(count, received.count)) }
        return Array(received.prefix(count))
    }

    /// When something has gone or come that a program may wait for.
    var nextEvent: Int64 {
        let (out, into) = (min(outgoing.count, SerialDriver.fifoBytes), min(incoming.count, SerialDriver.fifoBytes))
        return min(
            out > 0 ? sentAt + Int64(out - 1) * byteNanoseconds : .max, into > 0 ? arrivesAt + Int64(into - 1) * byteNanoseconds : .max)
    }

    /// What has gone by now, with its instants.
    mutating func sent(by now: Int64) -> [(byte: UInt8, at: Int64)] {
        var gone: [(byte: UInt8, at: Int64)] = []
        while sentAt <= now, gone.count < outgoing.count {
            gone.append((outgoing[gone.count], sentAt))
            sentAt += byteNanoseconds
        }
        outgoing.removeFirst(gone.count)
        if outgoing.isEmpty { sentAt = .max }
        return gone
    }

    mutating func advance(to now: Int64) {
        while arrivesAt <= now, !incoming.isEmpty {
            accept(incoming.removeFirst())
            lastArrival = arrivesAt
            arrivesAt = incoming.isEmpty ? .max : arrivesAt + byteNanoseconds
        }
    }
}

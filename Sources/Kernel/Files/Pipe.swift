import Formats

/// Bytes on their way from one end to the other.
final class Pipe {
    static let capacityBytes = 64 << 10
    var bytes: [UInt8] = []
    var readers = 0
    var writers = 0
    /// Taken from the front of `bytes` already.
    private var taken = 0

    var count: Int { bytes.count - taken }

    func take(_ limit: Int) -> [UInt8] {
        let part = Array(bytes[taken..<min(bytes.count, taken + limit)])
        taken += part.count
        if taken == bytes.count { (bytes, taken) = ([], 0) } else if taken > 1 << 16 { (bytes, taken) = (Array(bytes[taken...]), 0) }
        return part
    }
}

final class PipeEnd: OpenFile {
    private let pipe: Pipe
    private let isReader: Bool

    init(_ pipe: Pipe, isReader: Bool, flags: UInt32) {
        self.pipe = pipe
        self.isReader = isReader
        if isReader { pipe.readers += 1 } else { pipe.writers += 1 }
        super.init(flags: flags & OpenFile.isNonBlocking | (isReader ? 0 : OpenFile.writeOnly))
    }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard isReader else { throw .EBADF }
        if pipe.count == 0 { return pipe.writers == 0 ? [] : nil }
        return pipe.take(count)
    }

    override var waitingBytes: Int? { pipe.count }

    /// Up to 4,096 bytes go in whole or not at all (PIPE_BUF, pipe(7)).
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        guard !isReader else { throw .EBADF }
        guard pipe.readers > 0 else { throw .EPIPE }
        let room = Pipe.capacityBytes - pipe.count
        guard room >= min(bytes.count, 4096), room > 0 || bytes.isEmpty else { return nil }
        let part = bytes.prefix(room)
        pipe.bytes += part
        return part.count
    }

    override var takesAll: Bool { !isReader }

    override var readiness: Readiness {
        if isReader { return pipe.count > 0 ? [.input] : pipe.writers == 0 ? [.hangUp] : [] }
        if pipe.readers == 0 { return [.output, .error] }
        return Pipe.capacityBytes - pipe.count >= 4096 ? [.output] : []
    }

    override func closed() { if isReader { pipe.readers -= 1 } else { pipe.writers -= 1 } }
}

/// eventfd(2).
final class EventCounter: OpenFile {
    private var value: UInt64
    private let isSemaphore: Bool

    init(_ value: UInt64, isSemaphore: Bool, flags: UInt32) {
        self.value = value
        self.isSemaphore = isSemaphore
        super.init(flags: flags & OpenFile.isNonBlocking | OpenFile.readWrite)
    }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard count >= 8 else { throw .EINVAL }
        guard value > 0 else { return nil }
        let given = isSemaphore ? 1 : value
        value -= given
        return given.littleEndianBytes
    }

    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        guard bytes.count >= 8 else { throw .EINVAL }
        let added = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
        guard added != .max else { throw .EINVAL }
        guard value <= .max - 1 - added else { return nil }
        value += added
        return 8
    }

    override var readiness: Readiness { value > 0 ? value < .max - 1 ? [.input, .output] : [.input] : [.output] }
}

/// timerfd_create(2): a clock that is read.
final class TimerFile: OpenFile {
    /// Nanoseconds of the kernel's time; `.max` while it stands.
    private var expiresAt = Int64.max
    private var interval: Int64 = 0
    private let now: () -> Int64

    init(flags: UInt32, now: @escaping () -> Int64) {
        self.now = now
        super.init(flags: flags & OpenFile.isNonBlocking)
    }

    func set(expiresAt: Int64, interval: Int64) {
        self.expiresAt = expiresAt
        self.interval = interval
    }

    /// What is left until it expires, and how often after that.
    var setting: (left: Int64, interval: Int64) { (expiresAt == .max ? 0 : max(1, expiresAt - now()), interval) }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard count >= 8 else { throw .EINVAL }
        guard expiresAt <= now() else { return nil }
        var times: Int64 = 1
        if interval > 0 {
            times += (now() - expiresAt) / interval
            expiresAt += times * interval
        } else {
            expiresAt = .max
        }
        return times.littleEndianBytes
    }

    override var readiness: Readiness { expiresAt <= now() ? [.input] : [] }
    override var nextEvent: Int64 { expiresAt > now() ? expiresAt : .max }
}

/// What can be waited for on an open file (poll.h).
struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: 1)
    static let priority = Readiness(rawValue: 2)
    static let output = Readiness(rawValue: 4)
    static let error = Readiness(rawValue: 8)
    static let hangUp = Readiness(rawValue: 0x10)
    static let peerClosed = Readiness(rawValue: 0x2000)
}

/// An open file: shared by descriptors that were duplicated or inherited. Kinds override what they can do.
class OpenFile {
    static let accessMode: UInt32 = 3
    static let writeOnly: UInt32 = 1
    static let readWrite: UInt32 = 2
    static let appends: UInt32 = 0o2000
    static let isNonBlocking: UInt32 = 0o4000

    /// As `open` was given them.
    var flags: UInt32
    /// Descriptors that lead here.
    private(set) var references = 0

    init(flags: UInt32) { self.flags = flags }

    var isNonBlocking: Bool { flags & OpenFile.isNonBlocking != 0 }
    var canRead: Bool { flags & OpenFile.accessMode != OpenFile.writeOnly }
    var canWrite: Bool { flags & OpenFile.accessMode != 0 }

    /// Whether its content can be mapped into memory.
    var isMappable: Bool { node?.isFile ?? false }

    /// What it is, for fstat; nil for what has no name.
    var node: Node? { nil }
    /// S_IFMT bits and permissions.
    var mode: UInt32 { node.map { $0.kind | $0.mode } ?? 0o010600 }

    /// Up to so many bytes; none at the end; nil if there are none yet.
    func read(_ count: Int) throws(Errno) -> [UInt8]? { throw .EINVAL }
    /// How many were taken; nil if there is no room now.
    func write(_ bytes: [UInt8]) throws(Errno) -> Int? { throw .EINVAL }
    /// Whether a program that may wait waits until all of what it writes is taken.
    var takesAll: Bool { false }
    func read(_ count: Int, at offset: Int) throws(Errno) -> [UInt8] { throw .ESPIPE }
    func write(_ bytes: [UInt8], at offset: Int) throws(Errno) -> Int { throw .ESPIPE }
    func seek(_ offset: Int64, _ whence: UInt32) throws(Errno) -> Int64 { throw .ESPIPE }
    func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 { throw .ENOTTY }
    /// How many can be read at once, for FIONREAD; nil for what has no such number.
    var waitingBytes: Int? { nil }
    var readiness: Readiness { [.input, .output] }
    /// When its readiness changes by itself, in nanoseconds of the kernel's time.
    var nextEvent: Int64 { .max }
    /// The last descriptor is gone.
    func closed() {}

    final func retain() { references += 1 }
    final func release() {
        references -= 1
        if references == 0 { closed() }
    }
}

/// A file or a directory of the tree.
final class NodeFile: OpenFile {
    private let own: Node
    private let tree: FileTree
    private(set) var offset: Int64 = 0
    /// Where it was opened, for what begins there.
    let path: String

    init(_ node: Node, path: String, flags: UInt32, _ tree: FileTree) {
        own = node
        self.tree = tree
        self.path = path
        super.init(flags: flags)
    }

    override var node: Node? { own }
    override var waitingBytes: Int? { own.isFile ? max(0, own.size - Int(offset)) : nil }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        let bytes = try read(count, at: Int(offset))
        offset += Int64(bytes.count)
        return bytes
    }

    override func read(_ count: Int, at start: Int) throws(Errno) -> [UInt8] {
        guard own.entries == nil else { throw .EISDIR }
        guard let bytes = own.bytes, start < bytes.count, count > 0 else { return [] }
        return Array(bytes[start..<min(bytes.count, start + count)])
    }

    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        if flags & OpenFile.appends != 0 { offset = Int64(own.size) }
        let count = try write(bytes, at: Int(offset))
        offset += Int64(count)
        return count
    }

    override func write(_ bytes: [UInt8], at start: Int) throws(Errno) -> Int {
        guard own.bytes != nil else { throw .EISDIR }
        guard start >= 0, start <= tree.quotaBytes, start + bytes.count <= tree.quotaBytes else { throw .EFBIG }
        let room = max(0, (own.limitBytes ?? .max) - start)
        guard room > 0 || bytes.isEmpty else { throw .ENOSPC }
        own.write(Array(bytes.prefix(room)), at: start)
        own.changedAt = tree.now()
        return min(bytes.count, room)
    }

    override func seek(_ distance: Int64, _ whence: UInt32) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = offset
        case 2: base = Int64(own.size)
        default: throw .EINVAL
        }
        let (place, isTooFar) = base.addingReportingOverflow(distance)
        guard !isTooFar, place >= 0 else { throw .EINVAL }
        offset = place
        return place
    }
}

/// What is made when it is opened: files of /proc.
final class TextFile: OpenFile {
    private let bytes: [UInt8]
    private var offset = 0
    private let own: Node

    init(_ bytes: [UInt8], _ node: Node) {
        self.bytes = bytes
        own = node
        super.init(flags: 0)
    }

    override var node: Node? { own }
    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        let part = try read(count, at: offset)
        offset += part.count
        return part
    }
    override func read(_ count: Int, at start: Int) throws(Errno) -> [UInt8] {
        start < bytes.count && start >= 0 && count > 0 ? Array(bytes[start..<min(bytes.count, start + count)]) : []
    }
    override func seek(_ distance: Int64, _ whence: UInt32) throws(Errno) -> Int64 {
        let base = whence == 1 ? offset : whence == 2 ? bytes.count : 0
        guard whence <= 2, distance > -(1 << 31), distance < 1 << 31, base + Int(distance) >= 0 else { throw .EINVAL }
        offset = base + Int(distance)
        return Int64(offset)
    }
}

/// /dev/null and /dev/zero.
final class NullFile: OpenFile {
    private let givesZeros: Bool
    init(givesZeros: Bool, flags: UInt32) {
        self.givesZeros = givesZeros
        super.init(flags: flags)
    }
    override var mode: UInt32 { 0o020666 }
    override func read(_ count: Int) throws(Errno) -> [UInt8]? { givesZeros ? [UInt8](repeating: 0, count: count) : [] }
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? { bytes.count }
    override func seek(_ offset: Int64, _ whence: UInt32) throws(Errno) -> Int64 { 0 }
}

/// /dev/urandom, from the device's own generator.
final class RandomFile: OpenFile {
    private let source: (Int) -> [UInt8]
    init(_ source: @escaping (Int) -> [UInt8]) {
        self.source = source
        super.init(flags: 0)
    }
    override var mode: UInt32 { 0o020444 }
    override func read(_ count: Int) throws(Errno) -> [UInt8]? { source(min(count, 1 << 20)) }
}

/// Standard input and output of the first program. What it says goes to the kernel's owner, who also gives it what it reads.
final class ConsoleFile: OpenFile {
    private unowned let console: StandardStreams
    private let stream: Int
    init(_ console: StandardStreams, stream: Int) {
        self.console = console
        self.stream = stream
        super.init(flags: stream == 0 ? 0 : OpenFile.writeOnly)
    }
    override var mode: UInt32 { 0o010600 }
    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard stream == 0 else { throw .EBADF }
        return console.read(count)
    }
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        guard stream != 0 else { throw .EBADF }
        console.output(stream, bytes)
        return bytes.count
    }
    override var readiness: Readiness { stream == 0 ? console.isReadable ? [.input] : [] : [.output] }
}

/// What sits behind standard input and output.
public final class StandardStreams {
    private var input: [UInt8] = []
    private var hasEnded = false
    /// A program waits for input that is not there yet.
    public private(set) var wantsInput = false
    /// Stream 1 or 2, and bytes.
    public var output: (Int, [UInt8]) -> Void = { _, _ in }

    public init() {}

    func provide(_ bytes: [UInt8]) {
        wantsInput = false
        if bytes.isEmpty { hasEnded = true } else { input += bytes }
    }

    var isReadable: Bool {
        if input.isEmpty && !hasEnded { wantsInput = true }
        return !input.isEmpty || hasEnded
    }

    func read(_ count: Int) -> [UInt8]? {
        guard !input.isEmpty else {
            if hasEnded { return [] }
            wantsInput = true
            return nil
        }
        defer { input.removeFirst(min(count, input.count)) }
        return Array(input.prefix(count))
    }
}

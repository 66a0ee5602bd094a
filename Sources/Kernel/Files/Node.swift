/// A file of any kind in the tree that programs see.
final class Node {
    enum Content {
        case directory([String: Node])
        case file([UInt8])
        case link(String)
        /// Opened by whoever made it.
        case device((Process) throws(Errno) -> OpenFile)
        /// Made anew each time it is opened.
        case generated((Process) -> [UInt8])
        case pipe(Pipe)
        case socket
        /// A directory that is made anew each time somebody looks.
        case listing(() -> [String: Node])
        /// Of a folder of the machine's, as long as nobody has looked at it.
        case unread(Unread)
    }

    struct Unread {
        /// S_IFMT bits.
        var kind: UInt32
        var size: Int
        /// What is there; nil if it cannot be read.
        var load: () -> Content?
    }

    /// What is unread is read now; what cannot be read stays so.
    var content: Content {
        get {
            if case .unread(let unread) = stored, let content = unread.load() { stored = content }
            return stored
        }
        set { stored = newValue }
    }
    private var stored: Content
    /// Permission bits.
    var mode: UInt32
    var owner: UInt32 = 0
    var group: UInt32 = 0
    /// Of a file system that nobody may write.
    var isReadOnly: Bool
    let number: UInt64
    /// Nanoseconds since 1970.
    var changedAt: Int64 = 0
    var links: UInt32 = 1
    /// How many bytes a file may have, or each file of a directory.
    var limitBytes: Int?

    init(_ content: Content, mode: UInt32, number: UInt64, isReadOnly: Bool = false) {
        stored = content
        self.mode = mode
        self.number = number
        self.isReadOnly = isReadOnly
    }

    var entries: [String: Node]? {
        switch content {
        case .directory(let entries): entries
        case .listing(let make): make()
        default: nil
        }
    }
    var bytes: [UInt8]? { if case .file(let bytes) = content { bytes } else { nil } }
    var target: String? { if case .link(let target) = stored { target } else { nil } }
    /// Whether its content can be mapped into memory.
    var isFile: Bool {
        switch stored {
        case .file: true
        case .unread(let unread): unread.kind == 0o100000
        default: false
        }
    }

    /// S_IFMT bits.
    var kind: UInt32 {
        switch stored {
        case .directory, .listing: 0o040000
        case .unread(let unread): unread.kind
        case .file, .generated: 0o100000
        case .link: 0o120000
        case .device: 0o020000
        case .pipe: 0o010000
        case .socket: 0o140000
        }
    }

    /// d_type of getdents64.
    var entryType: UInt8 { UInt8(kind >> 12) }

    var size: Int {
        switch stored {
        case .unread(let unread): unread.size
        case .file(let bytes): bytes.count
        case .link(let target): target.utf8.count
        default: 0
        }
    }

    /// Writes into a file, zeros where there is a gap.
    func write(_ new: [UInt8], at offset: Int) {
        guard case .file(var bytes) = content else { return }
        content = .file([])
        if bytes.count < offset + new.count { bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count) }
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
        content = .file(bytes)
    }

    func resize(to count: Int) {
        guard case .file(let bytes) = content else { return }
        content = .file(Array(bytes.prefix(count)) + [UInt8](repeating: 0, count: max(0, count - bytes.count)))
    }
}

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
    }

    var content: Content
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
        self.content = content
        self.mode = mode
        self.number = number
        self.isReadOnly = isReadOnly
    }

    var entries: [String: Node]? { if case .directory(let entries) = content { entries } else { nil } }
    var bytes: [UInt8]? { if case .file(let bytes) = content { bytes } else { nil } }
    var target: String? { if case .link(let target) = content { target } else { nil } }

    /// S_IFMT bits.
    var kind: UInt32 {
        switch content {
        case .directory: 0o040000
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
        switch content {
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

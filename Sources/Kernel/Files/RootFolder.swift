/// A folder of somebody's that programs see as the root of their file system. It is only read, and each thing in it only when
/// somebody looks at it; what programs write stays in the kernel's memory.
public protocol RootFolder: AnyObject {
    /// What a directory has in it; nil if it cannot be read. Paths begin at the folder, as `/usr/lib`.
    func entries(of path: String) -> [RootEntry]?
    /// What a file has in it; nil if it cannot be read.
    func content(of path: String) -> [UInt8]?
}

/// One thing in such a folder. Links are followed inside of it only, as under chroot(2).
public struct RootEntry: Sendable {
    public enum Kind: Sendable { case directory, file(bytes: Int), link(target: String) }
    public var name: String
    public var kind: Kind
    /// Permission bits.
    public var mode: UInt32
    /// Nanoseconds since 1970.
    public var changedAt: Int64

    public init(name: String, kind: Kind, mode: UInt32, changedAt: Int64) {
        (self.name, self.kind, self.mode, self.changedAt) = (name, kind, mode, changedAt)
    }
}

extension Kernel {
    /// Lays a folder over the tree. What the kernel itself keeps stays: /dev, /proc, /run, and the name server's address; other
    /// files of its own are there where the folder has none.
    ///
    /// - Parameters:
    ///   - user: Whose the files are.
    ///   - isReadOnly: Nothing of the folder's can be changed; /tmp can.
    public func lay(_ folder: any RootFolder, user: UInt32, isReadOnly: Bool) {
        let laid = Overlay(folder: folder, tree: tree, user: user, isReadOnly: isReadOnly)
        tree.quotaBytes = Overlay.quotaBytes
        laid.merge(into: tree.root, path: "", keeps: ["dev", "proc", "run"])
    }
}

/// How a folder becomes nodes.
private struct Overlay {
    static let quotaBytes = 256 << 20
    let folder: any RootFolder
    let tree: FileTree
    let user: UInt32
    let isReadOnly: Bool

    /// Only a few directories are there already, and are read at once.
    func merge(into node: Node, path: String, keeps kept: Set<String>) {
        guard let own = node.entries, let found = folder.entries(of: path.isEmpty ? "/" : path) else { return }
        var entries = own
        for entry in found where !kept.contains(entry.name) {
            if let old = own[entry.name], let inside = old.entries {
                if case .directory = entry.kind {
                    merge(into: old, path: path + "/" + entry.name, keeps: path + "/" + entry.name == "/etc" ? ["resolv.conf"] : [])
                    continue
                }
                guard inside.isEmpty else { continue }
            }
            entries[entry.name] = make(entry, path)
        }
        node.content = .directory(entries)
        guard path != "/tmp" else { return }
        (node.owner, node.group, node.isReadOnly) = (user, user, isReadOnly)
    }

    private func make(_ entry: RootEntry, _ parent: String) -> Node {
        let path = parent + "/" + entry.name
        let node: Node
        switch entry.kind {
        case .link(let target): node = tree.make(.link(target), mode: 0o777)
        case .file(let count):
            node = tree.make(
                .unread(.init(kind: 0o100000, size: count) { [folder] in folder.content(of: path).map { .file($0) } }), mode: entry.mode)
        case .directory:
            node = tree.make(.unread(.init(kind: 0o040000, size: 0) { [self] in directory(path) }), mode: entry.mode)
        }
        (node.owner, node.group, node.isReadOnly, node.changedAt) = (user, user, isReadOnly, entry.changedAt)
        return node
    }

    private func directory(_ path: String) -> Node.Content? {
        folder.entries(of: path).map { .directory(Dictionary($0.map { ($0.name, make($0, path)) }) { first, _ in first }) }
    }
}

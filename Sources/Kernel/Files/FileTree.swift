/// The file systems as one tree. Nothing in it is a file of the machine that this runs on.
final class FileTree {
    /// Links followed before a path is refused.
    private static let longestChain = 40
    private static let longestName = 255

    let root: Node
    private var nextNumber: UInt64 = 1
    /// Nanoseconds since 1970, for what changes.
    var now: () -> Int64 = { 0 }
    /// Bytes that may be stored in files, and are.
    var quotaBytes = 16 << 20

    init() {
        root = Node(.directory([:]), mode: 0o755, number: 1)
        nextNumber = 2
    }

    func make(_ content: Node.Content, mode: UInt32) -> Node {
        let node = Node(content, mode: mode, number: nextNumber)
        node.changedAt = now()
        nextNumber += 1
        return node
    }

    struct Place {
        var parent: Node
        var name: String
        var node: Node?
        /// As `getcwd` would say it.
        var path: String
    }

    /// Finds what a path names, or where it would be.
    func find(
        _ path: String, from directory: (node: Node, path: String), for process: Process?, followsLast: Bool = true
    ) throws(Errno) -> Place {
        guard !path.isEmpty else { throw .ENOENT }
        guard path.utf8.count < 4096 else { throw .ENAMETOOLONG }
        var chain = 0
        var stack: [(name: String, node: Node)] = []
        if !path.hasPrefix("/") {
            stack = try names(directory.path)
        }
        var left = path.split(separator: "/").map(String.init).reversed() as [String]
        let wantsDirectory = path.hasSuffix("/")
        while let name = left.popLast() {
            let parent = stack.last?.node ?? root
            guard let entries = parent.entries else { throw .ENOTDIR }
            if name == "." { continue }
            if name == ".." {
                _ = stack.popLast()
                continue
            }
            guard name.utf8.count <= FileTree.longestName else { throw .ENAMETOOLONG }
            guard let node = entries[name] else {
                guard left.isEmpty else { throw .ENOENT }
                return Place(parent: parent, name: name, node: nil, path: text(stack) + "/" + name)
            }
            if let target = target(of: node, process), !left.isEmpty || followsLast || wantsDirectory {
                chain += 1
                guard chain <= FileTree.longestChain else { throw .ELOOP }
                if target.hasPrefix("/") { stack = [] }
                left += target.split(separator: "/").map(String.init).reversed()
                continue
            }
            if left.isEmpty {
                if wantsDirectory, node.entries == nil { throw .ENOTDIR }
                return Place(parent: parent, name: name, node: node, path: text(stack) + "/" + name)
            }
            stack.append((name, node))
        }
        let node = stack.last?.node ?? root
        let parent = stack.dropLast().last?.node ?? root
        return Place(parent: parent, name: stack.last?.name ?? "", node: node, path: stack.isEmpty ? "/" : text(stack))
    }

    private func text(_ stack: [(name: String, node: Node)]) -> String { stack.map { "/" + $0.name }.joined() }

    private func names(_ path: String) throws(Errno) -> [(name: String, node: Node)] {
        var stack: [(name: String, node: Node)] = []
        for name in path.split(separator: "/").map(String.init) {
            guard let node = (stack.last?.node ?? root).entries?[name] else { throw .ENOENT }
            stack.append((name, node))
        }
        return stack
    }

    /// Where a link leads; `self` in /proc is the process that asks.
    private func target(of node: Node, _ process: Process?) -> String? {
        guard let target = node.target else { return nil }
        if target == FileTree.selfLink { return process.map { "\($0.id)" } }
        if target == FileTree.programLink { return process?.programPath }
        return target
    }
    static let selfLink = "\u{0}self"
    static let programLink = "\u{0}exe"

    func readLink(_ node: Node, _ process: Process) -> String? { target(of: node, process) }

    // MARK: Changing

    func add(_ node: Node, _ place: Place) throws(Errno) {
        guard case .directory(var entries) = place.parent.content else { throw .ENOTDIR }
        guard !place.parent.isReadOnly else { throw .EROFS }
        guard place.node == nil, !place.name.isEmpty else { throw .EEXIST }
        entries[place.name] = node
        place.parent.content = .directory(entries)
        place.parent.changedAt = now()
    }

    func remove(_ place: Place, isDirectory: Bool) throws(Errno) {
        guard let node = place.node else { throw .ENOENT }
        guard !place.parent.isReadOnly else { throw .EROFS }
        guard case .directory(var entries) = place.parent.content, !place.name.isEmpty else { throw .EBUSY }
        if let inside = node.entries {
            guard isDirectory else { throw .EISDIR }
            guard inside.isEmpty else { throw .ENOTEMPTY }
        } else if isDirectory {
            throw .ENOTDIR
        }
        entries[place.name] = nil
        node.links -= min(1, node.links)
        place.parent.content = .directory(entries)
        place.parent.changedAt = now()
    }

    func rename(_ from: Place, _ to: Place) throws(Errno) {
        guard let node = from.node else { throw .ENOENT }
        if to.node === node { return }
        if let old = to.node { try remove(to, isDirectory: old.entries != nil) }
        try remove(Place(parent: from.parent, name: from.name, node: Node(.file([]), mode: 0, number: 0), path: ""), isDirectory: false)
        node.links += 1
        var place = to
        place.node = nil
        try add(node, place)
    }

    /// Another name for a file (link(2)).
    func link(_ node: Node, _ place: Place) throws(Errno) {
        guard node.entries == nil else { throw .EPERM }
        try add(node, place)
        node.links += 1
    }

    // MARK: Building

    /// A directory, with all above it.
    @discardableResult func directory(_ path: String, mode: UInt32 = 0o755) -> Node {
        var node = root
        for name in path.split(separator: "/").map(String.init) {
            guard case .directory(var entries) = node.content else { return node }
            if let next = entries[name] {
                node = next
            } else {
                let next = make(.directory([:]), mode: mode)
                entries[name] = next
                node.content = .directory(entries)
                node = next
            }
        }
        return node
    }

    @discardableResult func place(_ content: Node.Content, at path: String, mode: UInt32) -> Node {
        let names = path.split(separator: "/").map(String.init)
        let parent = directory(names.dropLast().joined(separator: "/"))
        let node = make(content, mode: mode)
        if case .directory(var entries) = parent.content {
            entries[names.last ?? ""] = node
            parent.content = .directory(entries)
        }
        return node
    }
}

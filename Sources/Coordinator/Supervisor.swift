import Foundation
import RunFiles
import Runtime
import Subprocess
import SystemPackage

/// Starts child processes, each on its lifeline, and knows when they end.
actor Supervisor {
    struct Key: Hashable, Sendable {
        var name: String
        var generation: UInt32
    }

    private struct Child {
        var task: Task<Void, Never>
        var lifeline: FileDescriptor?
        var identifier: Int32?
    }

    private let binFolder: String
    private let endpoint: String
    private let folder: RunFolder
    private var children: [Key: Child] = [:]
    private var expectedEnds: Set<Key> = []
    private let ended: @Sendable (Key, String, Int32?) -> Void

    /// - Parameter ended: Called when a child ends that was not told to.
    init(binFolder: String, endpoint: String, folder: RunFolder, ended: @escaping @Sendable (Key, String, Int32?) -> Void) {
        self.binFolder = binFolder
        self.endpoint = endpoint
        self.folder = folder
        self.ended = ended
    }

    func start(_ executable: String, _ key: Key, configuration: String) throws {
        guard let (childEnd, parentEnd) = Lifeline.make() else { throw RunError("cannot make a pipe") }
        guard let log = openLog(path: folder.log(key.name)).map(FileDescriptor.init(rawValue:)) else {
            throw RunError("cannot write \(folder.log(key.name))")
        }
        let path = "\(binFolder)/\(executable)"
        let arguments: [String] = [
            "--endpoint", endpoint, "--generation", String(key.generation), "--configuration",
            URL(fileURLWithPath: configuration).path,
        ]
        let task = Task { [self] in
            var end: String? = "did not start"
            var code: Int32?
            do {
                // glibc keeps freed memory per thread; two arenas are enough for a single-threaded node.
                let result = try await run(
                    .path(FilePath(path)), arguments: Arguments(arguments),
                    environment: .inherit.updating(["MALLOC_ARENA_MAX": "2"]),
                    input: .fileDescriptor(FileDescriptor(rawValue: childEnd), closeAfterSpawningProcess: true),
                    output: .discarded, error: .fileDescriptor(log, closeAfterSpawningProcess: true)
                ) { execution in
                    running(key, execution.processIdentifier.value)
                }
                // A child leaves by itself only when it is told to; anything else is a loss.
                end = result.terminationStatus.isSuccess ? nil : "\(result.terminationStatus)"
                if case .exited(let number) = result.terminationStatus { code = number }
            } catch {
                end = "\(error)"
            }
            gone(key, end, code)
        }
        children[key] = Child(task: task, lifeline: FileDescriptor(rawValue: parentEnd))
    }

    private func running(_ key: Key, _ identifier: Int32) { children[key]?.identifier = identifier }

    private func gone(_ key: Key, _ end: String?, _ code: Int32?) {
        cutLifeline(key)
        guard children.removeValue(forKey: key) != nil else { return }
        if expectedEnds.remove(key) == nil, let end { ended(key, end, code) }
    }

    /// Once only: the number may be somebody else's by then, such as a socket's of the bus.
    private func cutLifeline(_ key: Key) {
        try? children[key]?.lifeline?.close()
        children[key]?.lifeline = nil
    }

    /// SIGKILL, and the end of the process before this returns.
    func kill(_ key: Key) async {
        guard let child = children[key] else { return }
        expectedEnds.insert(key)
        while children[key]?.identifier == nil && children[key] != nil { await Task.yield() }
        if let identifier = children[key]?.identifier { killProcess(identifier) }
        await child.task.value
    }

    /// Closes all lifelines and waits until every child is gone.
    func stopAll() async {
        for key in children.keys {
            expectedEnds.insert(key)
            cutLifeline(key)
        }
        for child in children.values { await child.task.value }
    }

    /// From now on children may end by themselves: they have been told to.
    func expectEnds() { expectedEnds.formUnion(children.keys) }

    var processes: [(key: Key, identifier: Int32)] {
        children.compactMap { key, child in child.identifier.map { (key, $0) } }
    }
}

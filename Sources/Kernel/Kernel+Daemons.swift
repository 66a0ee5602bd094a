import Silicon

/// Users of system services; apps have theirs from 1000 on.
enum SystemUser {
    static let root: UInt32 = 0
    /// azured: updates.
    static let updater: UInt32 = 100
    /// azcore: crash dumps.
    static let dumper: UInt32 = 101
    static let firstApp: UInt32 = 1000
}

/// What outlives an app: files of the OS's own, as long as the device runs.
public final class SystemState {
    /// Which app is which user: a component ID and a number in each line.
    public var userMap: [UInt8] = []
    /// What azcore did last.
    var dumperStatus = Array("idle\n".utf8)
    /// Peripherals that are switched off, for all programs.
    var switchedOff: Set<String> = []
    public init() {}
}

/// What system services do when an app starts or crashes.
extension Kernel {
    static let userMapPath = "/run/uid_map"
    private static let dumperPath = "/run/azcore"
    private static let dumpPath = "/tmp/core"
    private static let dumpedBytes = 512

    func placeSystemFiles() {
        tree.place(.file(system.userMap), at: Kernel.userMapPath, mode: 0o644)
        tree.place(.file(system.dumperStatus), at: Kernel.dumperPath, mode: 0o644).owner = SystemUser.dumper
    }

    /// Which user an app is. A map that gives two the same, or one that is a system service's, is a bad one.
    func user(of component: String, weaknesses: Set<Weakness>) -> UInt32 {
        var (found, seen, isBad) = (SystemUser.firstApp, Set<UInt32>(), false)
        for line in system.userMap.split(separator: 0x0A) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count == 2, let number = UInt32(words[1]) else {
                isBad = true
                continue
            }
            if number < SystemUser.firstApp || !seen.insert(number).inserted { isBad = true }
            if words[0].lowercased() == component.lowercased() { found = number }
        }
        guard isBad, !weaknesses.contains(.duplicateUser) else { return found }
        onEvent(now, .tampered("\(Kernel.userMapPath): bad file format"))
        system.userMap = Array("\(component) \(SystemUser.firstApp)\n".utf8)
        return SystemUser.firstApp
    }

    /// azcore writes what is known of a crash, and the top of the stack, to where it always does.
    func dump(_ record: CrashRecord, of process: Process) {
        let weaknesses = process.policy.weaknesses
        let head = Array("azcore: \(process.name): \(record.text)\n".utf8)
        let stack = process.core.memory.load(record.sp, Kernel.dumpedBytes) ?? []
        let user = weaknesses.contains(.powerfulDaemon) ? SystemUser.root : SystemUser.dumper
        do throws(Errno) {
            var place = try tree.find(Kernel.dumpPath, from: (tree.root, "/"), for: nil, followsLast: weaknesses.contains(.followedLinks))
            if let node = place.node, node.target != nil {
                onEvent(now, .tampered("\(Kernel.dumpPath): a link"))
                try tree.remove(place, isDirectory: false)
                place.node = nil
            }
            if let node = place.node {
                guard user == SystemUser.root || node.owner == user else { throw .EACCES }
                node.content = .file(head + stack)
            } else {
                let node = tree.make(.file(head + stack), mode: 0o644)
                node.owner = user
                try tree.add(node, place)
            }
        } catch {
            onEvent(now, .tampered("\(Kernel.dumpPath): cannot be written (\(error))"))
        }
    }

    /// The files of the OS as they are now.
    func keepSystemFiles() {
        func content(_ path: String) -> [UInt8]? { (try? tree.find(path, from: (tree.root, "/"), for: nil))?.node?.bytes }
        system.userMap = content(Kernel.userMapPath) ?? system.userMap
        system.dumperStatus = content(Kernel.dumperPath) ?? system.dumperStatus
    }

    /// The OS itself cannot go on: all programs end with it.
    func panic(_ reason: String) {
        onEvent(now, .panic(reason))
        halt()
    }

    /// What programs have written is to be safe now: fsync(2), and what implies it.
    func sync() { if onSync?() == false { halt() } }

    /// Nothing runs any more: the OS cannot go on, or the power is gone.
    private func halt() {
        for process in processes.values.sorted(by: { $0.id < $1.id }) {
            for thread in process.threads { remove(thread) }
            process.status = UInt32(SignalNumber.kill)
        }
        changed()
    }
}

import Formats
import Silicon

/// The files that every program finds: /dev, /proc and a place to write.
extension Kernel {
    /// Where the SDK says that the device's certificate is.
    static let certificatePath = "/run/daa/certificate.pem"

    func buildTree() {
        for path in ["/bin", "/etc", "/proc", "/dev", "/mnt"] { tree.directory(path) }
        tree.directory("/tmp").mode = 0o1777
        tree.place(.device { _ throws(Errno) in NullFile(givesZeros: false, flags: OpenFile.readWrite) }, at: "/dev/null", mode: 0o666)
        tree.place(.device { _ throws(Errno) in NullFile(givesZeros: true, flags: OpenFile.readWrite) }, at: "/dev/zero", mode: 0o666)
        for name in ["random", "urandom"] {
            tree.place(.device { [random] _ throws(Errno) in RandomFile(random) }, at: "/dev/\(name)", mode: 0o444)
        }
        for (stream, name) in ["stdin", "stdout", "stderr"].enumerated() {
            tree.place(.link("/proc/self/fd/\(stream)"), at: "/dev/\(name)", mode: 0o777)
        }
        tree.place(.device { [unowned self] _ throws(Errno) in ServiceFile(self) }, at: "/dev/services", mode: 0o666)
        tree.place(
            .device { [unowned self] process throws(Errno) in
                try process.mustHave("SystemEventNotifications")
                return openEvents()
            }, at: "/dev/sysevent", mode: 0o444)
        tree.place(.link(FileTree.selfLink), at: "/proc/self", mode: 0o777)
        tree.place(.link("self/thread"), at: "/proc/thread-self", mode: 0o777)
        tree.place(.file(Array("root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n".utf8)), at: "/etc/passwd", mode: 0o444)
        tree.place(.file(Array("root:x:0:\napp:x:1000:\n".utf8)), at: "/etc/group", mode: 0o444)
        tree.place(.file(Array("nameserver 127.0.0.1\n".utf8)), at: "/etc/resolv.conf", mode: 0o444)
        tree.place(.file(Array("127.0.0.1 localhost\n".utf8)), at: "/etc/hosts", mode: 0o444)
        tree.place(.file(Array("hosts: files dns\n".utf8)), at: "/etc/nsswitch.conf", mode: 0o444)
        // Its mode says whether the app has been given a tenant.
        tree.place(
            .generated { [unowned self] _ in services?.certificateChain ?? [] }, at: Kernel.certificatePath, mode: 0
        )
        addGuardedDevices()
        generate("/proc/version") { _ in "Linux version 5.10.60 (orrery) #1 PREEMPT\n" }
        generate("/proc/uptime") { kernel in "\(hundredths(kernel.now)) 0.00\n" }
        generate("/proc/meminfo") { _ in "MemTotal:           4096 kB\nMemFree:            2048 kB\nMemAvailable:       2048 kB\n" }
        generate("/proc/mounts") { _ in "root / rootfs rw 0 0\nproc /proc proc rw,nosuid,nodev,noexec 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n"
        }
        generate("/proc/net/dev") { $0.interfaceTable }
        generate("/proc/loadavg") { "0.00 0.00 0.00 1/\($0.processes.count) \($0.processes.count)\n" }
        generate("/proc/stat") { "cpu  \($0.now / 10_000_000) 0 0 0 0 0 0 0 0 0\nbtime \($0.epoch / 1_000_000_000)\n" }
        generate("/proc/cpuinfo") { _ in
            "processor\t: 0\nmodel name\t: ARMv7 Processor rev 5 (v7l)\nFeatures\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32\nHardware\t: MT3620\n"
        }
    }

    private func generate(_ path: String, _ text: @escaping (Kernel) -> String) {
        tree.place(.generated { [unowned self] _ in Array(text(self).utf8) }, at: path, mode: 0o444)
    }

    /// What /proc shows of a process while it lives.
    func showProcess(_ process: Process) {
        let path = "/proc/\(process.id)"
        tree.place(.link(FileTree.programLink), at: path + "/exe", mode: 0o777)
        tree.place(
            .generated { [weak process] _ in Array((process?.arguments ?? []).flatMap { Array($0.utf8) + [0] }) }, at: path + "/cmdline",
            mode: 0o444)
        for (name, weakness) in [("mem", Weakness.procMemory), ("task/\(process.id)/mem", .taskMemory), ("thread/mem", .threadMemory)] {
            let isWeak = process.policy.weaknesses.contains(weakness)
            tree.place(
                .device { [weak process] opener throws(Errno) in
                    guard let process, opener === process else { throw .EACCES }
                    return MemoryFile(process)
                }, at: "\(path)/\(name)", mode: isWeak ? 0o600 : 0o400
            ).owner = process.user
        }
        tree.place(.generated { [weak process] _ in Array("\(process?.name ?? "")\n".utf8) }, at: path + "/comm", mode: 0o444)
        tree.place(.link("../net"), at: path + "/net", mode: 0o777)
        tree.place(
            .generated { [weak process] reader in process.map { $0 === reader ? Array(Kernel.maps($0).utf8) : [] } ?? [] },
            at: path + "/maps", mode: 0o400
        ).owner = process.user
        tree.place(.listing { [weak process] in process.map(Kernel.descriptors) ?? [:] }, at: path + "/fd", mode: 0o500).owner =
            process.user
        tree.place(
            .generated { [weak process] _ in
                guard let process else { return [] }
                let lines = [
                    "Name:\t\(process.name)", "State:\tR (running)", "Tgid:\t\(process.id)", "Pid:\t\(process.id)",
                    "PPid:\t\(process.parent)",
                    "Uid:\t\(process.user)\t\(process.user)\t\(process.user)\t\(process.user)", "Threads:\t\(process.threads.count)",
                ]
                return Array((lines.joined(separator: "\n") + "\n").utf8)
            }, at: path + "/status", mode: 0o444)
    }

    /// /proc/PID/maps (proc(5)), as far as it is known: what is where, and what the program may do with it.
    private static func maps(_ process: Process) -> String {
        process.core.memory.stretches.map { stretch in
            func hex(_ value: UInt32) -> String {
                String(repeating: "0", count: 8 - String(value, radix: 16).count) + String(value, radix: 16)
            }
            let access =
                switch stretch.access {
                case .none: "---p"
                case .read: "r--p"
                case .readWrite: "rw-p"
                case .readExecute: "r-xp"
                case .everything: "rwxp"
                }
            let end = stretch.start + UInt32(stretch.count)
            let name = end == Loader.stackTop ? " [stack]" : process.heap.contains(stretch.start) ? " [heap]" : ""
            return "\(hex(stretch.start))-\(hex(end)) \(access) 00000000 00:00 0\(name)\n"
        }.joined()
    }

    /// What a process has open, by number: opening one is having it once more.
    private static func descriptors(_ process: Process) -> [String: Node] {
        var entries: [String: Node] = [:]
        for (number, entry) in process.files {
            let open: (Process) throws(Errno) -> OpenFile = { opener throws(Errno) in
                guard opener === process else { throw .EACCES }
                return entry.file
            }
            let node = Node(.device(open), mode: 0o600, number: UInt64(number) + 1)
            (node.owner, node.group) = (process.user, process.groupOfUser)
            entries["\(number)"] = node
        }
        return entries
    }

    func hideProcess(_ process: Process) {
        guard case .directory(var entries) = tree.directory("/proc").content else { return }
        entries["\(process.id)"] = nil
        tree.directory("/proc").content = .directory(entries)
    }
}

private func hundredths(_ nanoseconds: Int64) -> String {
    let part = nanoseconds / 10_000_000 % 100
    return "\(nanoseconds / 1_000_000_000).\(part < 10 ? "0" : "")\(part)"
}

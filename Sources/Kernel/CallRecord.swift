import Silicon

/// A system call that has been answered, for whoever follows a program.
public struct CallRecord: Sendable {
    public var program: String
    public var thread: Int32
    public var name: String
    /// As many as calls have at most; those that the call does not take are what the registers happened to hold.
    public var arguments: [UInt32]
    /// Arguments that are paths, by their place.
    public var texts: [Int: String]
    /// What the program was given, a negative one for an error; nil if the call does not come back.
    public var result: Int32?

    init(_ thread: Thread, _ call: SystemCall, _ texts: [Int: String]) {
        (program, self.thread, self.texts) = (thread.process.name, thread.id, texts)
        name = CallNames.name(of: call.number)
        arguments = Array(call.arguments.prefix(6))
    }

    /// Which arguments of a call are paths.
    private static let paths: [String: [Int]] = [
        "open": [0], "openat": [1], "execve": [0], "stat64": [0], "lstat64": [0], "fstatat64": [1], "statx": [1], "access": [0],
        "faccessat": [1], "faccessat2": [1], "readlink": [0], "readlinkat": [1], "unlink": [0], "unlinkat": [1], "mkdir": [0],
        "mkdirat": [1], "rmdir": [0], "chdir": [0], "rename": [0, 1], "renameat": [1, 3], "renameat2": [1, 3], "link": [0, 1],
        "linkat": [1, 3], "symlink": [0, 1], "symlinkat": [0, 2], "chmod": [0], "fchmodat": [1], "statfs64": [0],
    ]

    static func texts(_ call: SystemCall, _ process: Process) -> [Int: String] {
        var found: [Int: String] = [:]
        for place in paths[CallNames.name(of: call.number)] ?? [] where place < call.arguments.count {
            found[place] = process.core.memory.text(call.arguments[place])
        }
        return found
    }

    /// As strace(1) shows it.
    public var text: String {
        let words = arguments.enumerated().map { index, value in texts[index].map { "\"\($0)\"" } ?? CallRecord.word(value) }
        let end =
            result.map { value in
                guard (-4095..<0).contains(value) else {
                    return value < 0 || value > 1 << 16 ? CallRecord.word(UInt32(bitPattern: value)) : "\(value)"
                }
                return "-1 " + (Errno(rawValue: -value).map { "\($0)" } ?? "error \(-value)")
            } ?? "?"
        return "\(program)[\(thread)] \(name)(\(words.joined(separator: ", "))) = \(end)"
    }

    private static func word(_ value: UInt32) -> String {
        value < 1 << 16 || value > .max - 4096 ? "\(Int32(bitPattern: value))" : "0x" + String(value, radix: 16)
    }
}

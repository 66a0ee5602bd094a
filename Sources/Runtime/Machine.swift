import FoundationEssentials
import Glibc

/// What the machine has to offer, for a check before anything starts.
public enum Machine {
    /// What the system says of an error number (strerror(3)).
    public static func words(for errorNumber: Int32) -> String { unsafe String(cString: strerror(errorNumber)) }

    /// Open files that one process may have.
    public static var fileDescriptorLimit: Int {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Int(min(limit.rlim_cur, 1 << 30)) : 0
    }

    /// Memory that can be had without swapping, in bytes; nil if the system does not say.
    public static var availableMemoryBytes: Int? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "/proc/meminfo")) else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
    }

    /// A terminal is watching standard error.
    public static var hasTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// The folder of the running executable.
    public static var executableFolder: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { raw in
            unsafe readlink("/proc/self/exe", raw.bindMemory(to: CChar.self).baseAddress!, raw.count)
        }
        let path = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// The built guest code: `guest` beside one of the folders above.
    public static func guestFolder(above folder: String) -> String {
        var above = folder
        while above.contains("/") {
            let candidate = above + "/guest"
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            above = above.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        }
        return folder + "/guest"
    }
}

/// Ends another process at once.
public func killProcess(_ identifier: Int32) { kill(identifier, SIGKILL) }

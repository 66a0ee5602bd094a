import Glibc

/// The pipe on standard input that a parent holds open: when it closes, the process has no purpose left.
public enum Lifeline {
    /// A new pipe: `child` becomes the child's standard input, `parent` is never written to. No other child
    /// inherits either end, or it would keep this one alive.
    public static func make() -> (child: Int32, parent: Int32)? {
        var ends: [Int32] = [0, 0]
        // A socket pair, since Glibc does not show pipe2 to Swift and pipe cannot set close-on-exec at once.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        return unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 ? (ends[0], ends[1]) : nil
    }

    /// - Parameter socket: An `ipc://` endpoint whose file and folder go with the process.
    static func hold(socket: String?) {
        OSThread.start {
            var byte: UInt8 = 0
            while true {
                let count = unsafe read(STDIN_FILENO, &byte, 1)
                guard count == 0 || count < 0 && errno != EINTR else { continue }
                if let path = socket?.dropFirst("ipc://".count) {
                    unsafe _ = unlink(String(path))
                    unsafe _ = rmdir(path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
                }
                _exit(0)
            }
        }
    }
}

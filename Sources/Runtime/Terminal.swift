import Glibc

/// What is said to a person beside a command's result. Somebody who has stopped reading (`2>&1 | head`) hears no more, and
/// nothing else comes of it.
public enum Terminal {
    /// A line on standard error.
    public static func note(_ line: String) { write(Array((line + "\n").utf8)) }

    /// Bytes on standard error, as they are.
    public static func write(_ bytes: [UInt8]) { _ = writeAll(bytes, to: STDERR_FILENO) }
}

import Foundation

/// What is said to a person beside a command's result. Somebody who has stopped reading (`2>&1 | head`) hears no more, and
/// nothing else comes of it.
enum Terminal {
    /// A line on standard error.
    static func note(_ line: String) { write(Array((line + "\n").utf8)) }

    /// Bytes on standard error, as they are.
    static func write(_ bytes: [UInt8]) { try? FileHandle.standardError.write(contentsOf: Data(bytes)) }
}

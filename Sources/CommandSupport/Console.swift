import Foundation
import RunFiles
import Runtime
import Synchronization
import Wire

/// What commands say to the person at the terminal, beside their result.
public enum Console {
    /// A line on standard error.
    public static func note(_ line: String) { Terminal.note(line) }

    /// How far something long has come, for whoever looks at a terminal.
    public static func progress(_ line: String) { if Machine.hasTerminal { note(line) } }
    public static func warn(_ message: String) { note("warning: " + message) }

    /// What went wrong, as far as a person can mend it.
    public static func words(_ error: any Error) -> String { (error as? DecodingError).map(JSON.reason) ?? "\(error)" }

    /// Says why, and ends the process: 1 for no, 2 for not known, 64 for bad usage or a bad file, 70 for what went wrong here.
    public static func fail(_ message: String, _ code: Int32) -> Never {
        note(message)
        Foundation.exit(code)
    }

    /// As `orrery` prints all of its JSON: sorted, indented.
    public static func printJSON(_ value: some Encodable) throws { print(try JSON.pretty(value), terminator: "") }

    /// The same, into a file.
    public static func saveJSON(_ value: some Encodable, _ path: String) throws { try RunFolder.writeJSON(value, path) }
}

/// Where this `orrery` lies, and what was built beside it.
public enum Installation {
    public static var executableFolder: String { Machine.executableFolder }
    public static var guestFolder: String { guestFolder(above: executableFolder) }
    public static func guestFolder(above folder: String) -> String { Machine.guestFolder(above: folder) }
}

/// What Ctrl-C does just now.
public enum InterruptTarget {
    static let shared = Mutex<@Sendable () -> Void>({ Foundation.exit(130) })
    private static let count = Atomic<Int>(0)

    /// Watches for it from now on; a second Ctrl-C ends the process at once.
    public static func watch() {
        Interrupts.watch {
            if count.add(1, ordering: .relaxed).newValue > 1 { Foundation.exit(130) }
            shared.withLock { $0 }()
        }
    }
}

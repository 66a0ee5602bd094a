import FoundationEssentials
import Glibc
import Logging
public import Wire

/// What each child process is told on its command line.
public struct Startup {
    public let endpoint: String
    public let generation: UInt32
    public let configurationPath: String

    /// Reads the arguments and makes the process a good child: it ignores SIGPIPE and Ctrl-C, and leaves when
    /// its lifeline (standard input) closes. (PR_SET_PDEATHSIG would fire when the *thread* that started the
    /// child ends, and the parent's threads come and go.)
    public static func begin(_ name: String, ownsEndpoint: Bool = false) -> Startup {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGINT, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var values: [String: String] = [:]
        let arguments = CommandLine.arguments.dropFirst()
        for (key, value) in zip(arguments, arguments.dropFirst()) where key.hasPrefix("--") { values[key] = value }
        guard let endpoint = values["--endpoint"], let path = values["--configuration"],
            let generation = UInt32(values["--generation"] ?? "0")
        else {
            end(name, "usage: \(name) --endpoint URL --generation N --configuration FILE (started by orrery)", code: 64)
        }
        Lifeline.hold(socket: ownsEndpoint ? endpoint : nil)
        return Startup(endpoint: endpoint, generation: generation, configurationPath: path)
    }

    /// The configuration file, or a clear end of the process.
    public func configuration<T: Decodable>(_: T.Type, _ name: String) -> T {
        do {
            return try JSONDecoder().decode(T.self, from: Data(contentsOf: URL(fileURLWithPath: configurationPath)))
        } catch {
            Startup.end(name, "cannot read \(configurationPath): \(error)", code: 70)
        }
    }

    /// Of a process that could not write what it was told to keep (EX_IOERR of sysexits.h).
    public static let cannotWrite: Int32 = 74

    /// Keeps lines in a file that was asked for; ends the process where it can't.
    public static func keyLog(_ name: String, path: String) -> (String) -> Void {
        let why = "cannot write the key log \(path): is the disk full?"
        guard let file = LineFile(path: path) else { end(name, why, code: cannotWrite) }
        return { if !file.append($0) { end(name, why, code: cannotWrite) } }
    }

    /// Says why and leaves.
    public static func end(_ name: String, _ message: String, code: Int32) -> Never {
        Logger(label: name).error("\(message)")
        exit(code)
    }
}

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

/// A real thread, for what blocks.
public enum OSThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    public static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
        unsafe pthread_create(
            &thread, nil,
            { raw in
                unsafe Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, body)
        pthread_detach(thread)
    }
}

/// Lines appended to a file, such as a TLS key log.
@safe public final class LineFile {
    private let descriptor: Int32
    public init?(path: String) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }
    /// False if the disk did not take it, which is then for the caller to say.
    @discardableResult public func append(_ line: String) -> Bool { writeAll(Array((line + "\n").utf8), to: descriptor) }
}

/// Opens a file that a child's log is appended to; nil if that cannot be.
public func openLog(path: String) -> Int32? {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    return descriptor < 0 ? nil : descriptor
}

/// Bytes appended to a file as they come.
@safe public final class ByteFile {
    private let descriptor: Int32
    public init?(path: String) {
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { return nil }
    }
    deinit { close(descriptor) }
    /// False if the disk did not take all of it.
    public func append(_ bytes: [UInt8]) -> Bool { writeAll(bytes, to: descriptor) }
}

/// A write may take less than it is given, and be interrupted.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
        let put = unsafe bytes.withUnsafeBytes { buffer in
            unsafe write(descriptor, buffer.baseAddress! + done, bytes.count - done)
        }
        if put < 0, errno == EINTR { continue }
        guard put > 0 else { return false }
        done += put
    }
    return true
}

/// Time since an origin on the monotonic clock.
public struct WallClock: Sendable {
    private let origin: Int64
    public init(now: Instant = .start) { origin = WallClock.monotonic() - now.nanoseconds }
    public var now: Instant { Instant(nanoseconds: WallClock.monotonic() - origin) }

    private static func monotonic() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// SIGINT and SIGTERM, handed to a thread of their own.
public enum Interrupts {
    // Written once before the handler is set. A handler may do little more than write to a file descriptor.
    nonisolated(unsafe) private static var wakeUp: Int32 = -1

    public static func watch(_ handler: @escaping @Sendable () -> Void) {
        signal(SIGPIPE, SIG_IGN)
        guard let (listening, speaking) = Lifeline.make() else { return }
        unsafe wakeUp = speaking
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                var byte: UInt8 = 1
                unsafe _ = write(Interrupts.wakeUp, &byte, 1)
            }
        }
        OSThread.start {
            var byte: UInt8 = 0
            while unsafe read(listening, &byte, 1) != 0 { handler() }
        }
    }
}

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
}

/// Ends another process at once.
public func killProcess(_ identifier: Int32) { kill(identifier, SIGKILL) }

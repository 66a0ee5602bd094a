import FoundationEssentials
import Glibc
import Logging

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

import Judging
import Runtime
import SecureChannel
public import Wire

/// A file that a run was told to keep whole: it ends where it can't.
public final class KeptFile {
    private let file: ByteFile
    private let path: String

    public init(path: String) throws {
        guard let file = ByteFile(path: path) else { throw RunError("cannot write \(path)") }
        (self.file, self.path) = (file, path)
    }

    public func append(_ bytes: [UInt8]) throws {
        guard file.append(bytes) else { throw RunError("cannot write \(path): is the disk full?") }
    }
}

/// Writes the journal and its digest as it grows.
public final class Recorder {
    /// For the judges: what stands in the file.
    private let kept: KeptObservations
    public var journal: ObservationLog { kept.log }
    private let file: KeptFile
    private let digest = SHA256Stream()

    public init(path: String) throws {
        file = try KeptFile(path: path)
        kept = try KeptObservations()
        try write(Journal.header + "\n")
    }

    /// A journal with a hole would be judged like a whole one: the run ends instead.
    public func append(_ observations: [Observation]) throws {
        try kept.append(observations)
        try write(observations.map { Journal.line($0) + "\n" }.joined())
    }

    private func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        digest.update(bytes)
        try file.append(bytes)
    }

    public func finish() -> String { digest.finish().hex }
}

import Runtime
public import Wire

/// Observations on disk, in the form in which they came over the bus: as many as a run has, with a few of them in memory.
///
/// The file has no name, and is gone with this.
public final class KeptObservations {
    private let file: ScratchFile
    /// Where each block begins, and where the last one ends.
    private var offsets = [0]
    private var waiting: [Observation] = []
    private var count = 0

    public init() throws {
        guard let file = ScratchFile() else { throw RunError("cannot write a temporary file: is the disk full?") }
        self.file = file
    }

    public func append(_ observations: [Observation]) throws {
        waiting += observations
        count += observations.count
        while waiting.count >= ObservationLog.blockCount {
            let bytes = ObservationLog.encode(Array(waiting.prefix(ObservationLog.blockCount)))
            guard file.append(bytes) else { throw RunError("cannot write a temporary file: is the disk full?") }
            offsets.append((offsets.last ?? 0) + bytes.count)
            waiting.removeFirst(ObservationLog.blockCount)
        }
    }

    /// All that has been appended so far.
    public var log: ObservationLog {
        let (offsets, rest, file) = (offsets, waiting, file)
        return ObservationLog(count: count) { block in
            guard block < offsets.count - 1 else { return rest }
            let bytes = file.read(offsets[block], offsets[block + 1] - offsets[block])
            guard let observations = try? ObservationLog.decode(bytes) else {
                preconditionFailure("a temporary file of this process has changed")
            }
            return observations
        }
    }
}

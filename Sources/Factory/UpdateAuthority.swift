import SecureChannel
import TUF

/// The keys of one update repository: two of three for its root, which stay in a safe, and for each generation two of
/// two for targets and one each for snapshot and timestamp, which are used all the time.
public struct UpdateAuthority {
    public struct Generation {
        public let targetsKeys = [FactoryKey(), FactoryKey()]
        public let snapshotKey = FactoryKey()
        public let timestampKey = FactoryKey()
    }

    /// How long a root is good, and how long before its end its successor is published, in seconds.
    private static let (lifetime, reserve): (Int64, Int64) = (365 * 86_400, 90 * 86_400)

    private let rootKeys = [FactoryKey(), FactoryKey(), FactoryKey()]
    /// The first is in use; the next lies ready for the day on which the one before is stolen.
    private let generations: [Generation]
    /// By generation, then by how often it was renewed before: each brings the same keys to a later end.
    private let roots: [[[UInt8]]]

    /// The root that devices leave the factory with.
    public var root: [UInt8] { roots[0][0] }

    /// - Parameters:
    ///   - unixSeconds: When the ceremony takes place; the roots are good for a year.
    ///   - end: Until when the keyholders' later ceremonies are known: their roots lie ready, too.
    ///   - rotations: How often keys are to be replaced.
    public init(unixSeconds: Int64, until end: Int64, rotations: Int) {
        let generations = (0...max(1, rotations)).map { _ in Generation() }
        let (rootKeys, step) = (rootKeys, UpdateAuthority.lifetime - UpdateAuthority.reserve)
        let renewals = max(0, Int((end - unixSeconds - 1) / step))
        roots = generations.enumerated().map { index, generation in
            (0...renewals).map { renewal in
                let document = TUFDocument.root(
                    version: Int64(index + renewal + 1), expires: unixSeconds + UpdateAuthority.lifetime + Int64(renewal) * step,
                    roles: [
                        "root": .init(keys: rootKeys.map(\.key.publicKey), threshold: 2),
                        "targets": .init(keys: generation.targetsKeys.map(\.key.publicKey), threshold: 2),
                        "snapshot": .init(keys: [generation.snapshotKey.key.publicKey], threshold: 1),
                        "timestamp": .init(keys: [generation.timestampKey.key.publicKey], threshold: 1),
                    ])
                return TUFDocument.file(document, signedBy: rootKeys.prefix(2).map { TUFSigningKey($0.key) })
            }
        }
        self.generations = generations
    }

    /// What the service reads at start, by file name. The root's keys are not among it.
    public func files(_ prefix: String) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (index, generation) in generations.enumerated() {
            let name = "\(prefix)-\(index + 1)"
            for (renewal, root) in roots[index].enumerated() { files["\(name)-root-\(renewal).json"] = root }
            files["\(name)-snapshot.key"] = generation.snapshotKey.scalar
            files["\(name)-timestamp.key"] = generation.timestampKey.scalar
            for (number, key) in generation.targetsKeys.enumerated() { files["\(name)-targets-\(number + 1).key"] = key.scalar }
        }
        return files
    }
}

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

    private let rootKeys = [FactoryKey(), FactoryKey(), FactoryKey()]
    /// The first is in use; the second lies ready for the day on which the first is stolen.
    private let generations = [Generation(), Generation()]
    private let roots: [[UInt8]]

    /// The root that devices leave the factory with.
    public var root: [UInt8] { roots[0] }

    /// - Parameter unixSeconds: When the ceremony takes place; the roots are good for a year.
    public init(unixSeconds: Int64) {
        let rootKeys = rootKeys
        roots = generations.enumerated().map { index, generation in
            let document = TUFDocument.root(
                version: Int64(index + 1), expires: unixSeconds + 365 * 86_400,
                roles: [
                    "root": .init(keys: rootKeys.map(\.key.publicKey), threshold: 2),
                    "targets": .init(keys: generation.targetsKeys.map(\.key.publicKey), threshold: 2),
                    "snapshot": .init(keys: [generation.snapshotKey.key.publicKey], threshold: 1),
                    "timestamp": .init(keys: [generation.timestampKey.key.publicKey], threshold: 1),
                ])
            return TUFDocument.file(document, signedBy: rootKeys.prefix(2).map { TUFSigningKey($0.key) })
        }
    }

    /// What the service reads at start, by file name. The root's keys are not among it.
    public func files(_ prefix: String) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (index, generation) in generations.enumerated() {
            let name = "\(prefix)-\(index + 1)"
            files["\(name)-root.json"] = roots[index]
            files["\(name)-snapshot.key"] = generation.snapshotKey.scalar
            files["\(name)-timestamp.key"] = generation.timestampKey.scalar
            for (number, key) in generation.targetsKeys.enumerated() { files["\(name)-targets-\(number + 1).key"] = key.scalar }
        }
        return files
    }
}

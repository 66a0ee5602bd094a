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

    private static func drawRootKeys() -> [FactoryKey] { [FactoryKey(), FactoryKey(), FactoryKey()] }
    /// The first is in use; the next lies ready for the day on which the one before is stolen.
    private let generations: [Generation]
    /// By generation, then by how often it was renewed before: each brings the same keys to a later end.
    private let roots: [[[UInt8]]]

    /// The root that devices leave the factory with.
    public var root: [UInt8] { roots[0][0] }

    /// - Parameters:
    ///   - unixSeconds: When the ceremony takes place; the roots are good for a year.
    ///   - end: Until when the keyholders' later ceremonies are known: their roots lie ready, too.
    ///   - rotations: When keys are to be replaced, in their order; the next always lie ready.
    public init(unixSeconds: Int64, until end: Int64, rotations: [Rotation]) {
        let due = rotations.filter { $0.part != .policy }.map(\.part)
        let parts: [Rotation.Part] = [.updateKeys] + (due.isEmpty ? [.updateKeys] : due)
        let step = UpdateAuthority.lifetime - UpdateAuthority.reserve
        let generations = parts.map { _ in Generation() }
        let first = UpdateAuthority.drawRootKeys()
        // By generation: whose root it is, and whose the one before it was.
        let keyholders = parts.dropFirst().reduce(into: [(own: first, last: first)]) { keyholders, part in
            let last = keyholders[keyholders.count - 1].own
            keyholders.append((part == .root ? UpdateAuthority.drawRootKeys() : last, last))
        }
        let renewals = max(0, Int((end - unixSeconds - 1) / step))
        roots = generations.enumerated().map { index, generation in
            let (rootKeys, last) = keyholders[index]
            // A root names its own successor's judges: with other root keys it is signed by those of the one before, too (TUF 1.0.34, 5.3.4).
            let isHandedOn = zip(rootKeys, last).contains { $0.scalar != $1.scalar }
            let signers = rootKeys.prefix(2) + (isHandedOn ? last.prefix(2) : [])
            return (0...renewals).map { renewal in
                let document = TUFDocument.root(
                    version: Int64(index + renewal + 1), expires: unixSeconds + UpdateAuthority.lifetime + Int64(renewal) * step,
                    roles: [
                        "root": .init(keys: rootKeys.map(\.key.publicKey), threshold: 2),
                        "targets": .init(keys: generation.targetsKeys.map(\.key.publicKey), threshold: 2),
                        "snapshot": .init(keys: [generation.snapshotKey.key.publicKey], threshold: 1),
                        "timestamp": .init(keys: [generation.timestampKey.key.publicKey], threshold: 1),
                    ])
                return TUFDocument.file(document, signedBy: signers.map { TUFSigningKey($0.key) })
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

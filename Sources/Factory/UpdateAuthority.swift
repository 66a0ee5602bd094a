import SecureChannel
import TUF

/// The keys of one update repository: two of three for its root, which stay in a safe, two of two for targets, and
/// one each for snapshot and timestamp, which are used all the time.
public struct UpdateAuthority {
    public let root: [UInt8]
    public let rootKeys = [FactoryKey(), FactoryKey(), FactoryKey()]
    public let targetsKeys = [FactoryKey(), FactoryKey()]
    public let snapshotKey = FactoryKey()
    public let timestampKey = FactoryKey()

    /// - Parameter unixSeconds: When the ceremony takes place; the root is good for a year.
    public init(unixSeconds: Int64) {
        let document = TUFDocument.root(
            version: 1, expires: unixSeconds + 365 * 86_400,
            roles: [
                "root": .init(keys: rootKeys.map(\.key.publicKey), threshold: 2),
                "targets": .init(keys: targetsKeys.map(\.key.publicKey), threshold: 2),
                "snapshot": .init(keys: [snapshotKey.key.publicKey], threshold: 1),
                "timestamp": .init(keys: [timestampKey.key.publicKey], threshold: 1),
            ])
        root = TUFDocument.file(document, signedBy: rootKeys.prefix(2).map { TUFSigningKey($0.key) })
    }

    /// What the service reads at start, by file name. The root's keys are not among it.
    public func files(_ prefix: String) -> [String: [UInt8]] {
        [
            "\(prefix)-root.json": root, "\(prefix)-snapshot.key": snapshotKey.scalar, "\(prefix)-timestamp.key": timestampKey.scalar,
            "\(prefix)-targets-1.key": targetsKeys[0].scalar, "\(prefix)-targets-2.key": targetsKeys[1].scalar,
        ]
    }
}

import Foundation
import SecureChannel
import TUF

/// Something that was published is not there.
enum RepositoryError: Error {
    case database(String)
}

/// The keys of a repository, as the service holds them, by generation.
struct RepositoryKeys {
    struct Generation {
        /// By how often the keyholders had renewed it before.
        let roots: [[UInt8]]
        /// When each ends, in Unix seconds.
        let ends: [Int64]
        let targets: [TUFSigningKey]
        let snapshot: TUFSigningKey
        let timestamp: TUFSigningKey
    }

    /// Those in use are the store's to know; each generation brings the roots that name it.
    let generations: [Generation]

    /// Reads the files of the factory.
    init(path: String, prefix: String) throws {
        var generations: [Generation] = []
        while true {
            let head = "\(prefix)-\(generations.count + 1)"
            func read(_ name: String) throws -> [UInt8] {
                Array(try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent("\(head)-\(name)")))
            }
            func key(_ name: String) throws -> TUFSigningKey { TUFSigningKey(try P256PrivateKey(scalar: read(name))) }
            var roots: [[UInt8]] = []
            while let root = try? read("root-\(roots.count).json") { roots.append(root) }
            guard !roots.isEmpty else { break }
            generations.append(
                Generation(
                    roots: roots, ends: try roots.map { try MetadataHead(ownFile: $0).expires },
                    targets: [try key("targets-1.key"), try key("targets-2.key")],
                    snapshot: try key("snapshot.key"), timestamp: try key("timestamp.key")))
        }
        guard !generations.isEmpty else { throw RepositoryError.database("\(prefix): there is no root") }
        self.generations = generations
    }

    /// The root that comes as such a one in a row of roots with these generations, and when it ends; nil if nobody has made it.
    func root(_ history: RootHistory, version: Int) -> (file: [UInt8], end: Int64)? {
        guard (1...history.generations.count).contains(version) else { return nil }
        let number = history.generations[version - 1]
        guard generations.indices.contains(number - 1) else { return nil }
        let (generation, renewal) = (generations[number - 1], version - number)
        return generation.roots.indices.contains(renewal) ? (generation.roots[renewal], generation.ends[renewal]) : nil
    }
}

/// Which keys each root has named that was published, from version 1 on. Both repositories have the same.
struct RootHistory: Equatable {
    /// From 1, never falling: a root renews the keys of the one before, or brings the next.
    var generations: [Int]
    var generation: Int { generations.last ?? 1 }

    /// So long before its end a root is renewed, in seconds.
    static let reserve: Int64 = 90 * 86_400

    /// What would come next.
    func renewed() -> RootHistory { RootHistory(generations: generations + [generation]) }
    func rotated() -> RootHistory { RootHistory(generations: generations + [generation + 1]) }
}

/// Serves and signs the metadata of one repository: the image repository, or the director for one device.
///
/// Roles are signed when somebody asks: a timestamp lives an hour and is made anew when half of it is over, so that
/// a device that is shown an old one notices.
struct UpdateRepository {
    static let timestampSeconds: Int64 = 3600
    static let snapshotSeconds: Int64 = 7 * 86_400
    static let targetsSeconds: Int64 = 30 * 86_400

    let name: String
    let authority: RepositoryKeys
    let store: ReleaseStore
    private let history: RootHistory
    /// From 1: which of the authority's keys sign.
    private var generation: Int { history.generation }
    private var keys: RepositoryKeys.Generation { authority.generations[generation - 1] }

    init(name: String, authority: RepositoryKeys, history: RootHistory, store: ReleaseStore) {
        self.name = name
        self.authority = authority
        self.history = history
        self.store = store
    }

    /// The file, or nil if there is none.
    func file(_ path: String, targets: () throws -> [String: TUFDocument.Target], now: Int64) throws -> [UInt8]? {
        if path.hasSuffix(".root.json") {
            return authority.root(history, version: Int(path.prefix { $0.isNumber }) ?? 0)?.file
        }
        guard path == "timestamp.json" else { return try store.metadata(name, path) }
        return try publish(try targets(), now: now)
    }

    /// Brings the repository up to date; the current timestamp.
    private func publish(_ targets: [String: TUFDocument.Target], now: Int64) throws -> [UInt8] {
        var heads = try store.roles(name)
        // Other content is a new version, and so are other keys.
        let content = "\(generation) " + sha256(TUFDocument.targets(version: 1, expires: 0, targets: targets).canonical).hex
        var files: [String: [UInt8]] = [:]
        func isHalfOver(_ role: String, _ life: Int64) -> Bool { (heads[role]?.expires ?? 0) - now < life / 2 }
        func next(_ role: String, _ life: Int64, _ note: String = "") -> (version: Int64, expires: Int64) {
            let head = ReleaseStore.RoleHead(version: (heads[role]?.version ?? 0) + 1, expires: now + life, note: note)
            heads[role] = head
            return (head.version, head.expires)
        }
        if heads["targets"]?.note != content || isHalfOver("targets", UpdateRepository.targetsSeconds)
            || isHalfOver("snapshot", UpdateRepository.snapshotSeconds)
        {
            let (version, expires) = next("targets", UpdateRepository.targetsSeconds, content)
            let file = TUFDocument.file(
                TUFDocument.targets(version: version, expires: expires, targets: targets), signedBy: keys.targets)
            files["\(version).targets.json"] = file
            let snapshot = next("snapshot", UpdateRepository.snapshotSeconds)
            files["\(snapshot.version).snapshot.json"] = TUFDocument.file(
                TUFDocument.snapshot(version: snapshot.version, expires: snapshot.expires, targetsVersion: version, targets: file),
                signedBy: [keys.snapshot])
        } else if !isHalfOver("timestamp", UpdateRepository.timestampSeconds), let present = try store.metadata(name, "timestamp.json") {
            return present
        }
        guard let snapshot = heads["snapshot"]?.version,
            let snapshotFile = try files["\(snapshot).snapshot.json"] ?? store.metadata(name, "\(snapshot).snapshot.json")
        else { throw RepositoryError.database("\(name): snapshot is missing") }
        let (version, expires) = next("timestamp", UpdateRepository.timestampSeconds)
        let timestamp = TUFDocument.file(
            TUFDocument.timestamp(version: version, expires: expires, snapshotVersion: snapshot, snapshot: snapshotFile),
            signedBy: [keys.timestamp])
        files["timestamp.json"] = timestamp
        try store.publish(name, files: files, heads: heads)
        return timestamp
    }
}

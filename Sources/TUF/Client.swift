import SecureChannel

/// The client's side of The Update Framework 1.0.34 (section 5.1 to 5.7), as a value: it says which file it wants
/// next, takes what comes, and ends trusted or with a refusal.
public struct TUFClient {
    /// The largest file of each kind that is taken.
    public struct Limits: Equatable, Sendable {
        public var rootBytes: Int
        public var timestampBytes: Int
        public var snapshotBytes: Int
        public var targetsBytes: Int
        public var rootRotations: Int
        public var delegations: Int

        public init(
            rootBytes: Int = 512_000, timestampBytes: Int = 16_384, snapshotBytes: Int = 2_000_000,
            targetsBytes: Int = 5_000_000, rootRotations: Int = 256, delegations: Int = 32
        ) {
            self.rootBytes = rootBytes
            self.timestampBytes = timestampBytes
            self.snapshotBytes = snapshotBytes
            self.targetsBytes = targetsBytes
            self.rootRotations = rootRotations
            self.delegations = delegations
        }
    }

    public enum Step: Equatable, Sendable {
        /// A file below the repository's metadata URL; more than so many bytes are refused unread.
        case fetch(path: String, limitBytes: Int)
        case done
        case refused(TUFRefusal)
    }

    private enum Wanted: Equatable {
        case root, timestamp, snapshot
        /// Elsewhere: below `delegations/`, where some of Uptane's image repositories have what they delegate.
        case targets(role: String, delegator: String?, isElsewhere: Bool)
    }

    public private(set) var trusted: TrustedMetadata
    /// Trusted files by name without version, such as `root.json`.
    public private(set) var files: [String: [UInt8]]
    /// The target that was looked for, once the steps are done.
    public private(set) var found: TargetFile?

    private let rules: TrustedMetadata.Rules
    private let limits: Limits
    private var changes: [String: [UInt8]?] = [:]
    private var wanted = Wanted.root
    private var rotations = 0
    private var path: String?
    private var stack: [(role: String, delegator: String?)] = []
    private var visited: Set<String> = []

    /// - Parameter files: What was trusted at the end of the last refresh; at least `root.json`.
    public init(files: [String: [UInt8]], rules: TrustedMetadata.Rules = .init(), limits: Limits = .init()) throws(TUFRefusal) {
        guard let root = files["root.json"] else { throw .noTrustedRoot }
        self.files = files
        self.rules = rules
        self.limits = limits
        trusted = try TrustedMetadata(root: root, rules: rules)
    }

    /// Files that have changed since the last call; nil for one that is trusted no more.
    public mutating func takeChanges() -> [(name: String, bytes: [UInt8]?)] {
        defer { changes = [:] }
        return changes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The role whose file was asked for last.
    public var wantedRole: String {
        switch wanted {
        case .root: "root"
        case .timestamp: "timestamp"
        case .snapshot: "snapshot"
        case .targets(let role, _, _): role
        }
    }

    /// Begins with all four top-level roles.
    public mutating func begin() -> Step { ask(.root) }

    /// Looks for a target under the top-level roles of a refresh that is done: the roles that lead to it.
    public mutating func find(_ target: String, now: Int64) -> Step {
        (path, found, stack, visited) = (target, nil, [], [])
        do throws(TUFRefusal) { return try afterTargets("targets", now) } catch { return .refused(error) }
    }

    /// - Parameter bytes: Nil if the repository has no such file.
    public mutating func received(_ bytes: [UInt8]?, now: Int64) -> Step {
        do throws(TUFRefusal) {
            switch wanted {
            case .root: return try takeRoot(bytes, now)
            case .timestamp: return try takeTimestamp(bytes, now)
            case .snapshot:
                guard let bytes else { throw .missing(file: "snapshot.json") }
                try trusted.updateSnapshot(bytes, now: now)
                keep("snapshot.json", bytes)
                return try afterSnapshot(now)
            case .targets(let role, let delegator, let isElsewhere):
                guard let bytes else {
                    guard rules.profile.isUptane, delegator != nil, !isElsewhere else { throw .missing(file: "\(role).json") }
                    return ask(.targets(role: role, delegator: delegator, isElsewhere: true))
                }
                try trusted.updateTargets(bytes, role: role, delegator: delegator, now: now)
                keep("\(role).json", bytes)
                return try afterTargets(role, now)
            }
        } catch {
            return .refused(error)
        }
    }

    private mutating func keep(_ name: String, _ bytes: [UInt8]?) {
        files[name] = bytes
        changes[name] = .some(bytes)
    }

    private mutating func ask(_ next: Wanted) -> Step {
        wanted = next
        let isConsistent = trusted.root.isConsistentSnapshot
        // Without `update-freshness` nobody holds a file to what another says of it.
        // Uptane's repositories state lengths of another form than they serve (see `MetaFile.check`).
        func limit(_ meta: MetaFile?, _ usual: Int) -> Int {
            rules.freshness && !rules.profile.isUptane ? min(meta?.length ?? usual, usual) : usual
        }
        func prefix(_ version: Int64?) -> String { isConsistent ? version.map { "\($0)." } ?? "" : "" }
        switch next {
        case .root: return .fetch(path: "\(trusted.root.head.version + 1).root.json", limitBytes: limits.rootBytes)
        case .timestamp: return .fetch(path: "timestamp.json", limitBytes: limits.timestampBytes)
        case .snapshot:
            let meta = trusted.timestamp?.snapshot
            return .fetch(path: "\(prefix(meta?.version))snapshot.json", limitBytes: limit(meta, limits.snapshotBytes))
        case .targets(let role, _, let isElsewhere):
            let meta = trusted.snapshot?.meta["\(role).json"]
            return .fetch(
                path: "\(isElsewhere ? "delegations/" : "")\(prefix(meta?.version))\(TUFClient.quoted(role)).json",
                limitBytes: limit(meta, limits.targetsBytes))
        }
    }

    // MARK: Step by step

    private mutating func takeRoot(_ bytes: [UInt8]?, _ now: Int64) throws(TUFRefusal) -> Step {
        if let bytes {
            rotations += 1
            guard rotations <= limits.rootRotations else { throw .tooManyRoots }
            let old = trusted.root
            try trusted.updateRoot(bytes)
            keep("root.json", bytes)
            // 5.3.11: what a key signed that has been taken away may have been a fast-forward. A key that is added and a
            // threshold that changes say nothing against what was trusted.
            let floors = trusted.root.hasSnapshot ? ["timestamp", "snapshot"] : ["targets"]
            if floors.contains(where: { old.loses(keyOf: $0, to: trusted.root) }) { forget(floors) }
            return ask(.root)
        }
        try trusted.checkRootIsCurrent(now)
        guard trusted.root.hasSnapshot else {
            forget(["timestamp", "snapshot"])
            if let old = files["targets.json"] { try? trusted.restoreTargets(old) }
            return ask(.targets(role: "targets", delegator: nil, isElsewhere: false))
        }
        if let old = files["timestamp.json"] { try? trusted.restoreTimestamp(old) }
        return ask(.timestamp)
    }

    private mutating func forget(_ roles: [String]) {
        for role in roles where files["\(role).json"] != nil { keep("\(role).json", nil) }
    }

    private mutating func takeTimestamp(_ bytes: [UInt8]?, _ now: Int64) throws(TUFRefusal) -> Step {
        guard let bytes else { throw .missing(file: "timestamp.json") }
        if try trusted.updateTimestamp(bytes, now: now) { keep("timestamp.json", bytes) }
        if let old = files["snapshot.json"],
            try isAtHand({ (trusted: inout TrustedMetadata) throws(TUFRefusal) in try trusted.restoreSnapshot(old, now: now) })
        {
            return try afterSnapshot(now)
        }
        return ask(.snapshot)
    }

    /// Whether what is stored is what the role above names. What does not read or verify (flash rots) is asked for anew; what
    /// has expired is refused at once, as it would be again (but Uptane has other files of the same version).
    private mutating func isAtHand(_ restore: (inout TrustedMetadata) throws(TUFRefusal) -> Bool) throws(TUFRefusal) -> Bool {
        do throws(TUFRefusal) {
            return try restore(&trusted)
        } catch {
            if case .expired = error, !rules.profile.isUptane { throw error }
            return false
        }
    }

    private mutating func afterSnapshot(_ now: Int64) throws(TUFRefusal) -> Step { try want("targets", delegator: nil, now) }

    /// From what is at hand if it still holds, else from the repository.
    private mutating func want(_ role: String, delegator: String?, _ now: Int64) throws(TUFRefusal) -> Step {
        guard let named = trusted.snapshot?.meta["\(role).json"] else { throw .missing(file: "\(role).json") }
        if let old = files["\(role).json"],
            try isAtHand({ (trusted: inout TrustedMetadata) throws(TUFRefusal) in
                try trusted.updateTargets(old, role: role, delegator: delegator, now: now)
                return trusted.targets[role]?.head.version == named.version
            })
        {
            return try afterTargets(role, now)
        }
        return ask(.targets(role: role, delegator: delegator, isElsewhere: false))
    }

    /// 5.6.7: a pre-order walk through the delegations that cover the path.
    private mutating func afterTargets(_ role: String, _ now: Int64) throws(TUFRefusal) -> Step {
        guard let path, let metadata = trusted.targets[role] else { return .done }
        visited.insert(role)
        if let target = metadata.targets[path] {
            found = target
            return .done
        }
        let covering = metadata.delegations.filter { $0.covers(path) }
        let end = covering.firstIndex(where: \.isTerminating)
        if end != nil { stack = [] }
        for delegation in covering.prefix(end.map { $0 + 1 } ?? covering.count).reversed() {
            stack.append((delegation.name, role))
        }
        while let (next, delegator) = stack.popLast() {
            guard !visited.contains(next), visited.count <= limits.delegations else { continue }
            return try want(next, delegator: delegator, now)
        }
        throw .unknownTarget(path)
    }

    /// A role's name as a file's (RFC 3986: all but unreserved characters are quoted).
    public static func quoted(_ name: String) -> String {
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
        return name.utf8.reduce(into: "") { text, byte in
            text += plain.contains(byte) ? String(UnicodeScalar(byte)) : "%" + [byte].hex.uppercased()
        }
    }

    /// Where a target lies below the repository's targets URL.
    public func location(of name: String, _ target: TargetFile) -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map { TUFClient.quoted(String($0)) }
        guard trusted.root.isConsistentSnapshot, let digest = target.sha256 ?? target.hashes.min(by: { $0.key < $1.key })?.value
        else { return parts.joined(separator: "/") }
        return (parts.dropLast() + ["\(digest.hex).\(parts.last ?? "")"]).joined(separator: "/")
    }
}

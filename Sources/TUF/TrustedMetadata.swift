/// What a client trusts, and the rules by which more is added to it (TUF 1.0.34 sections 5.3 to 5.6).
///
/// A value without I/O. `now` is Unix seconds by the client's own clock.
public struct TrustedMetadata {
    /// Which rules hold: all of them, unless a control is off.
    public struct Rules: Equatable, Sendable {
        /// `signed-updates`: signatures are checked.
        public var signatures: Bool
        /// `rollback-protection`: versions never fall.
        public var versions: Bool
        /// `update-freshness`: nothing expired, and only what one snapshot names together.
        public var freshness: Bool
        /// Of which standard, and in which shapes.
        public var profile: MetadataProfile

        public init(signatures: Bool = true, versions: Bool = true, freshness: Bool = true, profile: MetadataProfile = .tuf) {
            self.profile = profile
            self.signatures = signatures
            self.versions = versions
            self.freshness = freshness
        }
    }

    public private(set) var root: RootMetadata
    public private(set) var timestamp: TimestampMetadata?
    public private(set) var snapshot: SnapshotMetadata?
    public private(set) var targets: [String: TargetsMetadata] = [:]
    /// The root that was trusted when the refresh began: by it, what is stored has been checked.
    private let storedRoot: RootMetadata
    /// The timestamp is a floor for versions only: by today's root it has too few signatures.
    private var isTimestampOutgrown = false
    private let rules: Rules

    /// - Parameter root: Trusted out of band; it must be signed by its own keys.
    public init(root bytes: [UInt8], rules: Rules) throws(TUFRefusal) {
        self.rules = rules
        let envelope = try Envelope(bytes, role: "root", type: "root", profile: rules.profile)
        root = try RootMetadata(envelope.signed, profile: rules.profile)
        storedRoot = root
        try check(envelope, by: root, role: "root")
    }

    private func check(_ envelope: Envelope, by root: RootMetadata, role: String) throws(TUFRefusal) {
        guard rules.signatures else { return }
        try root.keys.check(envelope, try root.keys(of: role), name: role)
    }

    private func isOver(_ head: MetadataHead, _ now: Int64) -> Bool { rules.freshness && head.expires <= now }

    // MARK: Root (5.3)

    /// Accepts the next root: signed by a threshold of the old keys and of its own, one version higher.
    public mutating func updateRoot(_ bytes: [UInt8]) throws(TUFRefusal) {
        let envelope = try Envelope(bytes, role: "root", type: "root", profile: rules.profile)
        let next = try RootMetadata(envelope.signed, profile: rules.profile)
        try check(envelope, by: root, role: "root")
        try check(envelope, by: next, role: "root")
        guard next.head.version == root.head.version + 1 else {
            throw .mismatch(role: "root", offered: next.head.version, named: root.head.version + 1)
        }
        root = next
    }

    public func checkRootIsCurrent(_ now: Int64) throws(TUFRefusal) {
        if isOver(root.head, now) { throw .expired(role: "root", at: root.head.expires) }
    }

    // MARK: Timestamp (5.4)

    /// What was trusted before, as a floor for versions. Its age does not matter, nor does a threshold that has risen
    /// since (5.3.11: only a key that was taken away undoes it).
    mutating func restoreTimestamp(_ bytes: [UInt8]) throws(TUFRefusal) {
        let envelope = try Envelope(bytes, role: "timestamp", type: "timestamp", profile: rules.profile)
        isTimestampOutgrown = try !isSignedForToday(envelope, role: "timestamp")
        timestamp = try TimestampMetadata(envelope.signed)
    }

    /// False for what only the root before satisfied; neither is a refusal.
    private func isSignedForToday(_ envelope: Envelope, role: String) throws(TUFRefusal) -> Bool {
        do throws(TUFRefusal) {
            try check(envelope, by: root, role: role)
            return true
        } catch {
            try check(envelope, by: storedRoot, role: role)
            return false
        }
    }

    /// True if it is a new one; false if it is the version that is trusted already, which stays as it was.
    public mutating func updateTimestamp(_ bytes: [UInt8], now: Int64) throws(TUFRefusal) -> Bool {
        let envelope = try Envelope(bytes, role: "timestamp", type: "timestamp", profile: rules.profile)
        try check(envelope, by: root, role: "timestamp")
        let next = try TimestampMetadata(envelope.signed)
        if let old = timestamp {
            // Uptane 2.1.0 section 5.4.4.4 takes one of the same version, whatever it says; TUF keeps the one that it has.
            if next.head.version == old.head.version, !isTimestampOutgrown, !rules.profile.isUptane {
                try checkTimestampIsCurrent(now)
                return false
            }
            if rules.versions {
                try rise("timestamp", next.head.version, old.head.version)
                try rise("snapshot", next.snapshot.version, old.snapshot.version)
            }
        }
        if isOver(next.head, now) { throw .expired(role: "timestamp", at: next.head.expires) }
        timestamp = next
        isTimestampOutgrown = false
        return true
    }

    private func checkTimestampIsCurrent(_ now: Int64) throws(TUFRefusal) {
        if let timestamp, isOver(timestamp.head, now) { throw .expired(role: "timestamp", at: timestamp.head.expires) }
    }

    private func rise(_ role: String, _ offered: Int64, _ trusted: Int64) throws(TUFRefusal) {
        if offered < trusted { throw .rollback(role: role, offered: offered, trusted: trusted) }
    }

    // MARK: Snapshot (5.5)

    /// What was trusted before, as a floor for versions. True if it is also the one that the timestamp names, so that
    /// none need be asked for: then it must not have expired.
    mutating func restoreSnapshot(_ bytes: [UInt8], now: Int64) throws(TUFRefusal) -> Bool {
        guard let named = timestamp?.snapshot else { throw .missing(file: "timestamp.json") }
        let envelope = try Envelope(bytes, role: "snapshot", type: "snapshot", profile: rules.profile)
        let isCurrent = try isSignedForToday(envelope, role: "snapshot")
        let old = try SnapshotMetadata(envelope.signed)
        snapshot = old
        guard isCurrent, old.head.version == named.version, (try? named.check(bytes, file: "snapshot.json", profile: rules.profile)) != nil
        else { return false }
        try checkSnapshotIsCurrent(now)
        return true
    }

    public mutating func updateSnapshot(_ bytes: [UInt8], now: Int64) throws(TUFRefusal) {
        guard let named = timestamp?.snapshot else { throw .missing(file: "timestamp.json") }
        if rules.freshness { try named.check(bytes, file: "snapshot.json", profile: rules.profile) }
        let envelope = try Envelope(bytes, role: "snapshot", type: "snapshot", profile: rules.profile)
        try check(envelope, by: root, role: "snapshot")
        let next = try SnapshotMetadata(envelope.signed)
        if rules.versions, let old = snapshot {
            for (file, meta) in old.meta.sorted(by: { $0.key < $1.key }) {
                let role = String(file.dropLast(".json".count))
                guard let offered = next.meta[file] else { throw .rollback(role: role, offered: 0, trusted: meta.version) }
                try rise(role, offered.version, meta.version)
            }
        }
        snapshot = next
        try checkSnapshotIsCurrent(now)
    }

    private func checkSnapshotIsCurrent(_ now: Int64) throws(TUFRefusal) {
        guard rules.freshness, let snapshot, let timestamp else { return }
        if isOver(snapshot.head, now) { throw .expired(role: "snapshot", at: snapshot.head.expires) }
        guard snapshot.head.version == timestamp.snapshot.version else {
            throw .mismatch(role: "snapshot", offered: snapshot.head.version, named: timestamp.snapshot.version)
        }
    }

    // MARK: Targets (5.6)

    /// What was trusted before, as a floor for versions where no snapshot names one.
    mutating func restoreTargets(_ bytes: [UInt8]) throws(TUFRefusal) {
        let envelope = try Envelope(bytes, role: "targets", type: "targets", profile: rules.profile)
        _ = try isSignedForToday(envelope, role: "targets")
        targets["targets"] = try TargetsMetadata(envelope.signed, role: "targets", profile: rules.profile)
    }

    public mutating func updateTargets(
        _ bytes: [UInt8], role: String = "targets", delegator: String? = nil, now: Int64
    ) throws(TUFRefusal) {
        let named = snapshot?.meta["\(role).json"]
        guard named != nil || !root.hasSnapshot else { throw .missing(file: "\(role).json") }
        if rules.freshness { try named?.check(bytes, file: "\(role).json", profile: rules.profile) }
        let envelope = try Envelope(bytes, role: role, type: "targets", profile: rules.profile)
        if rules.signatures {
            if let delegator {
                guard let above = targets[delegator], let keys = above.keys,
                    let delegation = above.delegations.first(where: { $0.name == role })
                else { throw .missing(file: "\(delegator).json") }
                try keys.check(envelope, delegation.keys, name: role)
            } else {
                try check(envelope, by: root, role: role)
            }
        }
        let next = try TargetsMetadata(envelope.signed, role: role, profile: rules.profile)
        if rules.versions, let old = targets[role] { try rise(role, next.head.version, old.head.version) }
        if rules.freshness, let named, next.head.version != named.version {
            throw .mismatch(role: role, offered: next.head.version, named: named.version)
        }
        if isOver(next.head, now) { throw .expired(role: role, at: next.head.expires) }
        targets[role] = next
    }
}

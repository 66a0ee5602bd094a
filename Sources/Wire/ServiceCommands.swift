/// What the operator says to the service when a device comes out of its box.
public struct Claim: Sendable, Equatable, Codable {
    public var deviceID: String
    public var name: String
    public var product: String
    public var group: String
    /// Which kind of device it is: what evidence it has.
    public var kind: String
    public init(deviceID: String, name: String, product: String, group: String, kind: String = "mt3620") {
        self.kind = kind
        self.deviceID = deviceID
        self.name = name
        self.product = product
        self.group = group
    }
}

/// Which OS releases a device group gets, and when: an evaluation feed runs ahead of the retail one (AS-24, AS-25).
public enum OSFeed: String, Sendable, Codable, CaseIterable {
    case retail
    case retailEvaluation = "retail-eval"
}

/// Which updates a device group takes (AS-24).
public enum UpdatePolicy: String, Sendable, Codable, CaseIterable {
    case all
    /// The OS and its key store only.
    case noThirdPartyApps = "no-third-party-apps"
}

public struct GroupSettings: Sendable, Equatable, Codable {
    public var feed: OSFeed
    public var policy: UpdatePolicy
    public init(feed: OSFeed = .retail, policy: UpdatePolicy = .all) {
        self.feed = feed
        self.policy = policy
    }
}

/// Whom a release is for.
public enum Audience: Sendable, Equatable, Codable {
    case group(String)
    /// All groups on a feed. What is published for evaluation reaches the retail feed `leadSeconds` later.
    case feed(OSFeed, leadSeconds: Int64)

    /// Two weeks (AS-25).
    public static let usualLeadSeconds: Int64 = 14 * 86_400

    /// How long after its publication a release opens to a group; nil: never.
    public func delaySeconds(group: String, _ settings: GroupSettings) -> Int64? {
        switch self {
        case .group(let name): name == group ? 0 : nil
        case .feed(.retail, _): 0
        case .feed(.retailEvaluation, let lead): settings.feed == .retailEvaluation ? 0 : lead
        }
    }

    public var title: String {
        switch self {
        case .group(let name): name
        case .feed(let feed, _): "the \(feed.rawValue) feed"
        }
    }
}

/// How a release spreads through the devices of each group that it is for.
public struct RolloutTerms: Sendable, Equatable, Codable {
    public var audience: Audience
    /// Counts or shares of a group's devices, such as `1` or `50%`; nothing means all at once.
    public var batches: [String]
    /// The least share of devices that must succeed, 0…1.
    public var threshold: Double
    public var soakSeconds: Int64
    /// How long a batch may take from its opening on; nil for as long as is usual.
    public var batchTimeoutSeconds: Int64?

    /// A week.
    public static let usualBatchTimeoutSeconds: Int64 = 7 * 86_400

    public init(
        audience: Audience, batches: [String] = [], threshold: Double = 1, soakSeconds: Int64 = 0, batchTimeoutSeconds: Int64? = nil
    ) {
        self.audience = audience
        self.batches = batches
        self.threshold = threshold
        self.soakSeconds = soakSeconds
        self.batchTimeoutSeconds = batchTimeoutSeconds
    }

    /// How many devices have a release once each batch is open: counts such as `1` and shares such as `50%`, both of all devices.
    public static func sizes(of batches: [String], in count: Int) -> [Int] {
        var sizes = batches.map { word in
            if word.hasSuffix("%"), let share = Double(word.dropLast()) { return Int((Double(count) * share / 100).rounded(.up)) }
            return Int(word) ?? count
        }
        // Each batch adds something, and the last is everybody.
        for index in sizes.indices { sizes[index] = min(count, max(sizes[index], index > 0 ? sizes[index - 1] : min(1, count))) }
        if sizes.last != count { sizes.append(count) }
        return sizes
    }
}

/// An image package in a file, and which hardware it is for, in hex.
public struct ReleasedPackage: Sendable, Equatable, Codable {
    public var path: String
    public var hardware: String
    /// Of the release, where it is not the security version that stands in the package.
    public var version: Int64?
    public init(path: String, hardware: String, version: Int64? = nil) {
        (self.path, self.hardware, self.version) = (path, hardware, version)
    }
}

/// What the operator gives the service to deploy.
public struct Release: Sendable, Equatable, Codable {
    /// The step of the campaign that it comes from.
    public var step: String
    /// Signed for development.
    public var packages: [ReleasedPackage]
    public var terms: RolloutTerms
    /// Generation of the production key that signs it, from 1.
    public var signingKey: Int

    public init(step: String, packages: [ReleasedPackage], terms: RolloutTerms, signingKey: Int) {
        self.step = step
        self.packages = packages
        self.terms = terms
        self.signingKey = signingKey
    }
}

/// What an operator has the service take back.
public struct Withdrawal: Sendable, Equatable, Codable {
    /// The step of the campaign that takes it back.
    public var step: String
    /// The step that released it.
    public var release: String
    /// What devices left the factory with of the same, signed for development: where there was no release before it.
    public var packages: [ReleasedPackage]
    public init(step: String, release: String, packages: [ReleasedPackage] = []) {
        (self.step, self.release, self.packages) = (step, release, packages)
    }
}

/// What an operator decides about devices that the service knows.
public struct InventoryOrder: Sendable, Equatable, Codable {
    /// The step of the campaign that it comes from.
    public var step: String
    /// By their names.
    public var devices: [String]
    /// Where they are moved to; nil for what is no move.
    public var group: String?
    public init(step: String, devices: [String], group: String? = nil) {
        (self.step, self.devices, self.group) = (step, devices, group)
    }
}

/// How far a release has come in all the groups that it is for.
public enum RolloutState: String, Sendable, Codable, CaseIterable {
    /// Each device that it waits for was there when the run ended.
    case running
    case complete
    /// Too many devices have failed, refused it, or not answered in time.
    case halted
    /// A newer release of the same has taken its place.
    case superseded
    case withdrawn
    /// When the run ended it waited for devices that nobody heard of any more, or for the service to take it in or to decide.
    case stuck
    /// The service would not have it.
    case refused

    /// Nothing had been decided when the run ended.
    public var isOpen: Bool { self == .running || self == .stuck }
}

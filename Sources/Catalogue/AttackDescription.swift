public import Wire

/// Which deliberate act of an adversary. Each is declared in its own file, `Adversary/Attacks/NAME.swift`.
public struct AttackName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ name: String) { rawValue = name }
    public var description: String { rawValue }
}

/// What only one step can have of a target at a time: else what happened would be nobody's.
public enum Hold: String, Sendable {
    case power = "the power"
    case process = "the process"
    case updates = "the way to updates"
    case peers = "the way to peers"
}

/// What targets must have for an attack to reach them.
public enum Reach: Sendable {
    /// Power, and a way to them through the network.
    case network
    case power
    /// It works on what was taken from them before, or brings its own power.
    case nothing
}

/// All that is to be known of an attack beside its code: for `orrery attacks NAME`, for reading campaigns, and for judging it.
public struct AttackDescription: Sendable {
    public var name: AttackName
    public var summary: String
    public var mechanism: String
    /// What the adversary must have.
    public var needs: String
    /// In words, the observation that proves success.
    public var oracle: String
    /// MITRE ATT&CK for ICS 18.1: ID and name.
    public var techniques: [String]
    /// MITRE EMB3D 2.0.1: IDs of threats.
    public var threats: [String]
    /// Without any one of these it is expected to succeed.
    public var controls: [Control]
    /// Detection rules that an alert about it may come from.
    public var rules: [DetectionRule]
    public var parameters: [Parameter]
    /// What it needs of its targets for itself while it lasts.
    public var holds: Hold?
    /// An app that targets must have.
    public var app: String?
    /// What targets must be made with; where that is missing there is nothing to attack.
    public var requires: Set<DeviceFeature>
    public var reach: Reach
    public var judge: AttackJudge

    public init(
        name: AttackName, summary: String, mechanism: String, needs: String, oracle: String, techniques: [String], threats: [String],
        controls: [Control], rules: [DetectionRule], parameters: [Parameter] = [], holds: Hold? = nil,
        app: String? = nil, requires: Set<DeviceFeature> = [], reach: Reach = .network, judge: AttackJudge = AttackJudge()
    ) {
        self.name = name
        self.summary = summary
        self.mechanism = mechanism
        self.needs = needs
        self.oracle = oracle
        self.techniques = techniques
        self.threats = threats
        self.controls = controls
        self.rules = rules
        self.parameters = parameters
        self.holds = holds
        self.app = app
        self.requires = requires
        self.reach = reach
        self.judge = judge
    }
}

/// Which deliberate act of an adversary. Each is declared in its own file, `Adversary/Attacks/NAME.swift`.
public struct AttackName: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(_ name: String) { rawValue = name }
    public var description: String { rawValue }

    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
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
    public var reach: Reach
    public var judge: AttackJudge

    public init(
        name: AttackName, summary: String, mechanism: String, needs: String, oracle: String, techniques: [String], threats: [String],
        controls: [Control], rules: [DetectionRule], parameters: [Parameter] = [], holds: Hold? = nil,
        app: String? = nil, reach: Reach = .network, judge: AttackJudge = AttackJudge()
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
        self.reach = reach
        self.judge = judge
    }
}

/// What a judge sees of one attack on one target: the plan's step, the journal, and what the network knows to be its doing.
public struct Trial: Sendable {
    public let step: Step
    public let target: String
    /// The address of the target on the emulated network.
    public let address: Address?
    /// From the beginning of the attack on, and after its end too: what it caused may come later.
    public let journal: ArraySlice<Observation>
    /// What came before it.
    public let before: ArraySlice<Observation>
    /// Facts of the attack's own about this target.
    public let own: [Observation]
    /// Marks that the attack has left on what concerns this target.
    public let marks: Marks
    /// Marks that it has left on anything.
    public let everywhere: Marks

    public init(
        step: Step, target: String, address: Address?, journal: ArraySlice<Observation>, before: ArraySlice<Observation>,
        own: [Observation], marks: Marks, everywhere: Marks
    ) {
        self.step = step
        self.target = target
        self.address = address
        self.journal = journal
        self.before = before
        self.own = own
        self.marks = marks
        self.everywhere = everywhere
    }

    /// While it lasted.
    public var during: ArraySlice<Observation> { journal.prefix { $0.at < step.end } }
    public func seen(_ kind: Fact.Kind, by node: String? = nil) -> [Observation] {
        journal.filter { $0.fact.kind == kind && (node == nil || $0.node == node) }
    }
}

/// Marks by which an observation is known to be about something that an attack or a fault has done.
public struct Marks: Sendable, Equatable {
    public var connections: Set<String> = []
    public var addresses: Set<String> = []
    public var digests: Set<String> = []
    public var nonces: Set<String> = []
    public init() {}

    public mutating func take(_ fact: Fact) {
        func words(_ key: Fact.Detail) -> [String] { (fact.text(key) ?? "").split(separator: " ").map(String.init) }
        connections.formUnion(words(.connection))
        addresses.formUnion(words(.address))
        digests.formUnion(words(.digest))
        nonces.formUnion(words(.nonce))
    }

    /// True if something that an observation names bears one of the marks. A connection does if it was made from one of
    /// the addresses.
    public func match(_ fact: Fact) -> Bool { matchUnique(fact) || matchDigest(fact) }

    /// By what exists once in a run: connections, addresses, nonces.
    ///
    /// - Parameter counts: Connections that may count.
    public func matchUnique(_ fact: Fact, counting counts: (Substring) -> Bool = { _ in true }) -> Bool {
        func words(_ key: Fact.Detail) -> [Substring] { (fact.text(key) ?? "").split(separator: " ") }
        func isMarked(_ connection: Substring) -> Bool {
            connections.contains(String(connection)) || addresses.contains(String(connection.prefix { $0 != ":" }))
        }
        if words(.connection).contains(where: { isMarked($0) && counts($0) }) { return true }
        return words(.address).contains { addresses.contains(String($0)) } || words(.nonce).contains { nonces.contains(String($0)) }
    }

    /// By bytes, which two attacks may have put into two devices.
    public func matchDigest(_ fact: Fact) -> Bool {
        !digests.isEmpty && (fact.text(.digest) ?? "").split(separator: " ").contains { digests.contains(String($0)) }
    }
}

/// How an attack on one target is judged, where the general way does not do. All are pure functions of the journal.
public struct AttackJudge: Sendable {
    public struct Proof: Sendable {
        public enum Harm: Sendable { case compromised, frozen, degraded }
        public var harm: Harm
        public var observation: Observation
        public var words: String
        public init(_ harm: Harm = .compromised, _ observation: Observation, _ words: String) {
            (self.harm, self.observation, self.words) = (harm, observation, words)
        }
    }

    /// What proves success where the attacker himself cannot see it: the victims' own observations.
    public var proof: @Sendable (Trial) -> Proof?
    /// Whether an observation of the defence's is the witness that the attack on this target was stopped. Those that bear a
    /// mark of the attack and refuse are witnesses already.
    public var isWitness: @Sendable (Trial, Observation) -> Bool

    /// Whether a connection that bears its mark is an attempt by itself; else only its own steps are.
    public var countsMarks: Bool

    public init(
        countsMarks: Bool = true,
        proof: @escaping @Sendable (Trial) -> Proof? = { _ in nil },
        isWitness: @escaping @Sendable (Trial, Observation) -> Bool = { _, _ in false }
    ) {
        self.countsMarks = countsMarks
        self.proof = proof
        self.isWitness = isWitness
    }
}

/// The attacks that there are, in the order in which they are listed.
public struct AttackCatalogue: Sendable {
    public let all: [AttackDescription]
    private let byName: [AttackName: AttackDescription]

    public init(_ all: [AttackDescription]) {
        self.all = all
        byName = Dictionary(all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(_ name: AttackName) -> AttackDescription? { byName[name] }
    public subscript(_ name: String) -> AttackDescription? { byName[AttackName(name)] }
    public var names: [String] { all.map(\.name.rawValue) }
}

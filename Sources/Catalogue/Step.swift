public import Wire

/// One timed entry of a campaign's method, with its targets resolved to nodes.
public struct Step: Sendable, Equatable, Codable {
    public enum Act: Sendable, Equatable, Codable {
        case fault(FaultName)
        case attack(AttackName)
        /// The vendor releases something.
        case update(UpdateOrder)
        /// Something that an operator does.
        case operate(OperatorAct)

        public var name: String {
            switch self {
            case .fault(let name): name.rawValue
            case .attack(let name): name.rawValue
            case .update(let order): "update to \(order.title)"
            case .operate(let act): act.rawValue
            }
        }

        public var isAttack: Bool { if case .attack = self { true } else { false } }
    }

    public var id: String
    public var at: Instant
    public var act: Act
    /// Node names in the order of the plan; empty if the step aims at networks.
    public var nodes: [String]
    public var networks: [String]
    public var length: Int64?
    public var parameters: [String: Quantity]
    /// What other attacks call that which this one obtains.
    public var name: String?
    /// The earlier attack whose gains this one begins from; without them it cannot begin.
    public var uses: String?
    /// What `withdraw` takes back.
    public var withdrawal: Withdrawal?

    public init(
        id: String, at: Instant, act: Act, nodes: [String], networks: [String],
        lengthNanoseconds: Int64?, parameters: [String: Quantity]
    ) {
        self.id = id
        self.at = at
        self.act = act
        self.nodes = nodes
        self.networks = networks
        length = lengthNanoseconds
        self.parameters = parameters
    }

    public var duration: Duration? { length.map { .nanoseconds($0) } }
    /// When it is over; never, if it lasts until the end of the run.
    public var end: Instant { duration.map { at + $0 } ?? .never }

    public func duration(_ name: String) -> Duration? {
        if case .nanoseconds(let n)? = parameters[name] { .nanoseconds(n) } else { nil }
    }
    public func ratio(_ name: String) -> Double? {
        if case .ratio(let r)? = parameters[name] { r } else { nil }
    }
    public func bitsPerSecond(_ name: String) -> Int64? {
        if case .bitsPerSecond(let r)? = parameters[name] { r } else { nil }
    }
    public func word(_ name: String) -> String? {
        if case .word(let w)? = parameters[name] { w } else { nil }
    }
    public func count(_ name: String) -> Int64? {
        if case .count(let n)? = parameters[name] { n } else { nil }
    }
}

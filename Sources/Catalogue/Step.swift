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

    /// When a step may begin: at or after an instant, and before so much later.
    public struct Window: Sendable, Equatable, Codable {
        public var from: Instant
        public var nanoseconds: Int64
        public init(from: Instant, nanoseconds: Int64) { (self.from, self.nanoseconds) = (from, nanoseconds) }
    }

    public var id: String
    public var at: Instant
    public var act: Act
    /// Node names in the order of the plan; empty if the step aims at networks.
    public var nodes: [String]
    public var networks: [String]
    /// Towards whom, if not towards everybody; nil for that.
    public var otherNodes: [String]?
    public var otherNetworks: [String]?
    /// The stretch in which it begins, at an instant that the seed says; nil if the file says it.
    public var window: Window?
    public var length: Int64?
    public var parameters: [String: Quantity]
    /// What other attacks call that which this one obtains.
    public var name: String?
    /// The earlier attack whose gains this one begins from; without them it cannot begin.
    public var uses: String?
    /// What `withdraw` takes back.
    public var withdrawal: Withdrawal?
    /// What an operator's act has devices install; nil for nothing.
    public var rollout: UpdateOrder?

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

    /// What spreads through the fleet from then on.
    public var release: UpdateOrder? { if case .update(let order) = act { order } else { rollout } }

    public var duration: Duration? { length.map { .nanoseconds($0) } }
    /// When it is over; never, if it lasts until the end of the run.
    public var end: Instant { duration.map { at + $0 } ?? .never }

    /// The earliest instant at which it begins and the latest at which it is over, whatever the seed.
    public var earliest: Instant { window?.from ?? at }
    public var latestEnd: Instant {
        let begin = window.map { $0.from + .nanoseconds($0.nanoseconds) } ?? at
        return duration.map { begin + $0 } ?? .never
    }

    /// The device group that it moves devices to; nil for what is no move.
    public var group: String? { act == .operate(.move) ? word("to") : nil }

    /// Whether it concerns only one direction, or some at the other end.
    public var hasSides: Bool { otherNodes != nil || otherNetworks != nil || (word("direction") ?? "both") != "both" }

    /// For people: whom it aims at, and towards whom.
    public var aim: String {
        let targets = (nodes + networks).joined(separator: " ")
        if let group { return "\(targets) to \(group)" }
        guard hasSides else { return targets }
        let others = ((otherNodes ?? []) + (otherNetworks ?? [])).joined(separator: " ")
        let direction = word("direction") ?? "both"
        return "\(targets) \(direction == "both" ? "and" : direction) \(others.isEmpty ? "all others" : others)"
    }

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

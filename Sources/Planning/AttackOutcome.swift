/// How an attack ended for a target.
public enum AttackOutcome: String, Sendable, Codable, CaseIterable {
    /// It was tried in every way that it has, and something of the defence's was seen to stop it.
    case defended
    /// It reached its goal.
    case compromised
    /// It did not reach its goal, but the target lost what it needs to work.
    case degraded
    /// The target was kept on an old version (updates).
    case frozen
    /// It was tried, and nobody was there to defend.
    case unreached
    /// Nothing was tried on the target.
    case untried
    /// The run ended before it could be told.
    case unknown

    /// What the attacker came for, or part of it.
    public var isHarm: Bool { self == .compromised || self == .frozen || self == .degraded }
    /// Whether the run can tell how it ended.
    public var isKnown: Bool { isHarm || self == .defended }

    /// From the best to the worst that a target can come to.
    static let severity: [AttackOutcome] = [.defended, .unreached, .untried, .unknown, .degraded, .frozen, .compromised]
    /// 0 for the best.
    public var severity: Int { AttackOutcome.severity.firstIndex(of: self) ?? 0 }
}

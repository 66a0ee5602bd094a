/// A share of the datagrams arrives twice.
public struct DuplicateFault: NetworkFault {
    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public func apply(to conditions: inout LinkConditions) {
        conditions.duplication = 1 - (1 - conditions.duplication) * (1 - ratio)
    }
}

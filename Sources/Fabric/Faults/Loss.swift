/// Noise or congestion: a share of the packets does not arrive.
public struct LossFault: NetworkFault {
    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public func apply(to conditions: inout LinkConditions) {
        conditions.loss = 1 - (1 - conditions.loss) * (1 - ratio)
    }
}

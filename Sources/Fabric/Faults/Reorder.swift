/// Packets take different ways: a share of the datagrams arrives late, behind those sent after them. Streams
/// put their bytes back in order, so they only wait.
public struct ReorderFault: NetworkFault {
    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public func apply(to conditions: inout LinkConditions) {
        conditions.reordering = 1 - (1 - conditions.reordering) * (1 - ratio)
    }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let reorder = FaultName("reorder") }

/// Packets take different ways: a share of the datagrams arrives late, behind those sent after them. Streams
/// put their bytes back in order, so they only wait.
public struct ReorderFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .reorder, "lets a share of the datagrams arrive behind those sent after them", place: .links,
        parameters: [Parameter("ratio", .ratio)])

    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public init(_ step: Step, seed: UInt64) { self.init(ratio: step.ratio("ratio") ?? 0) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.reordering = 1 - (1 - conditions.reordering) * (1 - ratio)
    }
}

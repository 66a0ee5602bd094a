public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let loss = FaultName("loss") }

/// Noise or congestion: a share of the packets does not arrive.
public struct LossFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .loss, "loses a share of the packets on the targets' links", place: .links, parameters: [Parameter("ratio", .ratio)], silences: true
    )

    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public init(_ step: Step, seed: UInt64) { self.init(ratio: step.ratio("ratio") ?? 0) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.loss = 1 - (1 - conditions.loss) * (1 - ratio)
    }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let truncate = FaultName("truncate") }

/// A middlebox that cuts packets short and makes their lengths and checksums fit.
public struct TruncateFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .truncate, "takes the end off a share of the packets, which their lengths and checksums do not show", place: .links,
        parameters: [Parameter("ratio", .ratio)], silences: true, leavesMarks: true, spoils: true)

    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public init(_ step: Step, seed: UInt64) { self.init(ratio: step.ratio("ratio") ?? 0) }
    public func apply(to conditions: inout LinkConditions) { conditions.toxics.append(Toxic(.truncate(ratio: ratio))) }
}

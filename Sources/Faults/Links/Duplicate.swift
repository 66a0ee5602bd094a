public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let duplicate = FaultName("duplicate") }

/// A share of the datagrams arrives twice.
public struct DuplicateFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .duplicate, "lets a share of the datagrams arrive twice", place: .links, parameters: [Parameter("ratio", .ratio)])

    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public init(_ step: Step, seed: UInt64) { self.init(ratio: step.ratio("ratio") ?? 0) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.duplication = 1 - (1 - conditions.duplication) * (1 - ratio)
    }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let corrupt = FaultName("corrupt") }

/// A router with bad memory: it makes checksums anew over what it has spoilt, so that they do not show it. What checksums show is loss.
public struct CorruptFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .corrupt, "flips a bit in a share of the packets, which their checksums do not show", place: .links,
        parameters: [Parameter("ratio", .ratio)], silences: true, leavesMarks: true, spoils: true)

    /// 0 (none) … 1 (all).
    public let ratio: Double
    public init(ratio: Double) { self.ratio = ratio }
    public init(_ step: Step, seed: UInt64) { self.init(ratio: step.ratio("ratio") ?? 0) }
    public func apply(to conditions: inout LinkConditions) { conditions.toxics.append(Toxic(.corrupt(ratio: ratio))) }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let bandwidth = FaultName("bandwidth") }

/// A slow link: bytes queue behind each other at this rate.
public struct BandwidthFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .bandwidth, "limits the rate of the targets' links", place: .links, parameters: [Parameter("rate", .rate)], silences: true,
        slows: true)

    public let bitsPerSecond: Int64
    public init(bitsPerSecond: Int64) { self.bitsPerSecond = bitsPerSecond }
    public init(_ step: Step, seed: UInt64) { self.init(bitsPerSecond: step.bitsPerSecond("rate") ?? .max) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.bitsPerSecond = min(conditions.bitsPerSecond ?? bitsPerSecond, bitsPerSecond)
    }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let partition = FaultName("partition") }

/// A cut cable: a network reaches no other network, a node reaches nobody.
public struct PartitionFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .partition, "cuts the targets off: a network from the others, a device from everybody; or from the other side only", place: .links,
        absence: .cutOff,
        silences: true)

    public init() {}
    public init(_ step: Step, seed: UInt64) { self.init() }
    public func apply(to conditions: inout LinkConditions) { conditions.cut = true }
}

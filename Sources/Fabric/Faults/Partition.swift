/// A cut cable: a network reaches no other network, a node reaches nobody.
public struct PartitionFault: NetworkFault {
    public init() {}
    public func apply(to conditions: inout LinkConditions) { conditions.cut = true }
}

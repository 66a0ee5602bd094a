public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let resetPeer = FaultName("reset-peer") }

/// Somebody on the way ends connections for good: a firewall without memory, a load balancer that is replaced. As Toxiproxy's toxic of
/// that name.
public struct ResetPeerFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .resetPeer, "resets connections over the targets' links at both ends, at once or `timeout` after it took hold", place: .links,
        parameters: [Parameter("timeout", .duration, isRequired: false), .toxicity], silences: true, leavesMarks: true)

    public let timeout: Duration
    public let toxicity: Double
    public init(timeout: Duration = .zero, toxicity: Double = 1) { (self.timeout, self.toxicity) = (timeout, toxicity) }
    public init(_ step: Step, seed: UInt64) { self.init(timeout: step.duration("timeout") ?? .zero, toxicity: step.toxicity) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.toxics.append(Toxic(.resetPeer(after: timeout), toxicity: toxicity))
    }
}

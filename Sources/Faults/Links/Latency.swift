public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let latency = FaultName("latency") }

/// A congested or distant link: every packet takes `delay` longer, one way.
public struct LatencyFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .latency, "adds one-way delay to the targets' links", place: .links, parameters: [Parameter("delay", .duration)],
        silences: true, slows: true)

    public let delay: Duration
    public init(delay: Duration) { self.delay = delay }
    public init(_ step: Step, seed: UInt64) { self.init(delay: step.duration("delay") ?? .zero) }
    public func apply(to conditions: inout LinkConditions) { conditions.latency += delay }
}

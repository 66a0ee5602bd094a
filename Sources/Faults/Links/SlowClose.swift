public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let slowClose = FaultName("slow-close") }

/// Ends of connections are told late: somebody on the way keeps them open. As Toxiproxy's toxic of that name.
public struct SlowCloseFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .slowClose, "lets it be known `delay` later that a side has closed a connection", place: .links,
        parameters: [Parameter("delay", .duration), .toxicity], leavesMarks: true)

    public let delay: Duration
    public let toxicity: Double
    public init(delay: Duration, toxicity: Double = 1) { (self.delay, self.toxicity) = (delay, toxicity) }
    public init(_ step: Step, seed: UInt64) { self.init(delay: step.duration("delay") ?? .zero, toxicity: step.toxicity) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.toxics.append(Toxic(.slowClose(delay: delay), toxicity: toxicity))
    }
}

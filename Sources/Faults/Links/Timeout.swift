public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let timeout = FaultName("timeout") }

/// A router has forgotten connections, or an end is gone without a word: half-open (RFC 9293 section 3.5.1). As Toxiproxy's toxic of that
/// name, but that an end has closed gets lost too.
public struct TimeoutFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .timeout,
        "lets nothing through on connections over the targets' links, and tells nobody (half-open); closes them after `timeout`, else at its end",
        place: .links, parameters: [Parameter("timeout", .duration, isRequired: false), .toxicity], silences: true, leavesMarks: true)

    /// Nil for as long as the fault lasts.
    public let timeout: Duration?
    public let toxicity: Double
    public init(timeout: Duration? = nil, toxicity: Double = 1) { (self.timeout, self.toxicity) = (timeout, toxicity) }
    public init(_ step: Step, seed: UInt64) { self.init(timeout: step.duration("timeout"), toxicity: step.toxicity) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.toxics.append(Toxic(.timeout(after: timeout), toxicity: toxicity))
    }
}

public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let limitData = FaultName("limit-data") }

/// Connections break in the middle of what they carry: a quota, a proxy with a limit. As Toxiproxy's toxic of that name.
public struct LimitDataFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .limitData, "cuts off what connections carry after `bytes` bytes in one direction, and closes them at both ends", place: .links,
        parameters: [Parameter("bytes", .count), .toxicity], silences: true, leavesMarks: true)

    public let bytes: Int
    public let toxicity: Double
    public init(bytes: Int, toxicity: Double = 1) { (self.bytes, self.toxicity) = (bytes, toxicity) }
    public init(_ step: Step, seed: UInt64) { self.init(bytes: Int(step.count("bytes") ?? 0), toxicity: step.toxicity) }
    public func apply(to conditions: inout LinkConditions) {
        conditions.toxics.append(Toxic(.limitData(bytes: bytes), toxicity: toxicity))
    }
}

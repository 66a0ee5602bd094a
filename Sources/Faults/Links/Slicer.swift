public import Catalogue
public import Fabric
import Wire

extension FaultName { public static let slicer = FaultName("slicer") }

/// What is sent at once comes in small pieces: a modem, a proxy with a small buffer. As Toxiproxy's toxic of that name.
public struct SlicerFault: NetworkFault, Fault {
    public static let description = FaultDescription(
        .slicer,
        "cuts what connections carry into pieces of `average-size` bytes, give or take `size-variation`, with `delay` between them",
        place: .links,
        parameters: [
            Parameter("average-size", .count, leastCount: 1), Parameter("size-variation", .count, isRequired: false),
            Parameter("delay", .duration, isRequired: false), .toxicity,
        ], silences: true, slows: true, leavesMarks: true,
        mistake: { step in
            guard let size = step.count("average-size"), let variation = step.count("size-variation"), variation >= size else { return nil }
            return ("size-variation", "as large as the pieces: less than average-size (\(size)) is possible")
        })

    public let averageBytes: Int
    /// Less than the average.
    public let variationBytes: Int
    public let delay: Duration
    public let toxicity: Double

    public init(averageBytes: Int, variationBytes: Int = 0, delay: Duration = .zero, toxicity: Double = 1) {
        self.averageBytes = max(1, min(averageBytes, 1 << 30))
        self.variationBytes = max(0, min(variationBytes, self.averageBytes - 1))
        (self.delay, self.toxicity) = (delay, toxicity)
    }

    public init(_ step: Step, seed: UInt64) {
        self.init(
            averageBytes: Int(step.count("average-size") ?? 1), variationBytes: Int(step.count("size-variation") ?? 0),
            delay: step.duration("delay") ?? .zero, toxicity: step.toxicity)
    }

    public func apply(to conditions: inout LinkConditions) {
        let kind = Toxic.Kind.slicer(averageBytes: averageBytes, variationBytes: variationBytes, delay: delay)
        conditions.toxics.append(Toxic(kind, toxicity: toxicity))
    }
}

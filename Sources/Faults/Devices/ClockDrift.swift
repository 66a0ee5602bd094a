public import Catalogue
import Wire

extension FaultName { public static let clockDrift = FaultName("clock-drift") }

/// A crystal that is warm or old.
struct ClockDrift: Fault {
    static let description = FaultDescription(
        .clockDrift,
        "lets the targets' clocks run fast by `ratio`", place: .devices, parameters: [Parameter("ratio", .ratio)], wrongClock: .drift)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { tell(Int64((step.ratio("ratio") ?? 0) * 1e9)) }
    /// A clock that ran fast is right no more, but runs at its pace again.
    var end: [FaultEffect] { tell(0) }

    private func tell(_ partsPerBillion: Int64) -> [FaultEffect] {
        step.nodes.map { .command(CommandName.clock, JSON.encode(ClockChange(driftPartsPerBillion: partsPerBillion)), to: $0) }
    }
}

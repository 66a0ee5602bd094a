public import Catalogue
import Wire

extension FaultName { public static let clockJump = FaultName("clock-jump") }

/// Somebody, or a flipped bit, has set a clock wrong.
struct ClockJump: Fault {
    static let description = FaultDescription(
        .clockJump,
        "sets the targets' clocks `by` forward, or back with a minus", place: .devices, parameters: [Parameter("by", .offset)],
        isMoment: true, wrongClock: .jump)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] {
        let change = ClockChange(jumpNanoseconds: step.duration("by")?.nanoseconds ?? 0)
        return step.nodes.map { .command(CommandName.clock, JSON.encode(change), to: $0) }
    }
}

public import Catalogue
import Wire

extension FaultName { public static let clockLost = FaultName("clock-lost") }

/// A dead battery: whenever the power is gone, so is the time.
struct ClockLost: Fault {
    static let description = FaultDescription(
        .clockLost,
        "leaves the targets' clocks without a battery: each time that their power was off they begin at 1970", place: .devices,
        isMoment: true, wrongClock: .lost)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] {
        step.nodes.map { .command(CommandName.clock, JSON.encode(ClockChange(losesBattery: true)), to: $0) }
    }
}

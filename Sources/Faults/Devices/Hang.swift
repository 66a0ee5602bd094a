public import Catalogue
import Wire

extension FaultName { public static let hang = FaultName("hang") }

/// A device is stuck, with its power on: nothing in it runs, though its network interface goes on taking what comes. Then it goes on with
/// everything that is due, and its connections are still there, if nobody at the other end has lost his patience.
struct Hang: Fault {
    static let description = FaultDescription(
        .hang, "stops all that the targets do, with their power on, and lets them go on after `for`", place: .devices, needsLength: true,
        absence: .hung, silences: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { step.nodes.map { .command(CommandName.hang, JSON.encode(step.end), to: $0) } }
}

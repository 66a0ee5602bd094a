public import Catalogue
import Wire

extension FaultName { public static let powerCut = FaultName("power-cut") }

/// The power goes: at an instant, or in the middle of an operation of the flash.
struct PowerCut: Fault {
    static let description = FaultDescription(
        .powerCut,
        "takes the power from devices at an instant, or in the middle of their n-th flash `operation` from then on, and gives it back after `for`",
        place: .devices, parameters: [Parameter("operation", .count, isRequired: false)], needsLength: true, holds: .power,
        absence: .poweredOff, silences: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] {
        let pause = step.duration ?? .seconds(1)
        return step.nodes.map { node in
            step.count("operation").map { .cutAtFlashOperation(node, count: $0, pause: pause) }
                ?? .cut(node, at: nil, pause: pause, hostStaysUp: false)
        }
    }
}

public import Catalogue
import Wire

extension FaultName { public static let serviceKill = FaultName("service-kill") }

/// The service process dies.
struct ServiceKill: Fault {
    static let description = FaultDescription(
        .serviceKill,
        "kills the service process and starts it again after `for`", place: .service, needsLength: true, holds: .process, silences: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { step.nodes.map { .cut($0, at: nil, pause: step.duration ?? .seconds(1), hostStaysUp: true) } }
}

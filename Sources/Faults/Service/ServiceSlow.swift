public import Catalogue
import Wire

extension FaultName { public static let serviceSlow = FaultName("service-slow") }

/// The service is busy, or far away.
struct ServiceSlow: Fault {
    static let description = FaultDescription(
        .serviceSlow,
        "lets the service answer later by `delay`", place: .service, parameters: [Parameter("delay", .duration)],
        silences: true, slows: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { [.condition(LatencyFault(delay: step.duration("delay") ?? .zero))] }
}

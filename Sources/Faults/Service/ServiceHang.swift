public import Catalogue
import Wire

extension FaultName { public static let serviceHang = FaultName("service-hang") }

/// The service's process is stopped, and lives: its host takes what comes, and nobody answers.
struct ServiceHang: Fault {
    static let description = FaultDescription(
        .serviceHang, "stops all that the service does, with its connections open, and lets it go on after `for`", place: .service,
        needsLength: true, silences: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { step.nodes.map { .command(CommandName.hang, JSON.encode(step.end), to: $0) } }
}

public import Catalogue
import Wire

extension FaultName { public static let diskFull = FaultName("disk-full") }

/// Nobody has looked at the service's disk for a while.
struct DiskFull: Fault {
    static let description = FaultDescription(
        .diskFull,
        "leaves the service no room to write", place: .service, silences: true)

    private let step: Step
    init(_ step: Step, seed: UInt64) { self.step = step }

    var begin: [FaultEffect] { tell(true) }
    var end: [FaultEffect] { tell(false) }

    private func tell(_ isFull: Bool) -> [FaultEffect] { step.nodes.map { .command(CommandName.diskFull, JSON.encode(isFull), to: $0) } }
}

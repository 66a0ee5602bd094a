public import Catalogue
import Wire

extension FaultName { public static let flashRot = FaultName("flash-rot") }

/// Cells of the flash lose their charge.
struct FlashRotFault: Fault {
    static let description = FaultDescription(
        .flashRot,
        "flips `bits` bits of the images in the targets' flash; the next start finds them", place: .devices,
        parameters: [Parameter("bits", .count, leastCount: 1, mostCount: 100_000)], isMoment: true, leavesMarks: true)

    private let step: Step
    private let seed: UInt64
    init(_ step: Step, seed: UInt64) { (self.step, self.seed) = (step, seed) }

    var begin: [FaultEffect] {
        let rot = FlashRot(bits: Int(step.count("bits") ?? 1), seed: seed, instance: step.id)
        return step.nodes.map { .command(CommandName.flashRot, JSON.encode(rot), to: $0) }
    }
}

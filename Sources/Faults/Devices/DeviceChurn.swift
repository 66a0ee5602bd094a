public import Catalogue
import Wire

extension FaultName { public static let deviceChurn = FaultName("device-churn") }

/// Devices come and go.
struct DeviceChurn: Fault {
    static let description = FaultDescription(
        .deviceChurn,
        "cuts the power of one of the targets every `every`, for a tenth of that", place: .devices,
        parameters: [Parameter("every", .duration, least: .seconds(1))], needsLength: true, holds: .power, silences: true)

    private let step: Step
    private let seed: UInt64
    init(_ step: Step, seed: UInt64) { (self.step, self.seed) = (step, seed) }

    /// All cuts at once: who is hit when depends on the seed and the step alone.
    var begin: [FaultEffect] {
        guard let every = step.duration("every"), every > .zero, let length = step.duration else { return [] }
        var draws = SeedStream(seed: seed, node: "plan", purpose: "churn \(step.id)")
        var effects: [FaultEffect] = []
        var at = step.at + every
        while at < step.at + length, let node = step.nodes.randomElement(using: &draws) {
            effects.append(.cut(node, at: at, pause: every / 10, hostStaysUp: false))
            at = at + every
        }
        return effects
    }
}

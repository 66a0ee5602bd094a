import Catalogue
import Planning
import Wire

/// How the targets of an attack came back to what they did before it, from the end of its step on.
///
/// A target is disturbed if it was hit while the step lasted (an exchange that failed, power or certificates that were lost, a boot that
/// failed, an update that was kept from it) and was not in order again when the step ended. It is in order again with its next exchange
/// that is accepted, or when it holds certificates again; where it was kept on an old version, with its next installation too. Whose doing it was is not asked: what a fault does
/// at the same time counts as well.
public struct Recovery: Sendable, Equatable, Codable {
    /// Targets that were disturbed.
    public var disturbed = 0
    /// Of those, the ones that were in order again before the run ended.
    public var recovered = 0
    /// From the end of the step to the last target that was in order again; nil if none was disturbed, or none recovered.
    public var lastNanoseconds: Int64?

    /// Nil if the step lasts as long as the run: nothing can be seen after it.
    static func measure(_ step: Step, _ verdict: Verdict, _ journal: ObservationLog) -> Recovery? {
        guard let end = journal.last?.at, step.end < end else { return nil }
        var recovery = Recovery()
        for target in verdict.targets {
            guard target.outcome == .frozen || isDisturbed(target.name, during: step, journal) else { continue }
            recovery.disturbed += 1
            guard let back = inOrder(target, after: step.end, journal) else { continue }
            recovery.recovered += 1
            recovery.lastNanoseconds = max(recovery.lastNanoseconds ?? 0, (back - step.end).nanoseconds)
        }
        return recovery
    }

    /// What an attack does in ending, such as to take a device apart once more, belongs to it.
    private static func isDisturbed(_ name: String, during step: Step, _ journal: ObservationLog) -> Bool {
        var isDisturbed = false
        for observation in journal where observation.at >= step.at && observation.at <= step.end {
            if let isGood = sign(observation, of: name) { isDisturbed = !isGood }
        }
        return isDisturbed
    }

    /// Whether an observation shows a device in order; nil if it says nothing of that.
    private static func sign(_ observation: Observation, of name: String) -> Bool? {
        let fact = observation.fact
        switch fact.kind {
        // Who is locked out is so by his operator.
        case .exchange where observation.node == name && fact.text(.code) == Code.lockedOut.rawValue: return nil
        case .exchange where observation.node == name: return fact.text(.result) == "accepted"
        case .certificateIssued where observation.node == name, .certificateRestored where observation.node == name: return true
        case .powerLost where observation.node == name, .bootFailed where observation.node == name,
            .certificateExpired where observation.node == name:
            return false
        case .processKilled where fact.text(.name) == name, .processLost where fact.text(.name) == name: return false
        default: return nil
        }
    }

    private static func inOrder(_ target: Verdict.Target, after end: Instant, _ journal: ObservationLog) -> Instant? {
        let later = journal.lazy.filter { $0.at >= end }
        guard let works = later.first(where: { sign($0, of: target.name) == true })?.at else { return nil }
        guard target.outcome == .frozen else { return works }
        return later.first { $0.node == target.name && $0.fact.kind == .updateInstalled }.map { max(works, $0.at) }
    }
}

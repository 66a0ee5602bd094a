import Catalogue
import Planning
public import Wire

/// Something of the service's that ran out before anything took its place.
public struct Lapse: Sendable, Equatable, Codable {
    /// `service` for the service's own certificate, `catalog` for the catalog's authority.
    public var role: String
    public var from: Instant
    /// When there was a new one; nil for not before the end of the run.
    public var to: Instant?

    static func measure(_ plan: Plan, _ journal: ObservationLog) -> [Lapse] {
        let end = journal.last?.at ?? .start
        let renewals = journal.filter { $0.fact.kind == .authorityRenewed }
        return plan.serviceNodes.flatMap { node -> [Lapse] in
            let begin = node == ServiceNode.maker ? Instant.start : plan.handOver?.at ?? .start
            // The former owner's is over then.
            let over = node == ServiceNode.maker ? min(end, plan.handOver?.end ?? .never) : end
            return Plan.firstLives.flatMap { role, seconds -> [Lapse] in
                var until = begin + .seconds(seconds)
                var lapses: [Lapse] = []
                for renewal in renewals where renewal.node == node && renewal.fact.text(.role) == role {
                    if renewal.at > until { lapses.append(Lapse(role: role, from: until, to: renewal.at)) }
                    until = max(until, renewal.fact.number(.notAfterSeconds).flatMap(plan.instant(unixSeconds:)) ?? until)
                }
                return until < over ? lapses + [Lapse(role: role, from: until, to: nil)] : lapses
            }
        }
    }
}

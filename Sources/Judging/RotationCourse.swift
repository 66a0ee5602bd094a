import Catalogue
import Planning
public import Wire

/// Which devices have followed when an operator replaced something that they trust: a pure function of the journal.
public struct RotationCourse: Sendable, Equatable, Codable {
    public var step: String
    public var title: String
    public var at: Instant
    public var devices: Int
    public var followed: Int
    /// From the step to the last device that has followed.
    public var lastNanoseconds: Int64?
    /// Who has not by the end of the run, in the order of the plan.
    public var missing: [String]

    /// What shows that a device has followed.
    fileprivate struct Watch {
        var step: Step
        var act: OperatorAct
        /// The node that is told of it, or of a hand-over the one that takes over.
        var service: String
        /// From when on what is seen shows it; nil until the service has replaced it.
        var from: Instant?
        var since: [String: Instant] = [:]
    }

    static func measure(_ plan: Plan, _ journal: ObservationLog) -> [RotationCourse] {
        var watches = plan.inOrder.compactMap { step -> Watch? in
            guard case .operate(let act) = step.act, act.isFollowed else { return nil }
            let service = plan.successor(at: step.at) == nil ? ServiceNode.maker : ServiceNode.successor
            return Watch(step: step, act: act, service: service)
        }
        if watches.isEmpty { return [] }
        let names = Set(plan.devices.map(\.name))
        for observation in journal {
            for index in watches.indices where watches[index].step.at <= observation.at {
                watches[index].take(observation, plan, names)
            }
        }
        return watches.map { watch in
            RotationCourse(
                step: watch.step.id, title: watch.step.release?.title ?? watch.act.rawValue, at: watch.step.at, devices: names.count,
                followed: watch.since.count, lastNanoseconds: watch.since.values.max().map { ($0 - watch.step.at).nanoseconds },
                missing: plan.devices.map(\.name).filter { watch.since[$0] == nil })
        }
    }
}

extension OperatorAct {
    fileprivate var isFollowed: Bool {
        switch self {
        case .rotateUpdateKeys, .rotateServiceCertificate, .rotateCatalogAuthority, .rotatePolicyAuthority, .rotateRoot, .handOver: true
        case .checkUpdates, .recover, .withdraw, .lockOut, .readmit, .move: false
        }
    }
}

extension RotationCourse.Watch {
    fileprivate mutating func take(_ observation: Observation, _ plan: Plan, _ names: Set<String>) {
        let fact = observation.fact
        switch (act, fact.kind) {
        case (.rotateServiceCertificate, .authorityRenewed) where observation.node == service && fact.text(.role) == "service":
            from = from ?? observation.at
        case (.rotateServiceCertificate, .exchange) where fact.text(.operation) != "peer":
            if fact.text(.result) == "accepted" { note(observation.node, observation.at, names) }
        case (.rotateCatalogAuthority, .authorityRenewed), (.rotatePolicyAuthority, .authorityRenewed):
            // It issues when the overlap is over.
            guard from == nil, observation.node == service, fact.text(.role) == "catalog", let since = fact.number(.sinceSeconds) else {
                return
            }
            from = max(observation.at, plan.instant(unixSeconds: since) ?? observation.at)
        case (.rotateCatalogAuthority, .certificateSigned), (.rotatePolicyAuthority, .certificateSigned):
            note(fact.text(.device) ?? "", observation.at, names)
        case (.rotateUpdateKeys, .keysRotated) where observation.node == service: from = from ?? observation.at
        case (.rotateUpdateKeys, .updateCheck):
            if ["current", "available"].contains(fact.text(.result)) { note(observation.node, observation.at, names) }
        case (.rotateRoot, .bootStage):
            from = step.at
            if let order = step.release, order.concerns(fact), order.isReached(by: fact) { note(observation.node, observation.at, names) }
        case (.handOver, .evidenceAppraised) where observation.node == service:
            from = step.at
            if fact.text(.result) == "accepted" { note(fact.text(.device) ?? "", observation.at, names) }
        default: break
        }
    }

    private mutating func note(_ device: String, _ at: Instant, _ names: Set<String>) {
        guard let from, from <= at, names.contains(device), since[device] == nil else { return }
        since[device] = at
    }
}

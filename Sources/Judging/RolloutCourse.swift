import Catalogue
import Planning
import Wire

/// What has become of one release's rollout in each group that it is for, as the service tells of it; and what it waits for, if nothing
/// had been decided when the run ended.
struct RolloutCourse {
    private let step: Step
    private let order: UpdateOrder
    private let plan: Plan
    private let journal: ObservationLog
    private var refusal: String?
    private var groups: [String: Course] = [:]

    private struct Course {
        var openedAt: Instant
        /// From 0.
        var batch = 0
        var end: (state: RolloutState, reason: String, at: Instant)?
    }

    /// Devices that it counts, by name, with the group and the instant at which that was looked at: who is in one of its groups, and not
    /// locked out, when nobody else gets it any more, or when the run ends.
    private var counted: [String: (group: String, at: Instant)] = [:]

    /// A device that gets no answer from anybody for so long is silent: telemetry comes hourly.
    private static let silence = Duration.hours(4)
    /// The service looks at what nobody asks about each hour.
    private static let slack = Duration.hours(2)

    /// - Parameter told: Of the journal what is about releases.
    init(_ step: Step, _ order: UpdateOrder, _ plan: Plan, _ told: [Observation], _ journal: ObservationLog, _ inventory: InventoryHistory)
    {
        (self.step, self.order, self.plan, self.journal) = (step, order, plan, journal)
        // Facts name images; those of this step are known from its beginning.
        var names: Set<String> = []
        let services = plan.serviceNodes
        for observation in told where observation.at >= step.at && services.contains(observation.node) {
            let fact = observation.fact
            let isOwn = fact[.instance].map { $0 == .text(step.id) } ?? names.contains(fact.text(.image) ?? "")
            let group = fact.text(.target) ?? ""
            // The same images may be released, or gone back to, once more.
            func end(_ state: RolloutState) {
                guard groups[group]?.end == nil || state == .withdrawn else { return }
                groups[group, default: Course(openedAt: observation.at)].end = (state, fact.text(.reason) ?? "", observation.at)
            }
            switch fact.kind {
            case .rolloutStarted where fact.text(.instance) == step.id:
                names.insert(fact.text(.image) ?? "")
                groups[group] = Course(openedAt: observation.at)
            case .rolloutBatch where isOwn:
                groups[group]?.openedAt = observation.at
                groups[group]?.batch = Int(fact.number(.count) ?? 1) - 1
            case .rolloutHalted where isOwn: end(.halted)
            case .rolloutComplete where isOwn: end(.complete)
            case .rolloutSuperseded where isOwn: end(.superseded)
            // Nobody else gets it, and who has it keeps it.
            case .rolloutWithdrawn where isOwn && fact.text(.code) == Code.refused.rawValue:
                let state = groups[group]?.end?.state ?? .halted
                groups[group, default: Course(openedAt: observation.at)].end = (
                    state, "not withdrawn: \(fact.text(.reason) ?? "")", groups[group]?.end?.at ?? observation.at
                )
            case .rolloutWithdrawn where isOwn: end(.withdrawn)
            case .refusal where fact.text(.operation) == "release" && fact.text(.instance) == step.id: refusal = fact.text(.reason) ?? ""
            default: break
            }
        }
        count(inventory)
    }

    private mutating func count(_ inventory: InventoryHistory) {
        let over = journal.last?.at ?? .start
        let ends = groups.compactMapValues { course in course.end.flatMap { $0.state == .complete ? nil : $0.at } }
        for device in plan.devices where !order.isApp || device.apps.contains(order.image) {
            for group in inventory.groups(of: device.name) where plan.isFor(group, order) {
                let at = ends[group] ?? over
                guard inventory.group(of: device.name, at: at) == group, !inventory.isLockedOut(device.name, at: at) else { continue }
                counted[device.name] = (group, at)
            }
        }
    }

    /// The devices that it counts.
    var members: Set<String> { Set(counted.keys) }
    /// The instant at which a device was one of them; the end of time for others.
    func counted(_ device: String) -> Instant { counted[device]?.at ?? .never }

    /// How it ended, over all groups.
    /// - Parameter running: Devices that run it, or something newer, at the end of the run.
    func end(running: Set<String>) -> (state: RolloutState, reason: String) {
        if let refusal { return (.refused, refusal) }
        let wanted = Set(counted.values.map(\.group)).union(groups.keys).sorted()
        let ends = wanted.map { group in groups[group]?.end.map { ($0.state, $0.reason) } ?? standing(group, running) }
        // What went wrong somewhere is told of first.
        for state in [RolloutState.halted, .withdrawn, .stuck, .running, .superseded] {
            if let found = ends.first(where: { $0.0 == state }) { return found }
        }
        return ends.isEmpty ? (.running, "no device is there that it is for") : (.complete, ends.map(\.1).first { !$0.isEmpty } ?? "")
    }

    /// Of a group in which nothing has been decided.
    private func standing(_ group: String, _ running: Set<String>) -> (state: RolloutState, reason: String) {
        let over = journal.last?.at ?? .start
        guard let course = groups[group] else {
            let delay = order.terms.audience.delaySeconds(group: group, plan.settings(of: group)) ?? 0
            let opens = step.at + .seconds(delay)
            if opens > over { return (.running, "opens to \(group) \(readable(opens - .start)) after the run's start") }
            return (.stuck, "the service has not begun it")
        }
        let timeout = Duration.seconds(order.terms.batchTimeoutSeconds ?? RolloutTerms.usualBatchTimeoutSeconds)
        let members = counted.filter { $0.value.group == group }.keys.sorted()
        let sizes = RolloutTerms.sizes(of: order.terms.batches, in: members.count)
        let open = members.prefix(course.batch < sizes.count ? sizes[course.batch] : members.count)
        let waiting = open.filter { !running.contains($0) }
        let batch = sizes.count > 1 ? "batch \(course.batch + 1) of \(sizes.count)" : "it"
        let until = "time-out after \(readable(timeout))"
        if course.openedAt + timeout + RolloutCourse.slack < over {
            return (.stuck, "\(batch) is over its \(until), and the service has not decided")
        }
        let silent = waiting.compactMap { name in silence(of: name, over).map { "\(name), silent for \(readable($0))" } }
        if !silent.isEmpty { return (.stuck, "\(batch) waits for \(silent.joined(separator: "; ")); \(until)") }
        return (.running, waiting.isEmpty ? "" : "\(batch) waits for \(waiting.joined(separator: ", ")); \(until)")
    }

    /// How long a device has had no answer when the run ended; nil if it had some lately.
    private func silence(of device: String, _ over: Instant) -> Duration? {
        let last = journal.last { $0.node == device && $0.fact.kind == .exchange && $0.fact.text(.result) == "accepted" }?.at ?? .start
        let silence = over - last
        return silence > RolloutCourse.silence ? silence : nil
    }
}

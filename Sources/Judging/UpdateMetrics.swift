import Catalogue
public import Planning
public import Wire

/// How one release spread through its devices: a pure function of the journal.
public struct ReleaseMetrics: Sendable, Equatable, Codable {
    public struct Reached: Sendable, Equatable, Codable {
        /// 0…1 of the devices.
        public var ratio: Double
        /// Since the release; nil if it was not reached.
        public var afterNanoseconds: Int64?
    }

    public var step: String
    public var title: String
    public var devices: Int
    /// Devices that run it, or (unless its rollout failed) something newer, at the end of the run.
    public var installed: Int
    /// Instants at which one more device ran it, or (negative change) one fewer.
    public var changes: [Change]
    public var reached: [Reached]
    /// Hours that devices ran something older after the release, over all of them.
    public var exposureDeviceHours: Double
    /// Devices that went back to what they had.
    public var reverted: Int
    public var rollout: RolloutState
    /// Why it ended so, or what it waits for, in words.
    public var rolloutReason: String

    /// For people.
    public var rolloutWords: String { rolloutReason.isEmpty ? rollout.rawValue : "\(rollout.rawValue): \(rolloutReason)" }

    public struct Change: Sendable, Equatable, Codable {
        public var at: Instant
        public var change: Int
    }

    /// - Parameters:
    ///   - told: Of the journal what ``isTold(_:)`` lets through.
    ///   - published: Digests of the images of each release, by its step.
    init(
        _ step: Step, _ order: UpdateOrder, _ plan: Plan, _ told: [Observation], published: [String: Set<String>],
        _ journal: ObservationLog, _ inventory: InventoryHistory
    ) {
        self.step = step.id
        title = order.title
        let course = RolloutCourse(step, order, plan, told, journal, inventory)
        let members = course.members
        /// Older than the release, and than the device's being there.
        func begin(_ device: String) -> Instant { max(step.at, inventory.sinceInGroup(device, at: course.counted(device))) }
        devices = members.count
        let end = journal.last?.at ?? .start
        let own = published[step.id] ?? []
        // Who runs a later release of the same has this one behind it, unless it was a failure.
        let isFailed = [.halted, .refused, .withdrawn].contains(course.end(running: []).state)
        let later = plan.steps.filter { other in
            if isFailed { return other.id == step.id }
            return other.release.map { $0.image == order.image && other.at >= step.at } ?? false
        }
        let digests = later.reduce(into: Set<String>()) { $0.formUnion(published[$1.id] ?? []) }
        var running: Set<String> = []
        var changes: [Change] = []
        var since: [String: Instant] = [:]
        var exposed = 0.0
        reverted = 0
        for observation in told {
            let fact = observation.fact
            switch fact.kind {
            case .bootStage where members.contains(observation.node):
                // Or by cable: then the images are others, as new.
                let isRunning = digests.contains(fact.text(.digest) ?? "") || order.isReached(by: fact)
                guard order.concerns(fact), isRunning != running.contains(observation.node) else { continue }
                if isRunning {
                    running.insert(observation.node)
                    let from = max(begin(observation.node), since[observation.node] ?? .start)
                    exposed += ReleaseMetrics.hours(from: from, to: observation.at)
                } else {
                    running.remove(observation.node)
                    since[observation.node] = observation.at
                }
                changes.append(Change(at: observation.at, change: isRunning ? 1 : -1))
            case .updateReverted where members.contains(observation.node):
                let heads = (fact.text(.digest) ?? "").split(separator: " ").map(String.init)
                if observation.at >= step.at, heads.contains(where: own.contains) {
                    reverted += 1
                }
            default: break
            }
        }
        for device in members.subtracting(running).sorted() {
            exposed += ReleaseMetrics.hours(from: max(begin(device), since[device] ?? .start), to: end)
        }
        installed = running.count
        (rollout, rolloutReason) = course.end(running: running)
        self.changes = changes
        exposureDeviceHours = (exposed * 100).rounded() / 100
        reached = [0.5, 0.9, 0.99, 1].map { ratio in
            let wanted = Int((Double(members.count) * ratio).rounded(.up))
            var count = 0
            let at = changes.first { change in
                count += change.change
                return count >= max(1, wanted)
            }?.at
            return Reached(ratio: ratio, afterNanoseconds: at.map { ($0 - step.at).nanoseconds })
        }
    }

    /// What services gave out for each step: a version's number alone may be somebody else's.
    private static func published(_ told: [Observation], _ services: [String]) -> [String: Set<String>] {
        var images: [String: [String]] = [:]
        var digests: [String: Set<String>] = [:]
        for observation in told where services.contains(observation.node) {
            let (fact, names) = (observation.fact, observation.fact.text(.image) ?? "")
            switch fact.kind {
            case .rolloutStarted:
                guard let step = fact.text(.instance), images[step] == nil else { continue }
                images[step] = names.split(separator: " ").map(String.init)
            case .imageAdded: if let digest = fact.text(.digest) { digests[names, default: []].insert(digest) }
            default: break
            }
        }
        return images.mapValues { names in names.reduce(into: Set<String>()) { $0.formUnion(digests[$1] ?? []) } }
    }

    private static func hours(from: Instant, to: Instant) -> Double { max(0, Double((to - from).nanoseconds) / 3600e9) }

    static func measure(_ plan: Plan, _ journal: ObservationLog, _ inventory: InventoryHistory) -> [ReleaseMetrics] {
        // What is about releases, once for all of them: a journal of years is read as seldom as can be.
        let told = journal.filter(isTold)
        let published = published(told, plan.serviceNodes)
        return plan.steps.compactMap { step in
            guard let order = step.release else { return nil }
            return ReleaseMetrics(step, order, plan, told, published: published, journal, inventory)
        }
    }

    /// Whether an observation may be about a release.
    private static func isTold(_ observation: Observation) -> Bool {
        switch observation.fact.kind {
        case .bootStage, .updateReverted, .imageAdded, .rolloutStarted, .rolloutBatch, .rolloutHalted, .rolloutComplete,
            .rolloutSuperseded, .rolloutWithdrawn, .refusal:
            true
        default: false
        }
    }

    /// Devices whose last start ended in nothing: they have power and do not come up.
    public static func bricked(_ plan: Plan, _ journal: ObservationLog) -> [String] {
        var state: [String: Bool] = [:]
        for observation in journal {
            switch observation.fact.kind {
            case .bootFailed: state[observation.node] = true
            // Power that goes in the middle of a start is no verdict on the flash.
            case .osReady, .powerLost: state[observation.node] = false
            default: break
            }
        }
        return plan.devices.map(\.name).filter { state[$0] == true }
    }
}

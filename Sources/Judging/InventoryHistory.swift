import Planning
import Wire

/// What the service has told of its devices: which group each was in, and when its operator had it locked out.
struct InventoryHistory {
    /// From when its operator had a device locked out.
    struct LockOut: Equatable {
        var from: Instant
        /// Never, if the run ended first.
        var readmitted = Instant.never
        /// When it was there again: heard after it was readmitted, or ``patience`` later.
        var over = Instant.never
    }

    /// A device that is readmitted tries again within an hour; who is not back after that time is not kept out by his operator.
    private static let patience = Duration.hours(2)

    private let initial: [String: String]
    private var moves: [String: [(at: Instant, group: String)]] = [:]
    private var lockOuts: [String: [LockOut]] = [:]
    /// Devices that were locked out at some time, by the hosts under which others know them.
    private var hosts: [String: String] = [:]

    init(_ plan: Plan, _ journal: some Sequence<Observation>) {
        initial = Dictionary(plan.devices.map { ($0.name, $0.group) }, uniquingKeysWith: { first, _ in first })
        for observation in journal { take(observation, plan) }
    }

    private mutating func take(_ observation: Observation, _ plan: Plan) {
        let (fact, at) = (observation.fact, observation.at)
        switch fact.kind {
        case .deviceMoved:
            guard let device = fact.text(.device), let group = fact.text(.target) else { return }
            moves[device, default: []].append((at, group))
        case .deviceLockedOut:
            guard let device = fact.text(.device) else { return }
            close(device, at: at)
            lockOuts[device, default: []].append(LockOut(from: at))
            for host in plan.hosts(of: device) { hosts[host] = device }
        case .deviceReadmitted:
            guard let device = fact.text(.device), var last = lockOuts[device]?.popLast() else { return }
            (last.readmitted, last.over) = (at, at + InventoryHistory.patience)
            lockOuts[device]?.append(last)
        case .certificateIssued: close(observation.node, at: at)
        case .exchange where fact.text(.result) == "accepted" && fact.text(.operation) != "peer": close(observation.node, at: at)
        default: break
        }
    }

    /// A device that was readmitted is there again.
    private mutating func close(_ device: String, at: Instant) {
        guard !lockOuts.isEmpty, var all = lockOuts[device], let last = all.popLast(), last.readmitted != .never, at < last.over else {
            return
        }
        lockOuts[device] = all + [LockOut(from: last.from, readmitted: last.readmitted, over: at)]
    }

    // MARK: Groups

    func group(of device: String, at instant: Instant) -> String? {
        moves[device]?.last { $0.at <= instant }?.group ?? initial[device]
    }

    /// All that it has been in, in the order of time.
    func groups(of device: String) -> [String] { [initial[device]].compactMap(\.self) + (moves[device] ?? []).map(\.group) }

    /// Since when it has been in the group that it is in at an instant.
    func sinceInGroup(_ device: String, at instant: Instant) -> Instant { moves[device]?.last { $0.at <= instant }?.at ?? .start }

    // MARK: Lock-outs

    func isLockedOut(_ device: String, at instant: Instant) -> Bool {
        lockOuts[device]?.contains { $0.from <= instant && instant < $0.readmitted } ?? false
    }

    /// Devices that are locked out when the run ends, by name.
    var lockedOut: [(device: String, since: Instant)] {
        lockOuts.compactMap { device, all in all.last.flatMap { $0.readmitted == .never ? (device, $0.from) : nil } }
            .sorted { $0.device < $1.device }
    }

    /// Whether its operator keeps a device out at some time of a stretch.
    func isKeptOut(_ device: String, from: Instant, to: Instant) -> Bool {
        lockOuts[device]?.contains { $0.from < to && from < $0.over } ?? false
    }

    /// Whether an exchange is one of a device that its operator keeps out, or of another with it.
    func isKeptOut(_ exchange: Observation) -> Bool {
        if lockOuts.isEmpty { return false }
        let peer = exchange.fact.text(.peer).flatMap { hosts[$0] }
        return [exchange.node, peer].compactMap(\.self).contains { device in
            lockOuts[device]?.contains { $0.from <= exchange.at && exchange.at < $0.over } ?? false
        }
    }
}

/// A staged rollout: batches of devices, each opened when the one before has shown that the release works, and a
/// stop where it does not. Pure: a decision with its reason.
struct Rollout: Equatable {
    enum State: String {
        /// Published, and not yet open to this group's feed.
        case scheduled
        case running, complete, halted
    }

    enum Decision: Equatable {
        case wait
        case open(batch: Int)
        case complete
        case halt(String)
    }

    /// Devices that have what the release replaces, in the order in which they get it.
    var devices: [String]
    /// How many devices have it once each batch is open.
    var batches: [Int]
    /// The least share of the devices of open batches that must succeed, 0…1.
    var threshold: Double
    /// How long a batch is watched after the last of its devices has reported.
    var soakSeconds: Int64
    var openBatch: Int
    var succeeded: Set<String>
    var failed: Set<String>
    /// Unix seconds of the last report or opening.
    var changedAt: Int64

    var open: ArraySlice<String> { devices.prefix(openBatch < batches.count ? batches[openBatch] : devices.count) }

    func decide(now: Int64) -> Decision {
        // Nobody has said yet that it has what the release replaces.
        guard !devices.isEmpty else { return .wait }
        let good = open.count { succeeded.contains($0) }
        let bad = open.count { failed.contains($0) }
        let allowed = Int((Double(open.count) * (1 - threshold)).rounded(.down))
        if bad > allowed { return .halt("\(bad) of \(open.count) failed, \(allowed) allowed") }
        guard good + bad == open.count, now >= changedAt + soakSeconds else { return .wait }
        return openBatch + 1 < batches.count ? .open(batch: openBatch + 1) : .complete
    }
}

extension Rollout {
    /// Batches as an operator writes them: counts such as `1`, shares such as `50%`, both of all devices.
    static func sizes(_ words: [String], of count: Int) -> [Int] {
        var sizes = words.map { word in
            if word.hasSuffix("%"), let share = Double(word.dropLast()) { return Int((Double(count) * share / 100).rounded(.up)) }
            return Int(word) ?? count
        }
        // Each batch adds something, and the last is everybody.
        for index in sizes.indices { sizes[index] = min(count, max(sizes[index], index > 0 ? sizes[index - 1] : min(1, count))) }
        if sizes.last != count { sizes.append(count) }
        return sizes
    }
}

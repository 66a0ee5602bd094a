import Wire

/// A staged rollout: batches of devices, each opened when the one before has shown that the release works, and a
/// stop where it does not. Pure: a decision with its reason.
struct Rollout: Equatable {
    enum State: String {
        /// Published, and not yet open to this group's feed.
        case scheduled
        case running, complete, halted
        /// A newer release of the same has taken its place: who is to have it keeps or still gets it, and no other batch opens.
        case superseded
        /// Its operator took it back: who has it keeps it until there is something to go back to, and nobody else gets it.
        case withdrawn

        /// Nothing is decided any more.
        var isOver: Bool { self != .scheduled && self != .running }
    }

    /// Why a rollout was halted.
    enum Cause: String {
        case failures, refusals
        case noAnswer = "no-answer"
    }

    enum Decision: Equatable {
        case wait
        case open(batch: Int)
        case complete
        case halt(Cause, String)
    }

    /// Devices that have what the release replaces, in the order in which they get it. Last come those that have never said what they
    /// have: they may.
    var devices: [String]
    /// How many devices have it once each batch is open.
    var batches: [Int]
    /// The least share of the devices of open batches that must succeed, 0…1.
    var threshold: Double
    /// How long a batch is watched after the last of its devices has reported.
    var soakSeconds: Int64
    /// How long a batch may take from its opening on: who has not answered by then does not count as good.
    var timeoutSeconds: Int64
    var openBatch: Int
    var succeeded: Set<String>
    /// Went back to what they had. Who has succeeded since has not failed.
    var failed: Set<String>
    /// Never installed it, since they cannot.
    var refused: Set<String>
    /// Of those that have neither succeeded nor failed nor refused: they have been heard since the batch was opened.
    var heard: Set<String> = []
    /// There is nobody to wait for: who is moved there later gets what the group has.
    var isGroupEmpty = false
    /// What the first device that failed or refused has said.
    var words = ""
    /// Unix seconds of the batch's opening.
    var openedAt: Int64
    /// Unix seconds of the last report or opening.
    var changedAt: Int64

    var open: ArraySlice<String> { devices.prefix(openBatch < batches.count ? batches[openBatch] : devices.count) }
    /// Unix seconds.
    var deadline: Int64 { openedAt.addingReportingOverflow(timeoutSeconds).overflow ? .max : openedAt + timeoutSeconds }

    func decide(now: Int64) -> Decision {
        if isGroupEmpty { return .complete }
        // Nobody has said yet that it has what the release replaces.
        guard !devices.isEmpty else {
            return now < deadline ? .wait : .halt(.noAnswer, "no answer within \(Rollout.words(timeoutSeconds)): no device is there")
        }
        let good = open.count { succeeded.contains($0) }
        let failures = open.count { failed.contains($0) && !succeeded.contains($0) }
        let refusals = open.count { refused.contains($0) && !failed.contains($0) && !succeeded.contains($0) }
        let allowed = Int((Double(open.count) * (1 - threshold)).rounded(.down))
        if failures + refusals > allowed {
            let counts = [(failures, "failed"), (refusals, "refused")].filter { $0.0 > 0 }.map { "\($0) \($1)" }
            let text =
                counts.count == 1
                ? "\(max(failures, refusals)) of \(open.count) \(failures > 0 ? "failed" : "refused")"
                : "\(counts.joined(separator: " and ")) of \(open.count)"
            return .halt(
                refusals > failures ? .refusals : .failures, "\(text), \(allowed) allowed\(words.isEmpty ? "" : ": \(words)")")
        }
        let missing = open.count - good - failures - refusals
        if missing > 0 {
            guard now >= deadline else { return .wait }
            if missing + failures + refusals > allowed { return .halt(.noAnswer, noAnswer(missing: missing, allowed: allowed)) }
        }
        guard now >= changedAt + soakSeconds else { return .wait }
        return openBatch + 1 < batches.count ? .open(batch: openBatch + 1) : .complete
    }

    private func noAnswer(missing: Int, allowed: Int) -> String {
        let waiting = open.count { heard.contains($0) && !succeeded.contains($0) && !failed.contains($0) && !refused.contains($0) }
        let text = "no answer from \(missing) of \(open.count) within \(Rollout.words(timeoutSeconds)), \(allowed) allowed"
        return waiting == 0 ? text : text + "; \(waiting) of them report and have not installed it"
    }

    /// A length as people write it: `90m`, `36h`, `3d`.
    static func words(_ seconds: Int64) -> String {
        for (unit, length) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)] where seconds >= length && seconds % length == 0 {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}

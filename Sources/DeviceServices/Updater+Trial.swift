import Exchange
import SecureChannel
import Wire

/// What was installed is on trial until it has proven itself; what does not is taken back.
extension Updater {
    /// After a start. With an outcome the device has gone back to what it had, and nothing else of this start happens.
    mutating func settleTrial(_ context: inout ServiceContext, _ out: inout Outbox) -> (outcomes: [ServiceOutcome], goesOn: Bool) {
        guard var trial = Trial(context.settings?[.trial], context.software) else { return ([], true) }
        guard trial.phase == .running else {
            self.trial = trial
            return (prove(&context, &out), true)
        }
        guard let storage = try? context.software.open(), storage.generation == trial.generation else {
            try? context.settings?.remove(.trial)
            return ([], true)
        }
        let isWhole = trial.images.allSatisfy { context.software.image($0)?.isFallback == false }
        trial.starts += 1
        if !isWhole || trial.starts > Trial.startLimit {
            self.trial = trial
            let reason = isWhole ? "not proven in \(Trial.startLimit) starts" : "an image did not start"
            return (goBack(reason, &context, &out), false)
        }
        do { try context.settings?.set(.trial, trial.encoded) } catch { return ([], true) }
        self.trial = trial
        if trial.areApps || !context.identity.usesCertificates {
            proveAt = out.now + Updater.bootSettling
        } else {
            trialEndsAt = out.now + Trial.startTime
        }
        return ([], true)
    }

    /// What has not proven itself in all this time is started once more, as often as a trial allows: it may be that it cannot.
    mutating func endTrial() -> [ServiceOutcome] {
        trialEndsAt = .never
        return trial?.phase == .running ? [.restart("update not proven in time")] : []
    }

    /// New apps run in place of the old ones.
    mutating func appsStarted(_ images: [StagedImage], _ out: inout Outbox) {
        journal("complete", images, &out)
        proveAt = out.now + Updater.bootSettling
    }

    /// The new images work: the copies that the device falls back to are made of them, and no older version starts any more.
    mutating func prove(_ context: inout ServiceContext, _ out: inout Outbox) -> [ServiceOutcome] {
        (proveAt, trialEndsAt) = (.never, .never)
        guard var trial else { return [] }
        do {
            guard var storage = try context.software.open() else { return [] }
            trial.phase = .proven
            try context.settings?.set(.trial, trial.encoded)
            try storage.settle(trial.images, fallback: false)
            for image in trial.images { context.software.raiseFloor(of: image) }
            try context.settings?.remove(.trial)
        } catch {
            out.observe(.refusal, [.operation: "prove update", .reason: .text("\(error)")])
            return []
        }
        self.trial = nil
        out.observe(.updateProven, [.image: .text(trial.images.map(context.software.name).joined(separator: " "))])
        // The next layer, and the news for the service.
        checkDue.at = out.now + .seconds(5) + context.draws.duration(upTo: .seconds(5))
        return trial.areApps ? [.notice(.complete, isApp: true)] : []
    }

    /// The verifier has accepted what runs: of an OS on trial that is proof.
    mutating func attested(_ context: inout ServiceContext, _ out: inout Outbox) -> [ServiceOutcome] {
        trial?.phase == .running && trial?.areApps == false ? prove(&context, &out) : []
    }

    /// The new images do not work: back to the old ones, and never again these.
    mutating func goBack(_ reason: String, _ context: inout ServiceContext, _ out: inout Outbox) -> [ServiceOutcome] {
        guard let trial else { return [] }
        self.trial = nil
        (proveAt, trialEndsAt) = (.never, .never)
        var digests: [String] = []
        do {
            guard var storage = try context.software.open() else { return [] }
            var failed = context.settings?[.failedImages] ?? []
            for image in trial.images {
                guard let digest = try storage.digest(of: image) else { continue }
                failed += digest
                digests.append(digest.hex)
                failures.append(.init(sha256: digest.hex, reason: reason, kind: .failed))
            }
            try context.settings?.set(.failedImages, Array(failed.suffix(32 * 16)))
            try storage.revert(trial.images)
            try context.settings?.remove(.trial)
        } catch {
            out.observe(.refusal, [.operation: "revert update", .reason: .text("\(error)")])
            return []
        }
        let names = trial.images.map(context.software.name).joined(separator: " ")
        let heads = digests.map(\.digestHead).joined(separator: " ")
        out.observe(.updateReverted, [.image: .text(names), .reason: .text(reason), .digest: .text(heads)])
        context.note(.update, "went back: \(reason)", seen: .init(digests: digests), at: out.now)
        checkDue.at = out.now + .seconds(20)
        return [trial.areApps ? .startApps([]) : .restart("update reverted")]
    }

    /// An image of which the first copy is bad has started from the other: make the first anew (UP-5).
    mutating func repair(_ context: ServiceContext, _ out: inout Outbox) {
        guard trial == nil else { return }
        let fallen = context.software.images.filter(\.isFallback).map(\.reference)
        guard !fallen.isEmpty, var storage = try? context.software.open() else { return }
        do { try storage.settle(fallen, fallback: true) } catch { return }
        out.observe(.bootRepaired, [.image: .text(fallen.map(context.software.name).joined(separator: " "))])
    }
}

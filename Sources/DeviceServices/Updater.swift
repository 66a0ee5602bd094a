import Configuration
import Exchange
import SecureChannel
import TUF
public import Wire

/// What becomes of updates, for the apps that want to know (UP-7).
public enum UpdateNotice: Equatable, Sendable {
    /// A check has found something, or nothing.
    case found
    case nothingFound
    /// Something is ready; an app may put it off by so much.
    case pending(limit: Duration)
    case final
    case deferred
    case complete
}

/// Checks for updates, installs them, and makes sure that what was installed works (UP-1 … UP-7).
public struct Updater {
    static let bootSettling = Duration.seconds(60)
    /// Between the last word to an app and the installation (UP-7; the original's ten seconds are unsourced).
    private static let finalNotice = Duration.seconds(10)
    /// An app has ten seconds to say that it wants an update later.
    private static let answerTime = Duration.seconds(10)
    private static let directorFiles: [(name: String, key: SettingsKey)] = [
        ("root.json", .directorRoot), ("timestamp.json", .directorTimestamp), ("snapshot.json", .directorSnapshot),
        ("targets.json", .directorTargets),
    ]
    private static let imageFiles: [(name: String, key: SettingsKey)] = [
        ("root.json", .imageRoot), ("timestamp.json", .imageTimestamp), ("snapshot.json", .imageSnapshot),
        ("targets.json", .imageTargets),
    ]

    var checkDue = CertifiedDuty()
    private(set) var finalAt = Instant.never
    private(set) var installAt = Instant.never
    var proveAt = Instant.never
    var trialEndsAt = Instant.never
    private var session: UpdateSession?
    /// Of the last answer to a check.
    private var connection: Connection?
    /// On the device and waiting to be installed.
    private var staged: [StagedImage] = []
    private var known = KnownUpdates([])
    /// Until when what is staged may be put off.
    private var latest = Instant.never
    var trial: Trial?
    /// What the service has yet to hear of.
    var failures: [ServiceAPI.UpdateStatus.Failure] = []
    /// Since this start it has heard of what failed before.
    private var hasToldOfFormer = false
    private var backoff: Backoff

    init(backoff: Backoff) { self.backoff = backoff }

    /// A restart: what is not kept is forgotten.
    mutating func stop() {
        let failures = failures
        self = Updater(backoff: backoff)
        self.failures = failures
    }

    /// Apps are on trial: one that ends takes them back.
    public var hasAppsOnTrial: Bool { trial?.areApps == true }
    public var hasStaged: Bool { !staged.isEmpty }

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        checkDue.at = now + .seconds(10) + context.draws.duration(upTo: .seconds(10))
    }

    // MARK: The check

    /// Says what runs here, then asks what should.
    mutating func check(_ context: inout ServiceContext, _ out: inout Outbox) {
        guard context.protections.renewableSecurity else {
            checkDue.at = .never
            return
        }
        guard context.identity.isReady else { return checkDue.wait() }
        // Whatever happens on the way, the next check comes.
        checkDue.at =
            out.now + .nanoseconds(context.configuration.updateEveryNanoseconds) + context.draws.duration(upTo: .minutes(10))
        guard session == nil else { return }
        if !hasToldOfFormer { addFormerFailures(context) }
        let status = ServiceAPI.UpdateStatus(
            osVersion: context.software.osVersion,
            images: context.software.images.map {
                .init(component: $0.component, name: $0.name, version: $0.version, sha256: $0.sha256.hex)
            },
            failures: failures)
        context.ask(
            .updateStatus,
            Request("POST", ServiceAPI.updateStatusPath, headers: context.sharedSecretHeader, body: JSON.encode(status)),
            context.identity.towardsService(context.identity.update, "update"), &out)
    }

    /// Power may have gone before the service heard of what failed here: it is told once in each life of the device.
    private mutating func addFormerFailures(_ context: ServiceContext) {
        for digest in failedImages(context).map(\.hex).sorted() where !failures.contains(where: { $0.sha256 == digest }) {
            failures.append(.init(sha256: digest, reason: "it has failed here before", kind: .failed))
        }
    }

    mutating func statusAnswered(
        _ outcome: ClientPool<Purpose>.Outcome, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> [ServiceOutcome] {
        outcome.journal("update-status", context.serviceHost, &out)
        if case .response(let response) = outcome.result {
            if response.isSuccess { (failures, hasToldOfFormer) = ([], true) }
            // There is nothing for it there until it is readmitted.
            if !response.isSuccess, Failure(response).code == .lockedOut { return [] }
        }
        guard session == nil else { return [] }
        do {
            guard let storage = try context.software.open() else {
                return ended("failed", nil, "no readable partition table", &context, &out)
            }
            let roots = context.software.updateRoots
            try forgetOthersMetadata(roots, &context)
            var session = try UpdateSession(
                deviceID: context.deviceID, software: context.software, failed: failedImages(context), waiting: staged,
                staging: StagedImage.decodeProgress(context.settings?[.staging] ?? []), storage: storage,
                director: trustedFiles(Updater.directorFiles, roots.director, context),
                images: trustedFiles(Updater.imageFiles, roots.images, context), rules: rules(context.protections))
            let step = session.begin()
            self.session = session
            return follow(step, nil, &context, &out)
        } catch let refusal as TUFRefusal {
            return ended("refused", refusal.kind, "\(refusal)", &context, &out)
        } catch {
            return ended("failed", nil, "\(error)", &context, &out)
        }
    }

    /// What is kept was trusted below other roots than those that the policy names now: another owner's, who starts anew. It is marked
    /// last, so that it is done again if the power goes meanwhile.
    private func forgetOthersMetadata(_ roots: UpdateRoots, _ context: inout ServiceContext) throws {
        let mark = sha256((roots.director ?? []) + (roots.images ?? []))
        guard let kept = context.settings?[.updateRoots] else { return try context.settings?.set(.updateRoots, mark) ?? () }
        guard kept != mark else { return }
        for (_, key) in Updater.directorFiles + Updater.imageFiles { try context.settings?.remove(key) }
        try context.settings?.set(.updateRoots, mark)
    }

    /// What is kept, on top of the root that came with the device's software.
    private func trustedFiles(
        _ names: [(name: String, key: SettingsKey)], _ root: [UInt8]?, _ context: ServiceContext
    ) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (name, key) in names { files[name] = context.settings?[key] }
        if files["root.json"] == nil { files["root.json"] = root }
        return files
    }

    private func rules(_ protections: Protections) -> UpdateSession.Rules {
        .init(
            metadata: .init(
                signatures: protections.signedUpdates, versions: protections.rollbackProtection,
                freshness: protections.updateFreshness),
            limitsAnswers: protections.requestLimits)
    }

    private func failedImages(_ context: ServiceContext) -> Set<[UInt8]> {
        let bytes = context.settings?[.failedImages] ?? []
        return Set(stride(from: 0, to: bytes.count - 31, by: 32).map { Array(bytes[$0..<$0 + 32]) })
    }

    mutating func answered(
        _ outcome: ClientPool<Purpose>.Outcome, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> [ServiceOutcome] {
        guard var session else { return [] }
        connection = outcome.connection
        switch outcome.result {
        case .failed(let failure):
            let isLong = failure.code == .answerTooLong
            return ended(isLong ? "refused" : "failed", isLong ? "length" : nil, failure.words, &context, &out)
        case .response(let response):
            let now = context.clock.unixSeconds(at: out.now)
            let step = session.answered(response, now: now)
            do {
                try keep(&session, now, &context)
            } catch {
                return ended("failed", nil, "\(error)", &context, &out)
            }
            self.session = session
            return follow(step, outcome.exchange, &context, &out)
        }
    }

    /// Trusted metadata, since when updates are known, and the progress of downloads.
    /// - Parameter now: Unix seconds by this device's clock.
    private mutating func keep(_ session: inout UpdateSession, _ now: Int64, _ context: inout ServiceContext) throws {
        let (director, images) = session.takeChanges()
        for (changes, names) in [(director, Updater.directorFiles), (images, Updater.imageFiles)] {
            for (name, bytes) in changes {
                guard let key = names.first(where: { $0.name == name })?.key else { continue }
                if let bytes { try context.settings?.set(key, bytes) } else { try context.settings?.remove(key) }
            }
        }
        if let wanted = session.takeWanted() {
            known = KnownUpdates(context.settings?[.knownUpdates] ?? [])
            known.learn(wanted, at: now)
            let bytes = known.encoded
            if bytes.isEmpty { try context.settings?.remove(.knownUpdates) } else { try context.settings?.set(.knownUpdates, bytes) }
        }
        let progress = StagedImage.encodeProgress(session.staging)
        if !progress.isEmpty { try context.settings?.set(.staging, progress) }
    }

    private mutating func follow(
        _ step: UpdateSession.Step, _ exchange: Int?, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> [ServiceOutcome] {
        switch step {
        case .ask(let request, let limit):
            let within = ServiceContext.requestLimit
            if let exchange {
                context.exchanges.ask(exchange, .update, request, within: within, bodyLimitBytes: limit, &out)
            } else {
                let isOverTLS = context.configuration.updatesOverTLS
                let target = ClientPool<Purpose>.Target(
                    host: context.serviceHost, port: isOverTLS ? ServicePort.mutual : ServicePort.updates,
                    security: isOverTLS ? context.identity.towardsService(context.identity.update, "update") : .plain, pair: .deviceService)
                context.exchanges.start(.update, request, to: target, within: within, bodyLimitBytes: limit, &out)
            }
            return []
        case .current: return ended("current", nil, nil, &context, &out)
        case .refused(let kind, let reason, let expired, let image):
            if let sha256 = image?.hex, !failures.contains(where: { $0.sha256 == sha256 }) {
                failures.append(.init(sha256: sha256, reason: reason, kind: .refused))
            }
            return ended("refused", kind, reason, expired: expired, &context, &out)
        case .failed(let reason): return ended("failed", nil, reason, &context, &out)
        case .staged(let images):
            foundAvailable(&out)
            return [.notice(.found, isApp: images.areApps)] + announce(images, context, &out)
        case .waiting:
            foundAvailable(&out)
            return []
        case .withdrawn:
            // What is about to be installed is let go, too; what has been meanwhile is on trial.
            if !staged.isEmpty { journal("withdrawn", staged, &out) }
            (staged, finalAt, installAt) = ([], .never, .never)
            return ended("current", nil, nil, &context, &out)
        }
    }

    private mutating func foundAvailable(_ out: inout Outbox) {
        var details: [Fact.Detail: Fact.Value] = [.result: "available", .version: .text(session?.versions ?? "")]
        if let connection { details[.connection] = .text("\(connection)") }
        out.observe(.updateCheck, details)
        session = nil
        backoff.reset()
    }

    private mutating func ended(
        _ result: String, _ kind: String?, _ reason: String?, expired: Int64? = nil, _ context: inout ServiceContext,
        _ out: inout Outbox
    ) -> [ServiceOutcome] {
        var details: [Fact.Detail: Fact.Value] = [.result: .text(result)]
        if let kind { details[.label] = .text(kind) }
        if let reason { details[.reason] = .text(reason) }
        if let versions = session?.versions { details[.version] = .text(versions) }
        if let connection { details[.connection] = .text("\(connection)") }
        if kind != nil { details[.code] = .text((expired == nil ? Code.metadataRefused : .metadataExpired).rawValue) }
        if let expired { details[.notAfterSeconds] = .number(expired) }
        out.observe(.updateCheck, details)
        let isCurrent = result == "current"
        if isCurrent { backoff.reset() } else { checkDue.at = min(checkDue.at, out.now + backoff.next()) }
        if kind != nil, let reason {
            // What an older version was measured by is a part of what was seen.
            let trusted = [SettingsKey.directorTimestamp, .imageTimestamp].compactMap { context.settings?[$0] }.map { sha256($0).hex }
            // Before anything was asked it is the device's own root that will not do: it came with its software.
            let own = session == nil ? context.software.updateRoots.digests.map(\.hex) : []
            let named = (session?.named.map(\.hex) ?? []) + (kind == "rollback" ? trusted : []) + own
            context.noteSecurity(
                .updateRefused, reason, seen: .init(connections: connection.map { [$0] } ?? [], digests: named), at: out.now)
        }
        if let session { try? context.settings?.set(.staging, StagedImage.encodeProgress(session.staging)) }
        session = nil
        return isCurrent ? [.notice(.nothingFound, isApp: false)] : []
    }

    // MARK: Installation

    /// Tells the apps, who may put it off: the OS by up to a day, apps by up to three, from when the device has learnt of it (UP-7).
    private mutating func announce(_ images: [StagedImage], _ context: ServiceContext, _ out: inout Outbox) -> [ServiceOutcome] {
        staged = images
        journal("pending", images, &out)
        let limit = max(.zero, (images.areApps ? Updater.appDeferral : Updater.systemDeferral) - age(context, out.now))
        latest = out.now + limit
        return [.notice(.pending(limit: limit), isApp: images.areApps)]
    }

    private static let appDeferral = Duration.hours(72)
    private static let systemDeferral = Duration.hours(24)

    /// How long what is staged has been known.
    private func age(_ context: ServiceContext, _ now: Instant) -> Duration {
        known.age(of: staged, at: context.clock.unixSeconds(at: now))
    }

    /// The apps have been told.
    /// - Parameter isHeard: One of them listens, and says itself if it wants the update later.
    mutating func announced(isHeard: Bool, _ context: ServiceContext, _ out: inout Outbox) {
        if isHeard {
            finalAt = out.now + Updater.answerTime
            return
        }
        let wanted = Duration.nanoseconds(context.configuration.deferUpdatesNanoseconds)
        finalAt = max(out.now, min(out.now + (wanted - age(context, out.now)), latest))
        if finalAt > out.now { journal("deferred", staged, &out) }
    }

    /// An app wants what is staged so much later.
    public mutating func `defer`(by time: Duration, _ out: inout Outbox) -> ServiceOutcome {
        finalAt = max(out.now, min(out.now + time, latest))
        journal("deferred", staged, &out)
        return .notice(.deferred, isApp: staged.areApps)
    }

    /// An app wants what is staged now.
    public mutating func resume(_ now: Instant) { finalAt = min(finalAt, now) }

    func journal(_ status: String, _ images: [StagedImage], _ out: inout Outbox) {
        out.observe(
            .updateEvent,
            [
                .status: .text(status), .label: images.areApps ? "app" : "system",
                .image: .text(images.map(\.name).joined(separator: " ")),
            ])
    }

    mutating func giveFinalNotice(_ out: inout Outbox) -> [ServiceOutcome] {
        journal("final", staged, &out)
        (finalAt, installAt) = (.never, out.now + Updater.finalNotice)
        return [.notice(.final, isApp: staged.areApps)]
    }

    mutating func install(_ context: inout ServiceContext, _ out: inout Outbox) -> [ServiceOutcome] {
        guard let (trial, images) = activate(&context, &out) else { return [] }
        guard trial.areApps && context.software.canStartApps(images.count) else { return [.restart("update")] }
        self.trial = trial
        return [.startApps(images)]
    }

    /// Makes of what is staged what starts next; nil if there is nothing, or it cannot be.
    mutating func activate(_ context: inout ServiceContext, _ out: inout Outbox) -> (trial: Trial, images: [StagedImage])? {
        guard !staged.isEmpty else { return nil }
        let images = staged
        (installAt, staged) = (.never, [])
        let trial: Trial
        do {
            guard var storage = try context.software.open() else { return nil }
            trial = Trial(images.map(\.reference), generation: storage.generation + 1, context.software)
            try context.settings?.set(.trial, trial.encoded)
            try storage.activate(images)
            try context.settings?.remove(.staging)
        } catch {
            out.observe(.refusal, [.operation: "install update", .reason: .text("\(error)")])
            return nil
        }
        for image in images {
            out.observe(
                .updateInstalled,
                [
                    .image: .text(image.name), .version: .number(image.version), .component: .text(image.type.name),
                    .digest: .text(image.sha256.hex.digestHead),
                ])
        }
        return (trial, images)
    }
}

import Catalogue
import Configuration
import Exchange
import Formats
import SecureChannel
import Silicon
import TUF
import Wire

/// Checks for updates, installs them, and makes sure that what was installed works (UP-1 … UP-7).
extension Device {
    private static let bootSettling = Duration.seconds(60)
    /// Between the last word to an app and the installation (UP-7; the original's ten seconds are unsourced).
    private static let finalNotice = Duration.seconds(10)
    private static let directorFiles: [(name: String, key: SettingsStore.Key)] = [
        ("root.json", .directorRoot), ("timestamp.json", .directorTimestamp), ("snapshot.json", .directorSnapshot),
        ("targets.json", .directorTargets),
    ]
    private static let imageFiles: [(name: String, key: SettingsStore.Key)] = [
        ("root.json", .imageRoot), ("timestamp.json", .imageTimestamp), ("snapshot.json", .imageSnapshot),
        ("targets.json", .imageTargets),
    ]

    private var updateTarget: ClientPool<Purpose>.Target {
        .init(host: configuration.names.service, port: ServicePort.updates, security: .plain, pair: .deviceService)
    }

    // MARK: The check

    /// Says what runs here, then asks what should.
    mutating func checkForUpdates(_ out: inout Outbox) {
        guard !isOff(.renewableSecurity) else {
            updates.checkAt = .never
            return
        }
        guard identity.isReady else {
            updates.checkAt = out.now + .minutes(1)
            return
        }
        // Whatever happens on the way, the next check comes.
        updates.checkAt = out.now + .nanoseconds(configuration.updateEveryNanoseconds) + draws.duration(upTo: .minutes(10))
        guard updates.session == nil, updates.staged.isEmpty else { return }
        let status = ServiceAPI.UpdateStatus(
            osVersion: osVersion,
            images: installed.map { .init(component: $0.component, name: $0.name, version: $0.version, sha256: $0.sha256.hex) },
            failures: updates.failures)
        ask(
            .updateStatus,
            Request("POST", ServiceAPI.updateStatusPath, headers: sharedSecretHeader, body: JSON.encode(status)),
            identity.towardsService(identity.update, "update"), &out)
    }

    mutating func statusAnswered(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        report("update-status", configuration.names.service, outcome, &out)
        if case .response(let response) = outcome.result, response.isSuccess { updates.failures = [] }
        guard updates.session == nil, updates.staged.isEmpty else { return }
        do {
            let store = try ImageStore(flash: flash)
            guard let store else { return checkEnded("failed", nil, "no readable partition table", &out) }
            var session = try UpdateSession(
                deviceID: deviceID, installed: installed, failed: failedImages,
                staging: StagedImage.decodeProgress(settings?[.staging] ?? []), store: store,
                director: trustedFiles(Device.directorFiles, factoryRoots["director"]),
                images: trustedFiles(Device.imageFiles, factoryRoots["images"]), rules: updateRules)
            let step = session.begin()
            updates.session = session
            follow(step, nil, &out)
        } catch let refusal as TUFRefusal {
            checkEnded("refused", refusal.kind, "\(refusal)", &out)
        } catch {
            checkEnded("failed", nil, "\(error)", &out)
        }
    }

    /// What flash remembers, on top of the root that came with the policy image.
    private func trustedFiles(_ names: [(name: String, key: SettingsStore.Key)], _ root: [UInt8]?) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for (name, key) in names { files[name] = settings?[key] }
        if files["root.json"] == nil { files["root.json"] = root }
        return files
    }

    private var updateRules: UpdateSession.Rules {
        let pluton = pluton
        let isStrict = !isOff(.rollbackProtection)
        return .init(
            metadata: .init(
                signatures: !isOff(.signedUpdates), versions: isStrict, freshness: !isOff(.updateFreshness)),
            trustedKeys: isOff(.secureBoot) ? nil : trustedKeys,
            floor: { isStrict ? pluton.counter(BootChain.counter($0.type, $0.ordinal)) : 0 },
            limitsAnswers: !isOff(.requestLimits))
    }

    mutating func updateAnswered(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        guard var session = updates.session else { return }
        switch outcome.result {
        case .failed(let failure):
            let isLong = failure.code == .answerTooLong
            updates.connection = outcome.connection
            checkEnded(isLong ? "refused" : "failed", isLong ? "length" : nil, failure.words, &out)
        case .response(let response):
            updates.connection = outcome.connection
            let step = session.answered(response, now: unixSeconds(at: out.now))
            do {
                try keep(&session)
            } catch {
                return checkEnded("failed", nil, "\(error)", &out)
            }
            updates.session = session
            follow(step, outcome.exchange, &out)
        }
    }

    /// Trusted metadata and the progress of downloads, in flash.
    private mutating func keep(_ session: inout UpdateSession) throws(SiliconError) {
        let (director, images) = session.takeChanges()
        for (changes, names) in [(director, Device.directorFiles), (images, Device.imageFiles)] {
            for (name, bytes) in changes {
                guard let key = names.first(where: { $0.name == name })?.key else { continue }
                if let bytes { try settings?.set(key, bytes) } else { try settings?.remove(key) }
            }
        }
        let progress = StagedImage.encodeProgress(session.staging)
        if !progress.isEmpty { try settings?.set(.staging, progress) }
    }

    private mutating func follow(_ step: UpdateSession.Step, _ exchange: Int?, _ out: inout Outbox) {
        switch step {
        case .ask(let request, let limit):
            if let exchange {
                clients.ask(exchange, .update, request, within: Device.requestLimit, bodyLimitBytes: limit, &out)
            } else {
                clients.start(.update, request, to: updateTarget, within: Device.requestLimit, bodyLimitBytes: limit, &out)
            }
        case .current: checkEnded("current", nil, nil, &out)
        case .refused(let kind, let reason, let expired, let image):
            if let sha256 = image?.hex, !updates.failures.contains(where: { $0.sha256 == sha256 }) {
                updates.failures.append(.init(sha256: sha256, reason: reason))
            }
            checkEnded("refused", kind, reason, expired: expired, &out)
        case .failed(let reason): checkEnded("failed", nil, reason, &out)
        case .staged(let images, let isApp):
            var details: [Fact.Detail: Fact.Value] = [.result: "available", .version: .text(updates.session?.versions ?? "")]
            if let connection = updates.connection { details[.connection] = .text("\(connection)") }
            out.observe(.updateCheck, details)
            updates.session = nil
            updates.backoff.reset()
            tellApps(found: true, isApp: isApp, out.now)
            announce(images, isApp: isApp, &out)
        }
    }

    private mutating func checkEnded(
        _ result: String, _ kind: String?, _ reason: String?, expired: Int64? = nil, _ out: inout Outbox
    ) {
        var details: [Fact.Detail: Fact.Value] = [.result: .text(result)]
        if let kind { details[.label] = .text(kind) }
        if let reason { details[.reason] = .text(reason) }
        if let versions = updates.session?.versions { details[.version] = .text(versions) }
        if let connection = updates.connection { details[.connection] = .text("\(connection)") }
        if kind != nil { details[.code] = .text((expired == nil ? Code.metadataRefused : .metadataExpired).rawValue) }
        if let expired { details[.notAfterSeconds] = .number(expired) }
        out.observe(.updateCheck, details)
        if result == "current" {
            updates.backoff.reset()
            tellApps(found: false, isApp: false, out.now)
        } else {
            updates.checkAt = min(updates.checkAt, out.now + updates.backoff.next())
        }
        if kind != nil, let reason {
            // What an older version was measured by is a part of what was seen.
            let trusted = [.directorTimestamp, .imageTimestamp].compactMap { settings?[$0] }.map { sha256($0).hex }
            // Before anything was asked it is the device's own root that will not do: it lies in its policy image.
            let own = updates.session == nil ? installed.filter { $0.reference.type == .policy }.map(\.sha256.hex) : []
            let named = (updates.session?.named.map(\.hex) ?? []) + (kind == "rollback" ? trusted : []) + own
            noteSecurity(.updateRefused, reason, seen: .init(connections: updates.connection.map { [$0] } ?? [], digests: named), &out)
        }
        if let session = updates.session {
            try? settings?.set(.staging, StagedImage.encodeProgress(session.staging))
        }
        updates.session = nil
    }

    // MARK: Installation

    /// Tells the apps, who may put it off: the OS by up to a day, apps by up to three (UP-7).
    private mutating func announce(_ images: [StagedImage], isApp: Bool, _ out: inout Outbox) {
        updates.staged = images
        event("pending", images, &out)
        let limit = isApp ? Duration.hours(72) : .hours(24)
        if tellApps(pending: isApp, limit: limit, &out) {
            updates.finalAt = out.now + Device.answerTime
            return
        }
        let deferral = min(Duration.nanoseconds(configuration.deferUpdatesNanoseconds), limit)
        if deferral > .zero { event("deferred", images, &out) }
        updates.finalAt = out.now + deferral
    }

    mutating func announceDeferral(_ out: inout Outbox) { event("deferred", updates.staged, &out) }

    private func event(_ status: String, _ images: [StagedImage], _ out: inout Outbox) {
        let isApp = images.allSatisfy { $0.type == .applications }
        out.observe(
            .updateEvent,
            [.status: .text(status), .label: isApp ? "app" : "system", .image: .text(images.map(\.name).joined(separator: " "))])
    }

    mutating func giveFinalNotice(_ out: inout Outbox) {
        event("final", updates.staged, &out)
        tellApps(final: updates.staged.allSatisfy { $0.type == .applications }, &out)
        (updates.finalAt, updates.installAt) = (.never, out.now + Device.finalNotice)
    }

    mutating func install(_ out: inout Outbox) {
        guard let (trial, images) = activate(&out) else { return }
        if trial.isOfApps && pluton.measurements.count + images.count <= Pluton.measurementLimit {
            updates.trial = trial
            restartApps(&out)
            event("complete", images, &out)
            updates.proveAt = out.now + Device.bootSettling
        } else {
            reboot("update", &out)
        }
    }

    /// Makes of what is staged what starts next; nil if there is nothing, or it cannot be.
    mutating func activate(_ out: inout Outbox) -> (trial: Trial, images: [StagedImage])? {
        guard !updates.staged.isEmpty else { return nil }
        let images = updates.staged
        (updates.installAt, updates.staged) = (.never, [])
        let trial: Trial
        do {
            guard var store = try ImageStore(flash: flash) else { return nil }
            trial = Trial(images.map(\.reference), generation: store.layout.generation + 1)
            try settings?.set(.trial, trial.encoded)
            try store.activate(images)
            try settings?.remove(.staging)
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

    // MARK: Proof

    /// After a start: false if the device went back to what it had and starts again.
    mutating func settleTrial(_ out: inout Outbox) -> Bool {
        guard var trial = Trial(settings?[.trial]) else { return true }
        guard trial.phase == .running else {
            updates.trial = trial
            prove(&out)
            return true
        }
        guard let store = try? ImageStore(flash: flash), store.layout.generation == trial.generation else {
            try? settings?.remove(.trial)
            return true
        }
        let booted = bootedImages
        let isWhole = trial.images.allSatisfy { image in
            booted.contains { $0.package.type == image.type && $0.ordinal == image.ordinal && $0.slot == .primary }
        }
        trial.starts += 1
        if !isWhole || trial.starts > Trial.startLimit {
            updates.trial = trial
            goBack(isWhole ? "not proven in \(Trial.startLimit) starts" : "an image did not start", &out)
            return false
        }
        do { try settings?.set(.trial, trial.encoded) } catch { return true }
        updates.trial = trial
        if trial.isOfApps || !identity.usesCertificates { updates.proveAt = out.now + Device.bootSettling }
        return true
    }

    /// The new images work: their backup copies are made, and Pluton's counters rise behind them.
    mutating func prove(_ out: inout Outbox) {
        updates.proveAt = .never
        guard var trial = updates.trial else { return }
        do {
            guard var store = try ImageStore(flash: flash) else { return }
            trial.phase = .proven
            try settings?.set(.trial, trial.encoded)
            try store.duplicate(trial.images)
            for image in trial.images {
                guard let booted = bootedImages.first(where: { $0.package.type == image.type && $0.ordinal == image.ordinal }) else {
                    continue
                }
                pluton.raiseCounter(BootChain.counter(image.type, image.ordinal), to: Int(booted.package.securityVersion))
            }
            try settings?.remove(.trial)
        } catch {
            out.observe(.refusal, [.operation: "prove update", .reason: .text("\(error)")])
            return
        }
        updates.trial = nil
        if trial.isOfApps { tellApps(complete: out.now) }
        out.observe(.updateProven, [.image: .text(trial.images.map { name($0) }.joined(separator: " "))])
        // The next kind, and the news for the service.
        updates.checkAt = out.now + .seconds(5) + draws.duration(upTo: .seconds(5))
    }

    private func name(_ image: ImageReference) -> String {
        bootedImages.first { $0.package.type == image.type && $0.ordinal == image.ordinal }?.package.name ?? image.type.name
    }

    /// The new images do not work: back to the old ones, and never again these.
    mutating func goBack(_ reason: String, _ out: inout Outbox) {
        guard let trial = updates.trial else { return }
        updates.trial = nil
        updates.proveAt = .never
        var digests: [String] = []
        do {
            guard var store = try ImageStore(flash: flash) else { return }
            var failed = settings?[.failedImages] ?? []
            for image in trial.images {
                guard let place = store.layout.place(image.type, image.ordinal, .primary) else { continue }
                let entry = store.layout.entries[place]
                let digest = sha256(try store.read(Int(entry.offset), Int(entry.length)))
                failed += digest
                digests.append(digest.hex)
                updates.failures.append(.init(sha256: digest.hex, reason: reason))
            }
            try settings?.set(.failedImages, Array(failed.suffix(32 * 16)))
            try store.revert(trial.images)
            try settings?.remove(.trial)
        } catch {
            out.observe(.refusal, [.operation: "revert update", .reason: .text("\(error)")])
            return
        }
        out.observe(.updateReverted, [.image: .text(trial.images.map { name($0) }.joined(separator: " ")), .reason: .text(reason)])
        note(.update, "went back: \(reason)", seen: .init(digests: digests), &out)
        updates.checkAt = out.now + .seconds(20)
        if trial.isOfApps { restartApps(&out) } else { reboot("update reverted", &out) }
    }

    private var failedImages: Set<[UInt8]> {
        let bytes = settings?[.failedImages] ?? []
        return Set(stride(from: 0, to: bytes.count - 31, by: 32).map { Array(bytes[$0..<$0 + 32]) })
    }

    /// An image whose primary copy is bad has started from its backup: make the primary anew (UP-5).
    mutating func repairCopies(_ out: inout Outbox) {
        guard updates.trial == nil else { return }
        let fallen = bootedImages.filter { $0.slot == .backup }.map { ImageReference(type: $0.package.type, ordinal: $0.ordinal) }
        guard !fallen.isEmpty, let store = try? ImageStore(flash: flash) else { return }
        var repaired = store
        do { try repaired.duplicate(fallen, from: .backup) } catch { return }
        out.observe(.bootRepaired, [.image: .text(fallen.map { name($0) }.joined(separator: " "))])
    }
}

/// What a device knows of its updates between events.
struct UpdateState {
    var checkAt = Instant.never
    var finalAt = Instant.never
    var installAt = Instant.never
    var proveAt = Instant.never
    var session: UpdateSession?
    /// Of the last answer to a check.
    var connection: Connection?
    /// In flash and waiting to be installed.
    var staged: [StagedImage] = []
    var trial: Trial?
    /// What the service has yet to hear of.
    var failures: [ServiceAPI.UpdateStatus.Failure] = []
    var backoff: Backoff

    var next: Instant { min(min(checkAt, finalAt), min(installAt, proveAt)) }
}

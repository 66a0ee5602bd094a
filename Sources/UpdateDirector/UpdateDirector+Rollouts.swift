import Exchange
public import Wire

/// How releases go on, and end.
extension UpdateDirector {
    /// Opens what has reached this group's feed, and the next batch of each rollout that has earned it; halts those
    /// that went wrong or that nobody answers.
    public func advance(group: String, now: Int64, _ out: inout Outbox) throws {
        for var deployment in try store.deployments(group: group) {
            if deployment.rolloutState == .scheduled, now >= deployment.opensAt {
                try open(&deployment, now: now, &out)
            }
            while deployment.rolloutState == .running, case let decision = try rollout(deployment, now: now).decide(now: now),
                decision != .wait
            {
                take(decision, &deployment, names: try names(deployment), now: now, &out)
                try store.save(deployment)
            }
        }
    }

    /// Decides what nobody asks about any more: a batch whose devices are all silent, too, comes to its end.
    public func settle(now: Int64, _ out: inout Outbox) throws {
        for group in Set(try store.overdue(now: now).map(\.deviceGroup)).sorted() { try advance(group: group, now: now, &out) }
    }

    private func open(_ deployment: inout ReleaseStore.Deployment, now: Int64, _ out: inout Outbox) throws {
        deployment.state = Rollout.State.running.rawValue
        (deployment.changedAt, deployment.openedAt) = (now, now)
        try store.save(deployment)
        out.observe(
            .rolloutStarted,
            [
                .image: .text(try names(deployment)), .target: .text(deployment.deviceGroup), .instance: .text(deployment.step),
                .text: .text(deployment.batches),
            ])
        // A way back is newer than nothing.
        guard deployment.replaces.isEmpty else { return }
        for var older in try store.deployments(group: deployment.deviceGroup)
        where older.rolloutState?.isOver == false && (older.id ?? 0) < (deployment.id ?? 0) {
            guard try isReplaced(older, by: deployment) else { continue }
            let name = try names(deployment)
            (older.state, older.reason) = (Rollout.State.superseded.rawValue, "by \(name)")
            try store.save(older)
            out.observe(
                .rolloutSuperseded,
                [
                    .image: .text(try names(older)), .target: .text(older.deviceGroup), .instance: .text(older.step),
                    .reason: .text(older.reason),
                ])
        }
    }

    /// True if a release has something else, and nothing older, in place of each image of another.
    private func isReplaced(_ older: ReleaseStore.Deployment, by newer: ReleaseStore.Deployment) throws -> Bool {
        let images = try store.images()
        let replacing = images.filter { newer.digests.contains($0.sha256) }
        return images.filter { older.digests.contains($0.sha256) }.allSatisfy { old in
            replacing.contains {
                $0.component == old.component && $0.hardware == old.hardware && $0.version >= old.version && $0.sha256 != old.sha256
            }
        }
    }

    private func take(
        _ decision: Rollout.Decision, _ deployment: inout ReleaseStore.Deployment, names: String, now: Int64, _ out: inout Outbox
    ) {
        let group = Fact.Value.text(deployment.deviceGroup)
        switch decision {
        case .wait: break
        case .open(let batch):
            deployment.openBatch = batch
            (deployment.changedAt, deployment.openedAt) = (now, now)
            out.observe(.rolloutBatch, [.image: .text(names), .count: .number(Int64(batch + 1)), .target: group])
        case .complete:
            deployment.state = Rollout.State.complete.rawValue
            out.observe(.rolloutComplete, [.image: .text(names), .target: group])
        case .halt(let cause, let reason):
            (deployment.state, deployment.reason) = (Rollout.State.halted.rawValue, reason)
            out.observe(
                .rolloutHalted, [.image: .text(names), .target: group, .label: .text(cause.rawValue), .reason: .text(reason)])
        }
    }

    func names(_ deployment: ReleaseStore.Deployment) throws -> String {
        try store.images().filter { deployment.digests.contains($0.sha256) }.map(\.name).joined(separator: " ")
    }

    /// - Parameter now: Unix seconds; nil where nothing is to be decided.
    func rollout(_ deployment: ReleaseStore.Deployment, now: Int64? = nil) throws -> Rollout {
        let wanted = Set(deployment.digests)
        let concerned = deployment.replaced.union(wanted)
        let components = try store.images().filter { wanted.contains($0.sha256) }.map(\.component)
        var devices = try store.installations(group: deployment.deviceGroup, components: components)
        if !deployment.replaces.isEmpty { devices = devices.filter { !$0.running.isDisjoint(with: concerned) } }
        // A device has succeeded when it runs every image of the release that it has a component for.
        let succeeded = devices.filter { !$0.running.isEmpty && $0.running.isSubset(of: wanted) }.map(\.deviceID)
        func having(_ kind: ServiceAPI.UpdateStatus.Failure.Kind) -> Set<String> {
            Set(devices.filter { device in wanted.contains { device.failures[$0]?.kind == kind } }.map(\.deviceID))
        }
        var rollout = Rollout(
            devices: devices.map(\.deviceID),
            batches: RolloutTerms.sizes(of: deployment.batches.split(separator: " ").map(String.init), in: devices.count),
            threshold: deployment.threshold, soakSeconds: deployment.soakSeconds, timeoutSeconds: deployment.timeoutSeconds,
            openBatch: deployment.openBatch, succeeded: Set(succeeded), failed: having(.failed), refused: having(.refused),
            openedAt: deployment.openedAt, changedAt: deployment.changedAt)
        if devices.isEmpty { rollout.isGroupEmpty = try inventory.devices(group: deployment.deviceGroup).isEmpty }
        let words = devices.lazy.flatMap { device in deployment.digests.compactMap { device.failures[$0]?.reason } }.first
        rollout.words = String((words ?? "").prefix(120))
        if let now, now >= rollout.deadline {
            rollout.heard = Set(try rollout.open.filter { try inventory.lastHeard($0) ?? 0 > deployment.openedAt })
        }
        return rollout
    }

    // MARK: Going back

    /// Takes a release back: nobody else gets it, and who has it goes back to what was before, as far as anti-rollback lets him (UP-4).
    public func withdraw(_ withdrawal: Withdrawal, now: Int64, _ out: inout Outbox) throws {
        let withdrawn = try store.deployments(step: withdrawal.release).filter { $0.rolloutState != .withdrawn }
        guard !withdrawn.isEmpty else {
            return refuse(withdrawal, "the service has no such release", &out)
        }
        var factory: [ReleaseStore.Image] = []
        do throws(Refusal) { factory = try takeIn(withdrawal.packages, generation: 1) } catch {
            refuse(withdrawal, error.reason, &out)
        }
        // What was taken in for another withdrawal is the same, under another signature.
        factory = try factory.map { try store.image(named: $0.name) ?? $0 }
        for var deployment in withdrawn {
            let (back, reason) = try wayBack(from: deployment, factory)
            let isNowhere = try rollout(deployment).succeeded.isEmpty
            deployment.state = Rollout.State.withdrawn.rawValue
            deployment.reason =
                isNowhere ? "no device has it" : reason ?? "back to \(back.map(\.name).sorted().joined(separator: " "))"
            try store.save(deployment)
            var details: [Fact.Detail: Fact.Value] = [
                .image: .text(try names(deployment)), .target: .text(deployment.deviceGroup), .instance: .text(deployment.step),
                .reason: .text(deployment.reason),
            ]
            if reason != nil, !isNowhere { details[.code] = .text(Code.refused.rawValue) }
            out.observe(.rolloutWithdrawn, details)
            if let reason {
                if !isNowhere { refuse(withdrawal, reason, &out) }
                continue
            }
            let digests = Set(back.map(\.sha256))
            let added = factory.filter { digests.contains($0.sha256) }
            observe(added, step: withdrawal.step, &out)
            try store.add(
                added,
                [
                    ReleaseStore.Deployment(
                        id: nil, deviceGroup: deployment.deviceGroup, images: back.map(\.sha256).joined(separator: " "), batches: "",
                        threshold: 0, soakSeconds: 0, openBatch: 0, changedAt: now, state: Rollout.State.scheduled.rawValue, reason: "",
                        step: withdrawal.step, opensAt: now, timeoutSeconds: deployment.timeoutSeconds, openedAt: now,
                        replaces: deployment.images)
                ])
            try advance(group: deployment.deviceGroup, now: now, &out)
        }
    }

    private func refuse(_ withdrawal: Withdrawal, _ reason: String, _ out: inout Outbox) {
        out.observe(.refusal, [.operation: "withdraw", .instance: .text(withdrawal.step), .reason: .text(reason)])
    }

    /// What was before each image of a release: of an earlier release, or from the factory; and why there is no way back to it.
    private func wayBack(
        from deployment: ReleaseStore.Deployment, _ factory: [ReleaseStore.Image]
    ) throws -> (images: [ReleaseStore.ImageHead], refusal: String?) {
        let images = try store.images()
        let earlier = try store.deployments(group: deployment.deviceGroup).filter {
            ($0.id ?? 0) < (deployment.id ?? 0) && ($0.rolloutState == .complete || $0.rolloutState == .superseded)
        }.flatMap(\.digests)
        var back: [ReleaseStore.ImageHead] = []
        for image in images where deployment.digests.contains(image.sha256) {
            let before =
                earlier.reversed().lazy.compactMap { digest in images.first { $0.sha256 == digest } }
                .first { $0.component == image.component && $0.hardware == image.hardware && $0.sha256 != image.sha256 }
                ?? factory.first { $0.component == image.component && $0.hardware == image.hardware }.map(ReleaseStore.ImageHead.init)
            guard let before else { return (back, "no way back: nothing is known that was before \(image.name)") }
            if refusesOldVersions, before.securityVersion < image.securityVersion {
                return (
                    back,
                    "no way back: \(before.name) has security version \(before.securityVersion), below the \(image.securityVersion) of "
                        + "\(image.name), and no device starts less than it has proven"
                )
            }
            back.append(before)
        }
        return (back, nil)
    }
}

extension ReleaseStore.ImageHead {
    init(_ image: ReleaseStore.Image) {
        self.init(
            sha256: image.sha256, name: image.name, component: image.component, type: image.type, version: image.version,
            length: image.bytes.count, hardware: image.hardware, securityVersion: image.securityVersion)
    }
}

public import Configuration
public import Exchange
import Formats
import Foundation
import SecureChannel
import TUF
public import Wire

/// Images, deployments and the two repositories: what is authentic (image repository), and what each device is to
/// run (director).
public struct UpdateDirector {
    let inventory: any InventoryDatabase
    let store: ReleaseStore
    private let images: RepositoryKeys
    private let director: RepositoryKeys
    /// As it is in the store.
    private var history: RootHistory
    private let signingKeys: [(os: P256PrivateKey, app: P256PrivateKey)]
    private let developmentKey: P256PublicKey
    private let hardware: [String: String]
    private let groups: [String: GroupSettings]
    /// Devices take nothing older than what they run.
    let refusesOldVersions: Bool

    /// Reads the keys that the factory made.
    public init(_ configuration: ServiceConfiguration, inventory: any InventoryDatabase) throws {
        self.inventory = inventory
        store = ReleaseStore(inventory: inventory)
        let path = configuration.authorityPath
        images = try RepositoryKeys(path: path, prefix: "images")
        director = try RepositoryKeys(path: path, prefix: "director")
        history = try store.rootHistory()
        func read(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: path).appendingPathComponent(name)))
        }
        signingKeys = try (1...2).map {
            (try P256PrivateKey(scalar: read("sign-os-\($0).key")), try P256PrivateKey(scalar: read("sign-app-\($0).key")))
        }
        developmentKey = try P256PublicKey(read("development.pub"))
        hardware = configuration.hardware
        groups = configuration.groups
        refusesOldVersions = configuration.protections.rollbackProtection
    }

    // MARK: Releases

    /// Takes in images, signs them anew with a production key, and deploys them to the groups that they are for.
    public func release(_ release: Release, now: Int64, _ out: inout Outbox) throws {
        let added: [ReleaseStore.Image]
        do throws(Refusal) { added = try takeIn(release.packages, generation: release.signingKey) } catch {
            return refuse(release, error.reason, &out)
        }
        let opened = groups.sorted { $0.key < $1.key }.compactMap { group, settings in
            release.terms.audience.delaySeconds(group: group, settings).map { (group: group, at: now + $0) }
        }
        let types = added.compactMap { ImageType(rawValue: UInt16($0.type)) }
        if let group = opened.first(where: { groups[$0.group]?.policy == .noThirdPartyApps && types.contains(.applications) })?.group {
            return refuse(release, "the group \(group) takes no app updates", &out)
        }
        observe(added, step: release.step, &out)
        let terms = release.terms
        try store.add(
            added,
            opened.map {
                ReleaseStore.Deployment(
                    id: nil, deviceGroup: $0.group, images: added.map(\.sha256).joined(separator: " "),
                    batches: terms.batches.joined(separator: " "), threshold: terms.threshold, soakSeconds: terms.soakSeconds,
                    openBatch: 0, changedAt: now, state: Rollout.State.scheduled.rawValue, reason: "", step: release.step, opensAt: $0.at,
                    timeoutSeconds: terms.batchTimeoutSeconds ?? RolloutTerms.usualBatchTimeoutSeconds, openedAt: $0.at, replaces: "")
            })
        for (group, _) in opened { try advance(group: group, now: now, &out) }
    }

    private func refuse(_ release: Release, _ reason: String, _ out: inout Outbox) {
        out.observe(.refusal, [.operation: "release", .instance: .text(release.step), .reason: .text(reason)])
    }

    struct Refusal: Error { var reason: String }

    func observe(_ images: [ReleaseStore.Image], step: String, _ out: inout Outbox) {
        for image in images {
            out.observe(
                .imageAdded,
                [
                    .image: .text(image.name), .version: .number(image.version), .digest: .text(image.sha256.digestHead),
                    .instance: .text(step),
                ])
        }
    }

    /// Packages in files, signed anew.
    func takeIn(_ packages: [ReleasedPackage], generation: Int) throws(Refusal) -> [ReleaseStore.Image] {
        var images: [ReleaseStore.Image] = []
        for file in packages {
            guard let bytes = FileManager.default.contents(atPath: file.path).map(Array.init) else {
                throw Refusal(reason: "cannot read \(file.path)")
            }
            images.append(try signAnew(bytes, file, generation: generation))
        }
        return images
    }

    /// IMG-5: what was signed for development is signed for production. A keystore comes signed by the boot key, which
    /// the service does not have.
    private func signAnew(_ bytes: [UInt8], _ file: ReleasedPackage, generation: Int) throws(Refusal) -> ReleaseStore.Image {
        let hardware = file.hardware
        guard let (package, signedPart, signature) = try? ImagePackage.parse(bytes) else { throw Refusal(reason: "not an image package") }
        var final = bytes
        if package.type != .trustedKeystore {
            guard developmentKey.isValid(signature: signature, digest: sha256(signedPart)) else {
                throw Refusal(reason: "\(package.name) is not signed by the development key")
            }
            guard signingKeys.indices.contains(generation - 1) else { throw Refusal(reason: "no production key \(generation)") }
            let keys = signingKeys[generation - 1]
            let key = package.type == .applications ? keys.app : keys.os
            var renewed = package
            renewed.signer = Array(sha256(key.publicKey.bytes)[..<20])
            final = renewed.signedPart + key.sign(digest: sha256(renewed.signedPart))
        }
        let isSystem = [.services, .rootFileSystem].contains(package.type)
        let name = (isSystem ? package.type.name : package.name).replacing(" ", with: "-")
        // The same app for other hardware is another target, and so are trust stores.
        let isForEach = [.applications, .updateCertificateStore, .policy].contains(package.type)
        let isOther = isForEach && hardware != self.hardware["mt3620"]
        let version = file.version ?? Int64(package.securityVersion)
        return ReleaseStore.Image(
            sha256: sha256(final).hex, name: "\(name)@\(version)" + (isOther ? "-\(hardware.prefix(8))" : ""),
            component: package.component.description, type: Int(package.type.rawValue), version: version, bytes: Data(final),
            hardware: hardware, securityVersion: Int64(package.securityVersion))
    }

    /// What the verifier may find measured, beside what the factory made.
    public func referenceMeasurements() throws -> [ReferenceMeasurement] {
        try store.images().map { ReferenceMeasurement(hardware: $0.hardware, type: UInt32($0.type), sha256: $0.sha256) }
    }

    /// Signs with the next generation of keys from now on.
    public mutating func rotateKeys(_ out: inout Outbox) throws {
        let next = history.rotated()
        guard isReady(next) else {
            return out.observe(
                .refusal, [.operation: "rotate update keys", .code: .text(Code.keyLost.rawValue), .reason: "no further keys"])
        }
        try publish(next, &out)
    }

    /// Publishes the keyholders' next roots when the present ones come to their end.
    public mutating func renewRoots(now: Int64, _ out: inout Outbox) throws {
        guard let end = director.root(history, version: history.generations.count)?.end, end - now < RootHistory.reserve,
            isReady(history.renewed())
        else { return }
        try publish(history.renewed(), &out)
    }

    private func isReady(_ history: RootHistory) -> Bool {
        [images, director].allSatisfy { $0.root(history, version: history.generations.count) != nil }
    }

    private mutating func publish(_ history: RootHistory, _ out: inout Outbox) throws {
        try store.append(history)
        self.history = history
        out.observe(.keysRotated, [.generation: .number(Int64(history.generation))])
    }

    // MARK: Devices

    /// - Returns: Whether it was news.
    public func report(
        _ status: ServiceAPI.UpdateStatus, of device: InventoriedDevice, now: Int64, _ out: inout Outbox
    ) throws -> Bool {
        guard try store.record(status, deviceID: device.deviceID) else { return false }
        let versions = status.images.map { "\($0.name) \($0.version)" }.joined(separator: ", ")
        out.observe(
            .updateReported,
            [
                .device: .text(device.name), .version: .text(status.osVersion), .text: .text(versions),
                .count: .number(Int64(status.failures.count)),
            ])
        for var deployment in try store.deployments(group: device.group) where deployment.rolloutState == .running {
            deployment.changedAt = now
            try store.save(deployment)
        }
        try advance(group: device.group, now: now, &out)
        return true
    }

    // MARK: Repositories

    // A file of one of the repositories; nil if there is none of that name.

    public func imageMetadata(_ file: String, now: Int64) throws -> [UInt8]? {
        try UpdateRepository(name: "images", authority: images, history: history, store: store)
            .file(file, targets: imageTargets, now: now)
    }

    /// - Parameter out: Whoever asks may open the next batch of a rollout.
    public func directorMetadata(of deviceID: String, _ file: String, now: Int64, _ out: inout Outbox) throws -> [UInt8]? {
        guard let device = try inventory.inventoried(deviceID) else { return nil }
        try advance(group: device.group, now: now, &out)
        let repository = UpdateRepository(name: "director/\(device.deviceID)", authority: director, history: history, store: store)
        return try repository.file(file, targets: { try directorTargets(device) }, now: now)
    }

    private func describe(_ image: ReleaseStore.ImageHead) -> TUFDocument.Target {
        var custom: [String: JSONValue] = [
            "component": .string(image.component), "version": .integer(image.version), "imageType": .integer(Int64(image.type)),
            "hardwareId": .string(image.hardware),
        ]
        // As a rule they are the same.
        if image.securityVersion != image.version { custom["securityVersion"] = .integer(image.securityVersion) }
        return TUFDocument.Target(length: image.length, sha256: [UInt8](hex: image.sha256) ?? [], custom: custom)
    }

    private func imageTargets() throws -> [String: TUFDocument.Target] {
        Dictionary(uniqueKeysWithValues: try store.images().map { ($0.name, describe($0)) })
    }

    /// For each component the image of the latest deployment that is open to this device.
    private func directorTargets(_ device: InventoriedDevice) throws -> [String: TUFDocument.Target] {
        guard !device.isLockedOut else { return [:] }
        let all = Dictionary(uniqueKeysWithValues: try store.images().map { ($0.sha256, $0) })
        var wanted: [String: ReleaseStore.ImageHead] = [:]
        for deployment in try store.deployments(group: device.group) {
            let rollout = try rollout(deployment)
            let isOpen =
                switch deployment.rolloutState {
                case .running?, .superseded?: rollout.open.contains(device.deviceID)
                case .complete?: deployment.replaces.isEmpty || rollout.devices.contains(device.deviceID)
                case .scheduled?: false
                // Who has it keeps it; nobody else gets it.
                case .halted?, .withdrawn?, nil: rollout.succeeded.contains(device.deviceID)
                }
            guard isOpen else { continue }
            for digest in deployment.digests {
                if let image = all[digest], image.hardware == hardware[device.kind] { wanted[image.component] = image }
            }
        }
        return Dictionary(uniqueKeysWithValues: wanted.values.map { ($0.name, describe($0)) })
    }

    /// `HASH.name`, whole or in part.
    public func imageTarget(_ file: String, _ request: Request) throws -> Response? {
        let parts = file.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, let image = try store.image(named: parts[1]), image.sha256 == parts[0] else { return nil }
        return .content(Array(image.bytes), "application/octet-stream", for: request)
    }
}

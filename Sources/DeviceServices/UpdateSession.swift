import Exchange
import Formats
import SecureChannel
import TUF

/// One check for updates: the director's metadata, the image repository's, and the images that both name, in the
/// original's order: what trust starts from, then the OS, then apps (UP-1).
///
/// It says what to ask next and takes the answers; downloads go straight to where there is room.
struct UpdateSession {
    enum Step {
        case ask(Request, limitBytes: Int)
        /// Nothing to do.
        case current
        /// All new images of one layer are on the device.
        case staged([StagedImage])
        /// What waits on the device may go on waiting.
        case waiting
        /// What waits on the device is wanted no longer: its rollout was halted, or it was withdrawn.
        case withdrawn
        /// What came was not acceptable: a kind for the statistics, the reason, and the digest of an image that this device
        /// can't take whoever offers it. What somebody on the way may have caused names none, or he could halt a rollout.
        case refused(kind: String, reason: String, expired: Int64? = nil, image: [UInt8]? = nil)
        /// Nothing came that could be judged.
        case failed(String)
    }

    struct Rules {
        var metadata: TrustedMetadata.Rules
        /// `request-limits`.
        var limitsAnswers: Bool
    }

    private enum Stage { case director, images, download }

    /// Bytes that are asked for at once: four sectors of flash.
    private static let chunkBytes = 16 << 10
    private static let metadataLimits = TUFClient.Limits(
        rootBytes: 16 << 10, timestampBytes: 4 << 10, snapshotBytes: 8 << 10, targetsBytes: 40 << 10, rootRotations: 256, delegations: 4)

    private let deviceID: String
    private let software: any InstalledSoftware
    private let failed: Set<[UInt8]>
    /// What was staged by an earlier check and waits to be installed: nothing else is downloaded until then.
    private let waiting: [StagedImage]
    private let storage: any ImageStorage
    private let rules: Rules
    private var director: TUFClient
    private var images: TUFClient
    private var stage = Stage.director
    /// New images of one kind, with how much of each is there.
    private(set) var staging: [StagedImage] = []
    private var index = 0
    /// Digests of the images that the director has named, as far as they were looked at.
    private(set) var named: [[UInt8]] = []
    /// Digests of all that is to be installed, of every layer; nil until that is known.
    private var wanted: [[UInt8]]?

    init(
        deviceID: String, software: any InstalledSoftware, failed: Set<[UInt8]>, waiting: [StagedImage],
        staging: [StagedImage], storage: any ImageStorage, director: [String: [UInt8]], images: [String: [UInt8]], rules: Rules
    ) throws(TUFRefusal) {
        self.deviceID = deviceID
        self.software = software
        self.failed = failed
        self.waiting = waiting
        self.staging = staging
        self.storage = storage
        self.rules = rules
        self.director = try TUFClient(files: director, rules: rules.metadata, limits: UpdateSession.metadataLimits)
        self.images = try TUFClient(files: images, rules: rules.metadata, limits: UpdateSession.metadataLimits)
    }

    mutating func takeChanges() -> (director: [(name: String, bytes: [UInt8]?)], images: [(name: String, bytes: [UInt8]?)]) {
        (director.takeChanges(), images.takeChanges())
    }

    /// Digests of all that is to be installed, of every layer, once after it has become known.
    mutating func takeWanted() -> [[UInt8]]? {
        defer { wanted = nil }
        return wanted
    }

    /// Versions that were offered and trusted, for the journal: director and image targets.
    var versions: String {
        "\(director.trusted.targets["targets"]?.head.version ?? 0)/\(images.trusted.targets["targets"]?.head.version ?? 0)"
    }

    mutating func begin() -> Step { follow(director.begin(), now: 0) }

    /// - Parameter now: Unix seconds by the device's clock.
    mutating func answered(_ response: Response, now: Int64) -> Step {
        if stage == .download { return received(response) }
        guard response.isSuccess || response.status == 404 || response.status == 403 else {
            return .failed("status \(response.status)")
        }
        let bytes = response.isSuccess ? response.body : nil
        return follow(stage == .director ? director.received(bytes, now: now) : images.received(bytes, now: now), now: now)
    }

    private mutating func follow(_ step: TUFClient.Step, now: Int64) -> Step {
        switch step {
        case .fetch(let path, let limit):
            let base = stage == .director ? ServiceAPI.directorPath(deviceID) : ServiceAPI.imageRepositoryPath + "/metadata"
            return .ask(Request("GET", "\(base)/\(path)"), limitBytes: rules.limitsAnswers ? limit : .max)
        case .refused(let refusal):
            let expired: Int64? = if case .expired(_, let end) = refusal { end } else { nil }
            let from = stage == .director ? "director" : "image repository"
            return .refused(kind: refusal.kind, reason: "\(from): \(refusal)", expired: expired)
        case .done where stage == .director:
            stage = .images
            return follow(images.begin(), now: now)
        case .done: return waiting.isEmpty ? plan() : review()
        }
    }

    // MARK: What to install

    /// Whether the director still wants what waits here, or something newer in its place, which comes afterwards.
    private mutating func review() -> Step {
        // What comes afterwards is known from now on, too.
        if case .success(let others) = compare() { wanted = Array(Set((waiting + others).map(\.sha256))).sorted { $0.hex < $1.hex } }
        let offered = (director.trusted.targets["targets"]?.targets ?? [:]).values
        let isWanted = waiting.allSatisfy { image in
            let component = software.image(image.reference)?.component
            return offered.contains { target in
                target.sha256 == image.sha256
                    || target.custom?["component"]?.asString == component && target.custom?["version"]?.asInteger ?? 0 > image.version
            }
        }
        return isWanted ? .waiting : .withdrawn
    }

    /// Compares what both repositories name with what runs; picks the first layer that has something new.
    private mutating func plan() -> Step {
        let wanted: [StagedImage]
        switch compare() {
        case .success(let images): wanted = images
        case .failure(let flaw): return .refused(kind: flaw.kind, reason: flaw.reason, image: flaw.image)
        }
        self.wanted = wanted.map(\.sha256)
        guard let layer = SoftwareLayer.allCases.first(where: { layer in wanted.contains { $0.type.layer == layer } }) else {
            return .current
        }
        return place(wanted.filter { $0.type.layer == layer })
    }

    /// What the director names that this device will not have.
    private struct Flaw: Error {
        var kind: String
        var reason: String
        var image: [UInt8]?
    }

    /// What is to be installed, of every layer.
    private mutating func compare() -> Result<[StagedImage], Flaw> {
        let (installed, hardwareID) = (software.images, software.hardwareID)
        var wanted: [StagedImage] = []
        named = []
        for (name, target) in (director.trusted.targets["targets"]?.targets ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let digest = target.sha256, let custom = target.custom, let component = custom["component"]?.asString,
                let version = custom["version"]?.asInteger
            else { return .failure(Flaw(kind: "malformed", reason: "director: \(name) is not described")) }
            named.append(digest)
            guard let other = images.trusted.targets["targets"]?.targets[name], target.isConfirmed(by: other) else {
                return .failure(Flaw(kind: "disagreement", reason: "director and image repository disagree on \(name)"))
            }
            guard target.length <= storage.capacityBytes else {
                return .failure(
                    Flaw(kind: "length", reason: "director: \(name) of \(target.length) bytes is larger than the flash", image: digest))
            }
            guard custom["hardwareId"]?.asString == hardwareID else {
                return .failure(Flaw(kind: "hardware", reason: "director: \(name) is for other hardware", image: digest))
            }
            guard let present = installed.first(where: { $0.component == component }) else { continue }
            if present.sha256 == digest || failed.contains(digest) { continue }
            let securityVersion = custom["securityVersion"]?.asInteger ?? version
            if securityVersion < software.floor(of: present.reference) || rules.metadata.versions && securityVersion < present.version {
                return .failure(
                    Flaw(
                        kind: "rollback", reason: "director: \(name) is older than version \(present.version), which runs", image: digest))
            }
            wanted.append(
                StagedImage(
                    reference: present.reference, type: present.type, name: name, version: version, securityVersion: securityVersion,
                    sha256: digest, length: target.length, place: 0))
        }
        return .success(wanted)
    }

    /// Gives each image a place that is not in use; what an earlier check has staged is not asked for again.
    private mutating func place(_ wanted: [StagedImage]) -> Step {
        var taken: [Range<Int>] = []
        var placed: [StagedImage] = []
        for var image in wanted {
            guard let place = storage.place(for: image.length, besides: taken) else {
                return .refused(kind: "space", reason: "no room for \(image.length) bytes of \(image.name)", image: image.sha256)
            }
            image.place = place
            let before = staging.first { $0.sha256 == image.sha256 && $0.place == place && $0.length == image.length }
            image.received = before?.received ?? 0
            taken.append(place..<place + image.length)
            placed.append(image)
        }
        staging = placed
        (stage, index) = (.download, 0)
        return next()
    }

    // MARK: Download

    private mutating func next() -> Step {
        while index < staging.count {
            let image = staging[index]
            guard image.isComplete else {
                guard let target = director.trusted.targets["targets"]?.targets[image.name] else { return .failed("no target") }
                let end = min(image.received + UpdateSession.chunkBytes, image.length)
                return .ask(
                    Request(
                        "GET", "\(ServiceAPI.imageRepositoryPath)/targets/\(images.location(of: image.name, target))",
                        headers: [("range", "bytes=\(image.received)-\(end - 1)")]),
                    limitBytes: rules.limitsAnswers ? end - image.received : .max)
            }
            if let why = refusal(of: image) {
                staging[index].received = 0
                return .refused(
                    kind: why.kind, reason: "\(image.name): \(why.reason)", image: why.isOfImage ? image.sha256 : nil)
            }
            index += 1
        }
        return .staged(staging)
    }

    private mutating func received(_ response: Response) -> Step {
        let image = staging[index]
        let count = min(UpdateSession.chunkBytes, image.length - image.received)
        guard response.isSuccess else { return .failed("status \(response.status)") }
        guard response.body.count == count else {
            return .refused(kind: "length", reason: "\(image.name): \(response.body.count) bytes in place of \(count)")
        }
        do {
            try storage.write(response.body, at: image.place + image.received)
        } catch {
            return .failed("\(error)")
        }
        staging[index].received += count
        return next()
    }

    /// What is wrong with an image that is complete; nil if it may be installed.
    private func refusal(of image: StagedImage) -> ImageFlaw? {
        guard let bytes = try? storage.read(image.place, image.length), sha256(bytes) == image.sha256 else {
            return ImageFlaw("hash", "its hash is not the one that is stated", isOfImage: false)
        }
        return storage.flaw(of: image, bytes)
    }
}

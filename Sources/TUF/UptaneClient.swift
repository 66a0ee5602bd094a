import Formats
import SecureChannel

/// Full verification as a primary does it (Uptane 2.1.0 section 5.4.4.2), as a value like `TUFClient`: the director says what
/// each ECU of this device is to install, the image repository that it is authentic.
///
/// `now` is Unix seconds by the device's own clock.
public struct UptaneClient {
    public struct ECU: Hashable, Sendable {
        public let id: String
        /// What model it is, as images name it.
        public let hardware: String

        public init(id: String, hardware: String) {
            self.id = id
            self.hardware = hardware
        }
    }

    /// An image that both repositories name, and for whom it is.
    public struct Install: Sendable {
        public let ecus: [ECU]
        public let target: String
        /// Below the image repository's targets URL.
        public let location: String
        public let releaseCounter: Int64?
        /// As each repository describes it.
        fileprivate let files: [TargetFile]
        /// Bytes.
        public var length: Int { files[0].length }

        /// Length and every hash that either repository states (section 5.4.2.4).
        public func check(_ bytes: [UInt8]) throws(UptaneRefusal) {
            for file in files {
                do throws(TUFRefusal) { try file.check(bytes, file: target) } catch { throw refusal(error) }
            }
        }

        /// Of the image itself: it is not there, or too long to be read on.
        public func refusal(_ refusal: TUFRefusal) -> UptaneRefusal { UptaneRefusal(.images, "targets", .image(refusal)) }
    }

    public enum Step: Sendable {
        /// A file below a repository's metadata URL; more than so many bytes are refused unread.
        case fetch(UptaneRefusal.Repository, path: String, limitBytes: Int)
        /// All that the director wants, verified; empty if there is nothing to do.
        case done([Install])
        case refused(UptaneRefusal)
    }

    private struct Job {
        var target: String
        var file: TargetFile
        var ecus: [ECU]
    }

    private let ecus: [String: ECU]
    /// By ECU: the release counter of the image that it has.
    private let counters: [String: Int64]
    private var director: TUFClient
    private var images: TUFClient
    private var stage = UptaneRefusal.Repository.director
    /// What the director wants, as far as the image repository has not confirmed it; the last one is next.
    private var jobs: [Job] = []
    private var isSearching = false
    private var installs: [Install] = []

    /// - Parameters:
    ///   - ecus: The primary's and those behind it; a target for any other is refused.
    ///   - director, images: What was trusted at the end of the last run; at least `root.json` each.
    ///   - counters: Release counters by ECU identifier, as the last `Install` of each had them.
    public init(
        ecus: [ECU], director: [String: [UInt8]], images: [String: [UInt8]], counters: [String: Int64] = [:],
        limits: TUFClient.Limits = .init()
    ) throws(UptaneRefusal) {
        self.ecus = Dictionary(ecus.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.counters = counters
        func client(
            _ files: [String: [UInt8]], _ profile: MetadataProfile, _ repository: UptaneRefusal.Repository
        ) throws(UptaneRefusal) -> TUFClient {
            do throws(TUFRefusal) {
                return try TUFClient(files: files, rules: .init(profile: profile), limits: limits)
            } catch {
                throw UptaneRefusal(repository, "root", .metadata(error))
            }
        }
        self.director = try client(director, .uptaneDirector, .director)
        self.images = try client(images, .uptaneImages, .images)
    }

    /// Files that have changed since the last call; nil for one that is trusted no more.
    public mutating func takeChanges() -> (director: [(name: String, bytes: [UInt8]?)], images: [(name: String, bytes: [UInt8]?)]) {
        (director.takeChanges(), images.takeChanges())
    }

    public mutating func begin(now: Int64) -> Step { follow(director.begin(), now) }

    /// - Parameter bytes: Nil if the repository has no such file.
    public mutating func received(_ bytes: [UInt8]?, now: Int64) -> Step {
        follow(stage == .director ? director.received(bytes, now: now) : images.received(bytes, now: now), now)
    }

    /// What has become of the file that was asked for, if it did not come.
    public func failed(_ cause: UptaneRefusal.Cause) -> UptaneRefusal {
        UptaneRefusal(stage, stage == .director ? director.wantedRole : images.wantedRole, cause)
    }

    private mutating func follow(_ step: TUFClient.Step, _ now: Int64) -> Step {
        do throws(UptaneRefusal) {
            switch step {
            case .fetch(let path, let limit): return .fetch(stage, path: path, limitBytes: limit)
            case .refused(let refusal):
                let failed = failed(.metadata(refusal))
                throw UptaneRefusal(failed.repository, refusal.role ?? failed.role, failed.cause)
            case .done where stage == .director: return try afterDirector(now)
            case .done: return try afterImages(now)
            }
        } catch {
            return .refused(error)
        }
    }

    // MARK: Director (5.4.4.6 steps 6 to 8)

    private mutating func afterDirector(_ now: Int64) throws(UptaneRefusal) -> Step {
        func refusal(_ cause: UptaneRefusal.Cause) -> UptaneRefusal { UptaneRefusal(.director, "targets", cause) }
        let metadata = director.trusted.targets["targets"]
        if let delegation = metadata?.delegations.first { throw refusal(.delegation(delegation.name)) }
        let targets = (metadata?.targets ?? [:]).sorted { $0.key < $1.key }.map { (name: $0.key, file: $0.value, custom: Custom($0.value)) }
        var seen: Set<String> = []
        for (name, _, custom) in targets {
            guard !custom.ecus.isEmpty else { throw refusal(.noECU(target: name)) }
            for ecu in custom.ecus.keys.sorted() where !seen.insert(ecu).inserted { throw refusal(.repeatedECU(ecu)) }
        }
        var jobs: [Job] = []
        for (name, file, custom) in targets {
            var present: [ECU] = []
            for (id, hardware) in custom.ecus.sorted(by: { $0.key < $1.key }) {
                guard let ecu = ecus[id] else { throw refusal(.unknownECU(id, target: name)) }
                // A director may leave it to the image repository.
                let stated = hardware.isEmpty ? custom.hardware : hardware
                guard stated.isEmpty || stated.contains(ecu.hardware) else {
                    throw refusal(.hardware(target: name, ecu: id, stated: stated))
                }
                present.append(ecu)
            }
            jobs.append(Job(target: name, file: file, ecus: present))
        }
        self.jobs = jobs.reversed()
        // 5.4.4.2 step 6: without anything new the image repository need not be asked.
        guard !jobs.isEmpty else { return .done([]) }
        stage = .images
        return follow(images.begin(), now)
    }

    // MARK: Image repository (5.4.4.2 steps 6 to 10)

    private mutating func afterImages(_ now: Int64) throws(UptaneRefusal) -> Step {
        if isSearching, let job = jobs.popLast() { try match(job) }
        guard let next = jobs.last else { return .done(installs) }
        isSearching = true
        return follow(images.find(next.target, now: now), now)
    }

    private mutating func match(_ job: Job) throws(UptaneRefusal) {
        func refusal(_ cause: UptaneRefusal.Cause) -> UptaneRefusal { UptaneRefusal(.images, "targets", cause) }
        guard let found = images.found else { throw refusal(.metadata(.unknownTarget(job.target))) }
        guard job.file.isConfirmed(by: found) else { throw refusal(.disagreement(target: job.target)) }
        let custom = Custom(found)
        for ecu in job.ecus where !custom.hardware.contains(ecu.hardware) {
            throw refusal(.hardware(target: job.target, ecu: ecu.id, stated: custom.hardware))
        }
        let stated: Int64?
        let counter: Int64?
        do throws(TUFRefusal) {
            (stated, counter) = (try Custom(job.file).counter, try custom.counter)
        } catch {
            throw refusal(.metadata(error))
        }
        // The image repository's counts: it is to protect from a director that has been taken over.
        if let stated, stated != counter {
            throw refusal(.counterDisagreement(target: job.target, director: stated, images: counter))
        }
        for ecu in job.ecus {
            guard let trusted = counters[ecu.id], counter.map({ $0 < trusted }) ?? true else { continue }
            throw refusal(.counter(target: job.target, offered: counter, trusted: trusted))
        }
        installs.append(
            Install(
                ecus: job.ecus, target: job.target, location: images.location(of: job.target, found), releaseCounter: counter,
                files: [job.file, found]))
    }
}

extension TargetFile {
    /// Whether another repository says the same of the file: its length, and every hash that this one states.
    public func isConfirmed(by other: TargetFile) -> Bool {
        length == other.length && hashes.allSatisfy { other.hashes[$0.key] == $0.value }
    }
}

/// Custom fields of a target, in the shapes that public repositories give them.
private struct Custom {
    /// Hardware by ECU: `ecuIdentifiers`, a mapping from identifiers to what is said of each; or one `ecuIdentifier`
    /// (`ecu_serial` in the reference implementation). Empty if nothing is said of that ECU's hardware.
    let ecus: [String: [String]]
    /// `hardwareIds`, `hardwareId`, or POUF 1's `hardwareIdentifier`.
    let hardware: [String]
    private let releaseCounters: [JSONValue]

    init(_ file: TargetFile) {
        let custom = file.custom ?? .null
        var ecus: [String: [String]] = [:]
        var releaseCounters = Custom.values(custom, "releaseCounter", "release_counter")
        for (id, value) in custom["ecuIdentifiers"]?.asObject ?? [:] {
            ecus[id] = Custom.hardware(value)
            releaseCounters += Custom.values(value, "releaseCounter", "release_counter")
        }
        let listed = custom["ecuIdentifiers"]?.asArray ?? []
        for id in (listed + Custom.values(custom, "ecuIdentifier", "ecu_serial")).compactMap(\.asString) where ecus[id] == nil {
            ecus[id] = []
        }
        self.ecus = ecus
        self.releaseCounters = releaseCounters
        hardware = Custom.hardware(custom)
    }

    private static func values(_ value: JSONValue, _ names: String...) -> [JSONValue] {
        names.compactMap { value[$0] }.filter { $0 != .null }
    }

    private static func hardware(_ value: JSONValue) -> [String] {
        values(value, "hardwareIds", "hardwareId", "hardwareIdentifier", "hardware_ids", "hardware_id")
            .flatMap { $0.asArray ?? [$0] }.compactMap(\.asString)
    }

    /// Nil if there is none; the lowest of several.
    var counter: Int64? {
        get throws(TUFRefusal) {
            let numbers = releaseCounters.compactMap(\.asInteger)
            guard numbers.count == releaseCounters.count else { throw .malformed(role: "targets", "a release counter is no number") }
            return numbers.min()
        }
    }
}

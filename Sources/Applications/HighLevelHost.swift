import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// Runs a high-level app on the A7, and starts it again when it ends (APP-3).
final class HighLevelHost {
    /// How an app ended: a crash is reported as one, an exit as an exit (CR-1).
    struct End {
        var category: ReportCategory
        var description: String
    }

    let app: String
    let services: AppServices
    private let image: AppImage
    private let attachments: [String]
    private let epoch: Int64
    private let memoryBytes: Int
    private let storage: MutableStorage
    let board: Board
    private var kernel: Kernel?
    private var wakeAt: Instant
    private var restarts = 0
    /// What it has said last.
    private(set) var recent: [String] = []
    private static let keptLines = 100
    private(set) var isStopped = false
    /// Time in which its program, and the kernel for it, have computed.
    private(set) var busyNanoseconds: Int64 = 0
    private var startedAt = Instant.start
    private var facts: [Fact] = []
    private var lines: [Int: SerialLine] = [:]
    /// The device's own, as its connections have shown it.
    var address: UInt32? { didSet { kernel?.wirelessAddress = address } }
    private var crash: CrashRecord?
    /// KiB that it had when it was killed for them, and KiB that it may have.
    private var overMemory: (used: Int, limit: Int)?
    /// Where the firewall kept it from going, for a report.
    private var denied: [String] = []
    private var tampered: [String] = []
    private var actions: [NetworkAction] = []
    private var messages: [HighLevelPartner.Message] = []
    /// What is left of the ways to real-time apps, in bytes of their rings.
    private var rooms: [GUID: Int] = [:]

    /// Longest stretch that a busy program runs before the rest of the device has its turn.
    private static let slice = Duration.milliseconds(10)
    /// Between an end and the next start: doubled each time, and forgotten after ten good minutes.
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.minutes(1)
    /// Of an ordinary Linux board's 64 MiB.
    private static let ordinaryMemoryBytes = 32 << 20
    /// From SIGTERM to SIGKILL (APP-3).
    private static let grace = Duration.seconds(2)

    /// - Parameter epochSeconds: Unix time at the run's start.
    init(
        app: String, image: AppImage, attachments: [String], memoryKiB: Int? = nil, statePath: String, flash: Flash, epochSeconds: Int64,
        services: AppServices, at now: Instant
    ) throws {
        (self.app, self.image, self.attachments, self.services) = (app, image, attachments, services)
        epoch = epochSeconds * 1_000_000_000
        memoryBytes =
            memoryKiB.map { $0 << 10 } ?? (services.usesManifests ? Kernel.appMemoryBytes : HighLevelHost.ordinaryMemoryBytes)
        storage = try MutableStorage(path: "\(statePath)/storage-\(image.manifest.componentID.lowercased()).bin", flash: flash)
        board = Board()
        for text in attachments where Attachments.isReached(text, from: image.manifest) { try board.attach(text) }
        wakeAt = now
        board.onEvent = { [unowned self] _, place, text in
            facts.append(Fact(.attachment, [.app: .text(app), .name: .text(place), .text: .text(text)]))
        }
    }

    /// What is attached leaves its pictures.
    deinit {
        board.onEvent = { _, _, _ in }
        board.finish(at: kernel?.now ?? 0)
    }

    /// A wire may bring what nobody has announced.
    var nextWake: Instant { kernel == nil || wakeAt == .never && isStopped ? wakeAt : min(wakeAt, Instant(nanoseconds: board.nextInput)) }
    var isRunning: Bool { kernel != nil }
    /// Private pages of its program.
    var memoryKiB: Int { kernel?.usedKiB ?? 0 }

    /// After it was stopped.
    func start(again now: Instant) {
        guard isStopped else { return }
        (isStopped, restarts) = (false, 0)
        wakeAt = now
    }

    private func start(at now: Instant) -> End? {
        let console = StandardStreams()
        console.output = { [unowned self] stream, bytes in
            for byte in bytes {
                if let text = lines[stream, default: SerialLine()].add(byte) {
                    facts.append(Fact(.appLog, [.app: .text(app), .text: .text(text)]))
                    recent.append(text)
                    if recent.count > HighLevelHost.keptLines { recent.removeFirst() }
                }
            }
        }
        let kernel = Kernel(
            at: now.nanoseconds, epoch: epoch &+ services.clockErrorNanoseconds, console: console, world: board,
            random: { Randomness.bytes($0) })
        kernel.services = services
        kernel.isLinked = { [services] in services.network?.link != .down }
        kernel.serviceRecords = services.serviceRecords
        kernel.system = services.system
        kernel.pluton = services.pluton
        kernel.onEvent = { [unowned self] _, event in
            switch event {
            case .unknownCall(let number, let program):
                facts.append(
                    Fact(.refusal, [.operation: "system call", .app: .text(app), .reason: .text("\(program): there is no call \(number)")]))
            case .denied(let target, _):
                facts.append(
                    Fact(.refusal, [.operation: "network", .app: .text(app), .reason: .text("kept from \(target) by its manifest")]))
                denied.append(target)
            case .crashed(_, let record): crash = record
            case .tampered(let what):
                facts.append(Fact(.refusal, [.operation: "system file", .app: .text(app), .reason: .text(what)]))
                tampered.append(what)
            case .panic(let reason): services.panicked(reason)
            case .outOfMemory(_, let used, let limit): overMemory = (used, limit)
            // Where an app cannot be started, its end says so.
            case .notStarted: break
            case .secured(let secured): facts.append(handshake(secured))
            }
        }
        kernel.wirelessAddress = address
        kernel.onSync = { [unowned self] in keep() }
        kernel.interCore = { [unowned self] component, payload in send(payload, to: component) }
        kernel.hasRoom = { [unowned self] component in
            rooms[component].map { $0 >= HighLevelPartner.ringBytes(ofPayload: Kernel.longestMessage) } ?? true
        }
        kernel.network = { [unowned self] action in actions.append(action) }
        do throws(Kernel.StartFailure) {
            try kernel.start(
                image, mutable: storage.content, memoryBytes: memoryBytes, weaknesses: Weakness.present(in: services.osVersion),
                isIsolated: services.isolatesApps, isOrdinary: !services.usesManifests,
                runsData: !services.protectsMemory)
        } catch {
            wakeAt = .never
            return End(category: .appExit, description: "\(app): cannot start: \(error)")
        }
        self.kernel = kernel
        startedAt = now
        return nil
    }

    /// As the OS's own connections are told of; whether the other side is a peer's or the service's, the port says.
    private func handshake(_ secured: Secured) -> Fact {
        var details: [Fact.Detail: Fact.Value] = [
            .role: "client", .pair: .text((secured.port == services.peerPort ? Pair.deviceDevice : .deviceService).rawValue),
            .peer: .text(secured.host), .port: .number(Int64(secured.port)), .result: .text(secured.failure == nil ? "accepted" : "failed"),
        ]
        if let failure = secured.failure {
            let why =
                switch failure {
                case .channel(let failure): Failure(failure)
                case .connectionClosed: Failure(.closedByPeer)
                }
            details.merge(why.details) { $1 }
        } else {
            details[.mode] = .text(secured.presents ? "mutual" : "one-sided")
            details[.durationNanoseconds] = .number(secured.nanoseconds)
        }
        return Fact(.handshake, details)
    }

    /// Runs what is due; says how the app ended, if it did.
    func run(_ out: inout Outbox) -> End? {
        defer {
            for fact in facts { out.act(.observe(fact)) }
            facts = []
        }
        guard nextWake <= out.now else { return nil }
        if kernel == nil, let end = start(at: out.now) { return end }
        guard let kernel else { return nil }
        kernel.skip(to: out.now.nanoseconds)
        kernel.epoch = epoch &+ services.clockErrorNanoseconds
        // It waits with the rest of the device, so that nothing is seen before it happens.
        let begin = kernel.now
        let stop = kernel.run(until: (out.now + HighLevelHost.slice).nanoseconds, waits: false)
        busyNanoseconds += kernel.now - begin
        if storage.hasLostPower {
            (self.kernel, wakeAt) = (nil, .never)
            return nil
        }
        switch stop {
        case .reachedLimit: wakeAt = Instant(nanoseconds: max(kernel.now, out.now.nanoseconds + 1))
        case .idle(let next): wakeAt = next == .max ? .never : Instant(nanoseconds: max(next, out.now.nanoseconds))
        case .wantsInput:
            kernel.provide([])
            wakeAt = out.now
        case .ended(let status): return ended(status, out.now)
        }
        return nil
    }

    /// What the OS found changed that is its own.
    func takeTampered() -> [String] {
        defer { tampered = [] }
        return tampered
    }

    func takeDenied() -> [String] {
        defer { denied = [] }
        return denied
    }

    func takeActions() -> [NetworkAction] {
        defer { actions = [] }
        return actions
    }

    var manifest: AppManifest { image.manifest }
    var component: GUID? { GUID(manifest.componentID) }

    /// What it has said to other apps of the device, by the component ID of whom it is for.
    func takeMessages() -> [HighLevelPartner.Message] {
        defer { messages = [] }
        return messages
    }

    /// False where the way has no room: the program waits until the core has read.
    private func send(_ payload: [UInt8], to component: GUID) -> Bool {
        if let room = rooms[component] {
            let bytes = HighLevelPartner.ringBytes(ofPayload: payload.count)
            guard room >= bytes else { return false }
            rooms[component] = room - bytes
        }
        messages.append(.init(component: component, payload: payload))
        return true
    }

    /// What the ways to real-time apps have room for now; whoever waits for more of it goes on.
    func note(rooms now: [GUID: Int], at instant: Instant) {
        let hasMore = now.contains { $0.value > rooms[$0.key] ?? 0 }
        rooms = now
        guard hasMore, let kernel else { return }
        kernel.noteRoom()
        wakeAt = min(wakeAt, instant)
    }

    /// A message of another app; false if the program has not read those before it.
    func take(_ payload: [UInt8], from component: GUID, at now: Instant) -> Bool {
        guard let kernel else { return true }
        kernel.skip(to: now.nanoseconds)
        guard kernel.take(payload, from: component) else { return false }
        wakeAt = min(wakeAt, now)
        return true
    }

    /// Something for the app has come from the network.
    func take(_ event: NetworkEvent, at now: Instant) {
        guard let kernel else { return }
        kernel.skip(to: now.nanoseconds)
        kernel.take(event)
        wakeAt = min(wakeAt, now)
    }

    func owns(port: UInt16) -> Bool { kernel?.owns(port: port) ?? false }

    private func ended(_ status: UInt32, _ now: Instant) -> End {
        keep()
        kernel = nil
        if now - startedAt > .minutes(10) { restarts = 0 }
        let pause = min(HighLevelHost.longestPause, HighLevelHost.shortestPause * (1 << min(restarts, 6)))
        restarts += 1
        wakeAt = now + pause
        let signal = status & 0x7F
        defer { (crash, overMemory) = (nil, nil) }
        if signal == 0 { return End(category: .appExit, description: "\(app): exit code \(status >> 8 & 0xFF)") }
        guard let crash else {
            return End(
                category: .appCrash,
                description: overMemory.map { "\(app): killed, with \($0.used) KiB of memory touched of \($0.limit) KiB" }
                    ?? "\(app): \(signal == 9 ? "killed" : "signal \(signal)")")
        }
        let program = image.files[String(image.manifest.entryPoint.dropFirst())]
        return End(
            category: crash.isMemoryCorruption ? .memoryCorruption : .appCrash,
            description: "\(app): \(crash.text(program.map(ELFSymbols.init)))")
    }

    /// SIGTERM, and SIGKILL for what does not end by itself; the program's own time goes on meanwhile.
    func stop(_ out: inout Outbox) {
        isStopped = true
        guard let kernel else {
            wakeAt = .never
            return
        }
        kernel.terminate(by: SignalNumber.terminate)
        let limit = (out.now + HighLevelHost.grace).nanoseconds
        while kernel.now < limit {
            switch kernel.run(until: limit) {
            case .idle(let next) where next < limit: kernel.skip(to: next)
            case .wantsInput: kernel.provide([])
            default: kernel.skip(to: limit)
            }
        }
        // Whoever is still there ends now, and leaves no connection behind.
        kernel.terminate(by: SignalNumber.kill)
        _ = kernel.run(until: kernel.now + 1, waits: false)
        keep()
        for fact in facts { out.act(.observe(fact)) }
        facts = []
        self.kernel = nil
        wakeAt = .never
    }

    /// Something of the system's that apps may have asked to be told of (SysEvent); true if one has.
    func post(event: UInt32, status: UInt32, maximumMinutes: UInt32, updateType: UInt32, at now: Instant) -> Bool {
        guard let kernel, kernel.hasEventListeners else { return false }
        kernel.post(event: event, status: status, maximumMinutes: maximumMinutes, updateType: updateType)
        wakeAt = min(wakeAt, now)
        return true
    }

    // MARK: The mutable file

    /// Makes safe what the file holds now; false if the power went meanwhile.
    @discardableResult
    private func keep() -> Bool { storage.keep(kernel?.mutableFile) }
}

import Catalogue
public import Configuration
import Exchange
import Formats
import Kernel
import SecureChannel
public import Silicon
public import Wire

/// One device: silicon, the OS that runs on it, and its apps, as a node of the emulated network.
public struct Device: Node {
    enum Purpose: Equatable {
        case authentication(DeviceAuthentication.Stage)
        case telemetry
        case errorReport
        case updateStatus
        case update
        case peer(String)
    }

    static let requestLimit = Duration.seconds(30)
    static let telemetryEvery = Duration.hours(1)
    static let reportEvery = Duration.hours(24)
    /// Certificates of 24 hours are renewed when they are this old, spread over the hour that follows.
    static let renewAfter = Duration.hours(20)

    let configuration: DeviceConfiguration
    let rom: ELFImage
    let flash: Flash
    let fuses: FuseBank
    let pluton: Pluton
    let clock: RealTimeClock
    let catalog: CatalogIdentity

    var settings: SettingsStore?
    var identity: Identity
    var authentication: DeviceAuthentication
    var backoff: Backoff
    var draws: SeedStream
    var clients = ClientPool<Purpose>()
    var servers = ServerPool(pair: .deviceDevice)
    /// Of the service port.
    var cable = ServerPool(pair: nil, bodyLimitBytes: Device.longestImageBytes, hosts: ["localhost"])
    /// What an app may take of the flash (APP-5).
    private static let longestImageBytes = 1 << 20
    /// Asked over the service port; the answer goes out first.
    var restartAt = Instant.never
    var bootedAt = Instant.start
    var development = Development()
    var recovery: Recovery?
    private let generation: Int
    var cores: [RealTimeHost] = []
    var apps: [HighLevelHost] = []
    let appServices = AppServices()
    var appStreams = AppStreams()
    /// Cortex-M4F beside the A7 (HW-2).
    static let realTimeCores = 2
    var pendingReports: [ServiceAPI.ErrorReport.Event] = []
    var reportsInFlight = 0
    /// As the network has it.
    var link = NetworkServices.Link.dynamic
    /// How far the wall clock is ahead of the battery-backed one.
    var systemOffset: Int64 = 0
    var hasPower = true
    var isRunning = false
    var nextPeer = 0
    var updates: UpdateState
    var time: TimeSync
    var console: Console
    /// For whoever runs the device to connect.
    public let outsideUARTs: [OutsideUART]
    /// What this boot started, with the keys that it trusts.
    var chain: BootChain?
    var booted = BootChain.Result()

    // What is due when; `.never` while it has no place in the device's state.
    var authenticateAt = Instant.never
    /// The alarm of the clock that ends a Power Down.
    var wakesAt = Instant.never
    var telemetryAt = Instant.never
    var reportAt = Instant.never
    var callPeersAt = Instant.never
    var expiresAt = Instant.never

    /// Opens the chips; makes keys on a chip that has never had power. The device is off until `.start`.
    public init(_ configuration: DeviceConfiguration, generation: Int) throws(SiliconError) {
        self.configuration = configuration
        self.generation = generation
        let path = configuration.statePath
        rom = try SecurityCore.readROM(path: configuration.romPath)
        fuses = try FuseBank(path: path + "/fuses.bin")
        flash = try Flash(basePath: configuration.baseImagePath, overlayPath: path + "/flash.bin")
        if fuses.isBlank { fuses.burnBootKeyHash([UInt8](hex: configuration.bootKeyHash) ?? []) }
        let hasRoot = !configuration.controlsOff.contains(.hardwareRootOfTrust)
        pluton = try Pluton(fuses: fuses, flash: flash, storage: hasRoot ? .fuses : .flash)
        clock = try RealTimeClock(path: path + "/rtc.bin")
        catalog = CatalogIdentity(configuration.names)
        identity = Identity(configuration, roots: [], verifier: nil)
        authentication = DeviceAuthentication(pluton: pluton)
        time = TimeSync(isStrict: !configuration.controlsOff.contains(.authenticatedTime))
        console = Console(login: configuration.consoleLogin)
        outsideUARTs = configuration.attachments.compactMap { OutsideUART($0) }
        let setting = configuration.setting
        draws = SeedStream(seed: setting.seed, node: setting.name, purpose: "schedule", generation: generation)
        func waits(_ purpose: String) -> Backoff {
            Backoff(draws: SeedStream(seed: setting.seed, node: setting.name, purpose: purpose, generation: generation))
        }
        backoff = waits("backoff")
        updates = UpdateState(backoff: waits("update backoff"))
    }

    func isOff(_ control: Control) -> Bool { configuration.controlsOff.contains(control) }

    /// What the device shows on its service port: 128 hexadecimal characters.
    public var deviceID: String { pluton.deviceID }

    /// Where TLS secrets go, if the plan asks for a key log.
    public mutating func keepKeyLog(_ sink: @escaping (String) -> Void) {
        clients.keyLog = sink
        servers.keyLog = sink
    }

    private var nextOfCores: Instant { cores.lazy.map { $0.nextWake }.min() ?? .never }
    public var nextWake: Instant? { min(nextSend ?? .never, nextOfCores) }

    /// A real-time core cannot send. But it can give an app something to send; and a crash takes an app on trial back,
    /// which closes connections.
    public var nextSend: Instant? {
        if let recovery { return recovery.wakesAt }
        guard isRunning else { return nil }
        let due = [authenticateAt, telemetryAt, reportAt, callPeersAt, expiresAt, updates.next, time.askAt].min() ?? .never
        // An app may have the device start again, which closes connections.
        let app = min(wakesAt, apps.lazy.map { $0.nextWake }.min() ?? .never)
        let core = apps.isEmpty && updates.trial?.isOfApps != true ? .never : nextOfCores
        return min(due, min(app, core), clients.nextDeadline ?? .never, servers.nextDeadline ?? .never)
    }

    public mutating func handle(_ event: Event, _ out: inout Outbox) {
        attend(event, &out)
        sendSerial(&out)
        guard flash.hasLostPower, hasPower else { return }
        // The chip stopped in the middle of an operation: nothing works any more.
        (hasPower, isRunning, cores, apps) = (false, false, [], [])
        out.observe(.powerLost, [.operation: "flash", .count: .number(Int64(flash.operations))])
    }

    private mutating func attend(_ event: Event, _ out: inout Outbox) {
        guard hasPower else { return }
        switch event {
        case .start:
            if let order = configuration.recovery, Int(order.generation) == generation { recover(order, &out) }
            boot(glitch: configuration.bootGlitch.flatMap { Glitch($0) }, &out)
            return
        case .command(let name, let body): obey(name, body, &out)
        default: break
        }
        if attendRecovery(event, &out) { return }
        if !isRunning, wakesAt <= out.now {
            wakesAt = .never
            boot(&out)
        }
        guard isRunning else { return }
        if takeSerial(event, &out) { return }
        if takesCable(event) {
            serveCable(event, locale(out.now), &out)
            if apps.contains(where: { $0.nextWake <= out.now }) { runApps(&out) }
            if restartAt <= out.now { reboot("asked over the service port", &out) }
            return
        }
        if deliver(event, &out) { return runApps(&out) }
        switch event {
        case .wake: wake(&out)
        case .accepted(let stream, ServicePort.console, let from):
            knocked(stream, from, &out)
            return
        case .resolved(TimeSync.query, let address?): askTime(address, &out)
        case .datagram(ServicePort.time, let from, let bytes) where appServices.network?.servesTime == true && NetworkTime.isRequest(bytes):
            tellTime(bytes, from, &out)
        case .datagram(ServicePort.time, _, let bytes): timeAnswered(bytes, &out)
        default: console.handle(event, &out)
        }
        let locale = locale(out.now)
        for outcome in clients.handle(event, locale: locale, &out) { finish(outcome, &out) }
        clients.release(&out)
        let answer = PeerAnswer(configuration: configuration, unixSeconds: locale.unixSeconds)
        var identity = identity
        var strangers: [Connection] = []
        servers.handle(
            event, locale: locale, &out, security: { _ in identity.asServer() },
            answer: { request, caller, _ in
                let response = answer.respond(request)
                if response.status == 401 { strangers.append(caller.connection) }
                return response
            })
        for stranger in strangers { servers.refused("answer a peer", stranger, Failure(.notAuthenticated), &out) }
        self.identity = identity
        // Ends that honest networks produce are no news; everything else may have somebody behind it.
        for incident in servers.takeIncidents() where !incident.failure.code.isOfNetworks {
            noteSecurity(
                .peerRefused, "from \(incident.connection.client.address): \(incident.failure.words)",
                seen: .init(connections: [incident.connection]), &out)
        }
    }

    /// Whether an event is of the cable's: its streams have numbers that nothing else has.
    private func takesCable(_ event: Event) -> Bool {
        switch event {
        case .accepted(_, let port, _): port == ServicePort.deviceREST
        case .received(let stream, _), .closed(let stream, _): cable.has(stream)
        default: false
        }
    }

    func locale(_ now: Instant) -> Locale {
        Locale(unixSeconds: unixSeconds(at: now), cost: configuration.cryptoCost)
    }

    /// What this device's own clock shows.
    func unixSeconds(at now: Instant) -> Int64 {
        configuration.setting.unixSeconds(at: now + .nanoseconds(clock.error(at: now.nanoseconds) &+ systemOffset))
    }

    private mutating func wake(_ out: inout Outbox) {
        for core in cores where core.nextWake <= out.now { run(core, &out) }
        if !apps.isEmpty { runApps(&out) }
        if expiresAt <= out.now { expire(&out) }
        if authenticateAt <= out.now { authenticate(&out) }
        if reportAt <= out.now { sendReports(&out) }
        if telemetryAt <= out.now { sendTelemetry(&out) }
        if callPeersAt <= out.now { callPeer(&out) }
        if updates.proveAt <= out.now { prove(&out) }
        if updates.installAt <= out.now { install(&out) }
        if updates.finalAt <= out.now { giveFinalNotice(&out) }
        if updates.checkAt <= out.now { checkForUpdates(&out) }
        if time.askAt <= out.now {
            time.askAt = out.now + TimeSync.every + draws.duration(upTo: .minutes(1))
            askForTime(&out)
        }
    }

    /// An app that ends in a fault is remembered, and undoes an update that it came with.
    private mutating func run(_ core: RealTimeHost, _ out: inout Outbox) {
        let fault = core.run(&out)
        carryMessages(from: core, &out)
        guard let fault else { return }
        note(.appCrash, fault, seen: .init(digests: digest(ofApp: core.app)), &out)
        if updates.trial?.isOfApps == true { goBack("app crashed: \(fault)", &out) }
    }

    private mutating func finish(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        if case .failed(let failure) = outcome.result, !failure.code.isOfNetworks, outcome.purpose != .update {
            noteSecurity(
                .peerRefused, "\(outcome.host): \(failure.words)",
                seen: .init(connections: outcome.connection.map { [$0] } ?? []), &out)
        }
        switch outcome.purpose {
        case .authentication(let stage): authenticationAnswered(stage, outcome, &out)
        case .telemetry: report("telemetry", configuration.names.service, outcome, &out)
        case .errorReport: reportsAnswered(outcome, &out)
        case .updateStatus: statusAnswered(outcome, &out)
        case .update: updateAnswered(outcome, &out)
        case .peer(let name): report("peer", configuration.names.host(name), outcome, &out)
        }
    }

    /// An exchange's end, for the journal.
    func report(_ operation: String, _ peer: String, _ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        var details: [Fact.Detail: Fact.Value] = [.operation: .text(operation), .peer: .text(peer)]
        switch outcome.result {
        case .response(let response):
            details[.result] = response.isSuccess ? "accepted" : "refused"
            details[.status] = .number(Int64(response.status))
            if !response.isSuccess {
                details.merge(Failure(response).details) { $1 }
            }
        case .failed(let failure):
            details[.result] = "failed"
            details.merge(failure.details) { $1 }
        }
        if let connection = outcome.connection { details[.connection] = .text("\(connection)") }
        out.observe(.exchange, details)
    }
}

import Applications
import BoardSupport
public import Configuration
import DeviceServices
import Exchange
public import Wire

/// One device: a board, the OS that runs on it, and its apps, as a node of the emulated network.
///
/// This is where its parts meet: power, who is offered an event and in which order, and who hears of what another has done.
public struct Device: Node {
    let configuration: DeviceConfiguration
    var board: any Board
    var services: Services
    var apps: AppHost
    private let lines: OutsideUARTs
    public private(set) var hasPower = true
    private var isRunning = false
    private var system = SystemCourse()
    /// What a system that ended by itself has left in memory for the next one to tell of.
    private var lastWords: String?
    /// The alarm of the clock that ends a Power Down.
    private var wakesAt = Instant.never

    /// The device is off until `.start`.
    /// - Parameter generation: Of the device's process.
    public init(_ configuration: DeviceConfiguration, generation: Int, on board: any Board) {
        self.configuration = configuration
        self.board = board
        services = Services(
            configuration, environment: board.attestingEnvironment, keys: board.keys, clock: board.hardwareClock,
            software: board.chip.software,
            generation: generation)
        apps = AppHost(AppHost.Settings(configuration), flash: board.chip.software.flash)
        lines = OutsideUARTs(configuration.attachments)
    }

    /// What the device shows on its service port: 128 hexadecimal characters.
    public var deviceID: String { services.context.deviceID }
    /// For whoever runs the device to connect.
    public var outsideUARTs: [OutsideUART] { lines.outside }

    /// Where TLS secrets go, if the plan asks for a key log.
    public mutating func keepKeyLog(_ sink: @escaping (String) -> Void) { services.keepKeyLog(sink) }

    public var nextWake: Instant? { isRunning && system.hangs ? nextSend : min(nextSend ?? .never, apps.nextOfCores) }

    /// A real-time core cannot send. But it can give an app something to send; and a crash takes an app on trial back,
    /// which closes connections.
    public var nextSend: Instant? {
        if let wakesAt = board.maintenanceWakesAt { return wakesAt }
        guard isRunning else { return nil }
        if system.hangs { return system.next }
        // An app may have the device start again, which closes connections.
        let app = min(wakesAt, apps.nextOfApps)
        let core = !apps.hasApps && !services.updater.hasAppsOnTrial ? .never : apps.nextOfCores
        return min(min(services.nextWake, system.next), min(app, core))
    }

    public var ownUse: ResourceUse {
        var use = board.flashUse
        use.cpuNanoseconds = apps.busyNanoseconds
        return use
    }

    // MARK: Events

    public mutating func handle(_ event: Event, _ out: inout Outbox) {
        board.note(out.now)
        out.isCutOff = isRunning && !system.hasNetwork
        attend(event, &out)
        lines.send(apps, &out)
        guard let operations = board.powerLostAfter, hasPower else { return }
        (hasPower, isRunning) = (false, false)
        apps.losePower()
        out.observe(.powerLost, [.operation: "flash", .count: .number(Int64(operations))])
    }

    /// Offers an event to whoever may want it, until somebody takes it.
    private mutating func attend(_ event: Event, _ out: inout Outbox) {
        guard hasPower else { return }
        switch event {
        case .start:
            services.powerOn(out.now)
            board.powerOn(&out)
            boot(glitch: configuration.bootGlitch, &out)
            return
        case .command(let name, let body): obey(name, body, &out)
        default: break
        }
        if attendMaintenance(event, &out) { return }
        if !isRunning, wakesAt <= out.now {
            wakesAt = .never
            boot(&out)
        }
        guard isRunning, !attendSystem(event, &out) else { return }
        if lines.handle(event, apps, &out) || attendCable(event, &out) || refusedByFirewall(event, &out) { return }
        if apps.deliver(event, out.now) { return runApps(&out) }
        switch event {
        case .wake: wake(&out)
        case .accepted(let stream, ServicePort.console, let from): return services.knocked(stream, from, &out)
        case .datagram(ServicePort.time, let from, let bytes) where apps.servesTime && NetworkTime.isRequest(bytes):
            services.tellTime(bytes, from, &out)
        default: if let outcome = services.take(event, &out) { carryOut([outcome], &out) }
        }
        let locale = services.context.locale(out.now)
        for answer in services.answers(to: event, locale, &out) { carryOut(services.finish(answer, &out), &out) }
        services.servePeers(event, locale, &out)
    }

    /// True for what never reaches services and apps, by what the system itself is like.
    private mutating func attendSystem(_ event: Event, _ out: inout Outbox) -> Bool {
        switch system.turn(out.now) {
        case .hangs: return true
        case .restarts(let reason, let isReported):
            if isReported { lastWords = reason }
            restart(reason, &out)
            return true
        case .goesOn: break
        }
        if system.hasNetwork { return false }
        switch event {
        case .start, .wake, .command: return false
        case .resolved, .unanswered, .connected, .accepted, .received, .closed, .finished, .acknowledged, .datagram: return true
        }
    }

    /// Where programs may listen at any port, a filter is before them.
    private mutating func refusedByFirewall(_ event: Event, _ out: inout Outbox) -> Bool {
        guard case .accepted(let stream, ServicePort.console, let from) = event, !configuration.usesManifests,
            configuration.protections.networkFirewall
        else { return false }
        services.knocked(stream, from, &out)
        return true
    }

    /// Everybody who has something to do now, one after the other.
    private mutating func wake(_ out: inout Outbox) {
        for core in apps.cores where core.nextWake <= out.now { carryOut(apps.run(core, &out), &out) }
        if apps.hasApps { runApps(&out) }
        for duty in Services.Duty.allCases where services.due(duty) <= out.now {
            if duty == .askTime { services.time.servers = apps.timeServers(standard: services.context.configuration.names.service) }
            carryOut(services.perform(duty, &out), &out)
        }
    }

    private mutating func runApps(_ out: inout Outbox) {
        let context = services.context
        let outcomes = apps.run(
            context.identity, unixSeconds: context.clock.unixSeconds(at: out.now), clockError: context.clock.error(at: out.now),
            stopsAtEnd: services.updater.hasAppsOnTrial, &out)
        carryOut(outcomes, &out)
    }

    /// The cable in the service port, where nothing of the network comes in.
    private mutating func attendCable(_ event: Event, _ out: inout Outbox) -> Bool {
        guard let outcomes = board.attendCable(event, &services, &apps, &out) else { return false }
        carryOut(outcomes, &out)
        if apps.nextOfApps <= out.now { runApps(&out) }
        if let reason = board.takeRestart() { restart(reason, &out) }
        return true
    }

    /// True for what concerns whoever services the board, and for everything while somebody does.
    private mutating func attendMaintenance(_ event: Event, _ out: inout Outbox) -> Bool {
        var state = board.attendMaintenance(event, &out)
        if state == .begins {
            shutDown(&out)
            state = board.beginMaintenance(&out)
        }
        if state == .ended { boot(&out) }
        return state != nil
    }

    /// What the world or an operator says to the device, beside the network.
    private mutating func obey(_ name: String, _ body: [UInt8], _ out: inout Outbox) {
        switch name {
        case CommandName.clock: if let change = JSON.decode(ClockChange.self, body) { services.changeClock(change, &out) }
        case CommandName.checkUpdates: if isRunning { services.checkForUpdates(out.now) }
        case CommandName.powerCut:
            if let count = JSON.decode(Int.self, body) { board.chip.cutPower(duringFlashOperation: count) }
        case CommandName.flashRot: if let rot = JSON.decode(FlashRot.self, body) { board.chip.rot(rot, &out) }
        default: board.obey(name, body, &apps, &out)
        }
    }

    // MARK: Power

    /// Power is on: the boot chain, then services, then apps.
    private mutating func boot(glitch: String? = nil, _ out: inout Outbox) {
        guard board.boot(glitch: glitch, &out) else { return }
        let settings: any SettingsKeeper
        do {
            settings = try board.chip.openSettings()
            try apps.loadSettings()
        } catch {
            out.observe(.bootFailed, [.stage: "services", .reason: .text("settings: \(error)")])
            return
        }
        isRunning = true
        board.begin(settings, out.now)
        let software = board.chip.software
        system = software.course(at: out.now)
        out.isCutOff = !system.hasNetwork
        let (outcomes, goesOn) = services.begin(
            settings: settings, software: software, roots: software.booted.roots, verifier: software.booted.verifierKey,
            catalog: software.booted.catalog, refused: software.booted.refused.map { ($0.reason, $0.digest) }, &out)
        carryOut(outcomes, &out)
        guard goesOn else { return }
        if apps.applySettings(&out) { services.time.serversChanged(out.now) }
        startApps(&out)
        services.open(banner: board.chip.banner, measurements: board.chip.measurements, &out)
        if let words = lastWords { services.context.note(.kernelPanic, words, at: out.now) }
        lastWords = nil
    }

    /// A reset: RAM is gone, and so is every connection.
    mutating func restart(_ reason: String, _ out: inout Outbox) {
        out.observe(.rebooted, [.reason: .text(reason)])
        shutDown(&out)
        out.spend(.seconds(1))
        boot(&out)
    }

    /// Nothing runs any more, and nothing is remembered but what is in flash.
    private mutating func shutDown(_ out: inout Outbox) {
        services.stop(&out)
        board.disconnect(&out)
        apps.stop(&out)
        apps.reset()
        isRunning = false
        system = SystemCourse()
        out.isCutOff = false
        board.reset()
    }

    /// Everything off but the clock, whose alarm starts the device anew (HW-31).
    mutating func powerDown(_ time: Duration, _ out: inout Outbox) {
        out.observe(.powerLost, [.operation: "power down", .durationNanoseconds: .number(time.nanoseconds)])
        shutDown(&out)
        wakesAt = out.now + max(.seconds(1), time)
    }
}

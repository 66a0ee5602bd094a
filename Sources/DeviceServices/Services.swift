public import Configuration
public import Exchange
public import SecureChannel
public import Wire

/// What a service wants of the rest of the device.
public enum ServiceOutcome: Equatable, Sendable {
    /// For the apps.
    case notice(UpdateNotice, isApp: Bool)
    /// Apps are to be started anew, as they are installed now; these are new.
    case startApps([StagedImage])
    /// The device is to start anew, for this reason.
    case restart(String)
    /// A server has told the time: what the clock showed, and what it should, in Unix seconds.
    case timeTold(server: String, before: Int64, after: Int64)
}

/// What every kind of device does over the network, whatever it is made of. Each service has its own state and says when it is
/// due; this keeps their order and gives each what the others say.
public struct Services {
    /// What is due by itself, in the order in which it is done.
    public enum Duty: CaseIterable, Sendable {
        case expire, authenticate, report, sendTelemetry, callPeer, prove, endTrial, install, giveFinalNotice, checkForUpdates, askTime
    }

    public var context: ServiceContext
    private var enroller: Enroller
    public var updater: Updater
    public var time: TimeKeeper
    private var telemetry = Telemetry()
    private let reporter = ErrorReporter()
    private var caller = PeerCaller()
    private var server = PeerServer()
    private var console: Console

    /// - Parameter generation: Of the device's process.
    public init(
        _ configuration: DeviceConfiguration, environment: any AttestingEnvironment, keys: any KeyStore, clock: any HardwareClock,
        software: any InstalledSoftware, generation: Int
    ) {
        let setting = configuration.setting
        context = ServiceContext(
            configuration, deviceID: environment.deviceID, clock: SystemClock(setting, clock), software: software, generation: generation)
        enroller = Enroller(Attester(environment, keys))
        updater = Updater(
            backoff: Backoff(
                draws: SeedStream(seed: setting.seed, node: setting.name, purpose: "update backoff", generation: generation)))
        time = TimeKeeper(isStrict: context.protections.authenticatedTime)
        console = Console(login: configuration.consoleLogin)
    }

    /// Where TLS secrets go, if the plan asks for a key log.
    public mutating func keepKeyLog(_ sink: @escaping (String) -> Void) {
        context.exchanges.keyLog = sink
        server.keyLog = sink
    }

    /// What stands for the key that certificates were asked for last.
    public var clientKey: [UInt8] { enroller.attester.key }

    // MARK: Start and stop

    /// The software has started, and nothing else has: first it shows whether it stays.
    /// - Parameters:
    ///   - roots: Whom the device trusts.
    ///   - catalog: To which it belongs; nil for the one that it was made for.
    ///   - refused: Copies of images that did not start, and why.
    /// - Returns: With `goesOn` false nothing else of this start happens.
    public mutating func begin(
        settings: any SettingsKeeper, software: any InstalledSoftware, roots: [Certificate], verifier: P256PublicKey?,
        catalog: String? = nil,
        refused: [(reason: String, digest: String?)], _ out: inout Outbox
    ) -> (outcomes: [ServiceOutcome], goesOn: Bool) {
        (context.settings, context.software, context.verifier) = (settings, software, verifier)
        context.join(catalog)
        context.identity = Identity(context.configuration, roots: roots, verifier: verifier)
        for copy in refused {
            context.noteSecurity(.imageRefused, copy.reason, seen: .init(digests: copy.digest.map { [$0] } ?? []), at: out.now)
        }
        let (outcomes, goesOn) = updater.settleTrial(&context, &out)
        if goesOn { updater.repair(context, &out) }
        return (outcomes, goesOn)
    }

    /// Apps run, too: the device is there.
    /// - Parameters:
    ///   - banner: What the OS prints when it starts.
    ///   - measurements: How many images were measured.
    public mutating func open(banner: String, measurements: Int, _ out: inout Outbox) {
        out.act(.listen(port: ServicePort.peer))
        // Where programs may listen, one of them does; behind the filter nobody is heard.
        if context.configuration.usesManifests || context.protections.networkFirewall { out.act(.listen(port: ServicePort.console)) }
        time.begin(&context, out.now)
        time.raiseClock(context, &out)
        out.observe(
            .osReady, [.version: .text(context.software.osVersion), .count: .number(Int64(measurements)), .text: .text(banner)])
        context.note(.boot, "power on", at: out.now)
        enroller.restore(&context, &out)
        let spread = context.draws.duration(upTo: .nanoseconds(context.configuration.callEveryNanoseconds))
        caller.begin(context, spread, out.now)
        telemetry.begin(&context, out.now)
        context.reports.due.at = out.now + .seconds(20) + context.draws.duration(upTo: .seconds(30))
        updater.begin(&context, out.now)
        enroller.begin(isOnTrial: updater.trial?.phase == .running, &context, out.now)
    }

    /// Nothing runs any more, and nothing is remembered but what is kept.
    public mutating func stop(_ out: inout Outbox) {
        context.exchanges.abandon(&out)
        server.abandon(&out)
        context.reports = ErrorReports()
        context.clock.restart()
        enroller.stop()
        telemetry.stop()
        caller.stop()
        updater.stop()
        time.stop()
        console = Console(login: context.configuration.consoleLogin)
    }

    // MARK: What is due

    public var nextWake: Instant {
        // It is asked after each event: a closure would copy all of this.
        var due = min(context.exchanges.nextDeadline ?? .never, server.nextDeadline ?? .never)
        for duty in Duty.allCases { due = min(due, self.due(duty)) }
        return due
    }

    public func due(_ duty: Duty) -> Instant {
        switch duty {
        case .expire: enroller.expiresAt
        case .authenticate: enroller.authenticateAt
        case .report: context.reports.due.at
        case .sendTelemetry: telemetry.due.at
        case .callPeer: caller.due.at
        case .prove: updater.proveAt
        case .endTrial: updater.trialEndsAt
        case .install: updater.installAt
        case .giveFinalNotice: updater.finalAt
        case .checkForUpdates: updater.checkDue.at
        case .askTime: time.askAt
        }
    }

    public mutating func perform(_ duty: Duty, _ out: inout Outbox) -> [ServiceOutcome] {
        switch duty {
        case .expire: enroller.expire(&context, &out)
        case .authenticate: enroller.authenticate(&context, &out)
        case .report: reporter.send(&context, &out)
        case .sendTelemetry: telemetry.send(&context, &out)
        case .callPeer: caller.call(&context, &out)
        case .prove: return updater.prove(&context, &out)
        case .endTrial: return updater.endTrial()
        case .install: return updater.install(&context, &out)
        case .giveFinalNotice: return updater.giveFinalNotice(&out)
        case .checkForUpdates: updater.check(&context, &out)
        case .askTime: time.ask(&context, &out)
        }
        return []
    }

    // MARK: What comes

    /// Somebody opened a connection to the factory's console.
    public mutating func knocked(_ stream: StreamID, _ from: Endpoint, _ out: inout Outbox) {
        console.knocked(stream, from, &context, &out)
    }

    /// Takes what is not of an exchange.
    public mutating func take(_ event: Event, _ out: inout Outbox) -> ServiceOutcome? {
        switch event {
        case .resolved(TimeKeeper.query, let address?): time.ask(address, context, &out)
        case .datagram(ServicePort.time, _, let bytes):
            let (told, isClockSet) = time.answered(bytes, &context, &out)
            if isClockSet { enroller.clockChanged(context, out.now) }
            if context.doubtsClock { time.prove(&context, &out) }
            return told
        default: console.handle(event, &out)
        }
        return nil
    }

    /// Somebody on the network asks for the time, which an app has this device tell.
    public func tellTime(_ request: [UInt8], _ from: Endpoint, _ out: inout Outbox) { time.tell(request, from, context, &out) }

    /// The exchanges that an event has ended.
    public mutating func answers(to event: Event, _ locale: Locale, _ out: inout Outbox) -> [ClientPool<Purpose>.Outcome] {
        context.exchanges.handle(event, locale: locale, &out)
    }

    public mutating func finish(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) -> [ServiceOutcome] {
        if case .time(let nonce) = outcome.purpose {
            if time.proven(outcome, nonce, &context, &out) { enroller.clockChanged(context, out.now, isProven: true) }
            return []
        }
        let outcomes = conclude(outcome, &out)
        if context.doubtsClock { time.prove(&context, &out) }
        return outcomes
    }

    private mutating func conclude(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) -> [ServiceOutcome] {
        if case .failed(let failure) = outcome.result, !failure.code.isOfNetworks, outcome.purpose != .update {
            context.noteSecurity(
                .peerRefused, "\(outcome.host): \(failure.words)",
                seen: .init(connections: outcome.connection.map { [$0] } ?? []), at: out.now)
        }
        if case .failed(let failure) = outcome.result, failure.code.isByClock { context.doubtsClock = true }
        switch outcome.purpose {
        case .time: break
        case .authentication(let stage):
            switch enroller.answered(stage, outcome, &context, &out) {
            case .certified:
                telemetry.due.certified(out.now, &context.draws)
                updater.checkDue.certified(out.now, &context.draws)
                context.reports.due.certified(out.now, &context.draws)
                caller.due.certified(out.now, &context.draws)
                return updater.attested(&context, &out)
            // That is no proof of what was installed.
            case .rejected(let why): return updater.goBack("attestation refused: \(why)", &context, &out)
            case nil: break
            }
        case .telemetry: outcome.journal("telemetry", context.serviceHost, &out)
        case .errorReport: reporter.answered(outcome, &context, &out)
        case .updateStatus: return updater.statusAnswered(outcome, &context, &out)
        case .update: return updater.answered(outcome, &context, &out)
        case .peer(let name): outcome.journal("peer", context.configuration.names.host(name), &out)
        }
        return []
    }

    /// Ends the exchanges that nobody goes on with, and then has peers served.
    public mutating func servePeers(_ event: Event, _ locale: Locale, _ out: inout Outbox) {
        context.exchanges.release(&out)
        server.handle(event, locale, &context, &out)
    }

    // MARK: What the rest of the device says

    /// The device gets power: its clock has gone on, or has begun anew.
    public func powerOn(_ now: Instant) { context.clock.powerOn(now) }

    /// The clock jumps, changes its pace, or loses its battery.
    public mutating func changeClock(_ change: ClockChange, _ out: inout Outbox) {
        context.clock.change(change, out.now)
        time.raiseClock(context, &out)
        enroller.clockChanged(context, out.now)
    }

    /// Whoever sets the clock sets it for all, until the device starts again or it is told to the battery-backed one.
    public mutating func setClock(by nanoseconds: Int64, _ out: inout Outbox) {
        context.clock.set(by: nanoseconds)
        out.observe(.clockSet, [.durationNanoseconds: .number(nanoseconds)])
        time.raiseClock(context, &out)
        enroller.clockChanged(context, out.now)
    }

    public mutating func keepClock(_ now: Instant) { context.clock.keep(now) }

    public mutating func checkForUpdates(_ now: Instant) { updater.checkDue.at = now }

    /// Keeps something of the rest of the device's.
    public mutating func keep(_ key: SettingsKey, _ value: [UInt8]) throws { try context.settings?.set(key, value) }

    /// Apps have been told what is ready.
    /// - Parameter isHeard: One of them listens.
    public mutating func announced(isHeard: Bool, _ out: inout Outbox) { updater.announced(isHeard: isHeard, context, &out) }

    /// New apps run in place of the old ones.
    public mutating func appsStarted(_ images: [StagedImage], _ out: inout Outbox) { updater.appsStarted(images, &out) }

    /// An app has ended in a fault: one that is on trial is taken back.
    public mutating func appFailed(_ reason: String, _ out: inout Outbox) -> [ServiceOutcome] {
        updater.hasAppsOnTrial ? updater.goBack(reason, &context, &out) : []
    }

    /// What is staged waits for a restart, whoever asks for it (UP-6).
    public mutating func activateStaged(_ out: inout Outbox) { _ = updater.activate(&context, &out) }
}

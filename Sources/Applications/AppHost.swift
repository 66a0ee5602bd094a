public import Exchange
public import Formats
import Kernel
public import SecureChannel
public import Silicon
public import Wire

/// What apps want of the rest of the device, in the order in which they want it, and what is to be told of them.
public enum AppOutcome: Equatable, Sendable {
    case report(ReportCategory, String, seen: ServiceAPI.Sighting, isUrgent: Bool)
    /// An app has ended in a fault. Nothing else has run since.
    case failed(String)
    /// An app has said who tells the time.
    case timeServersChanged
    case restart
    case panic(String)
    /// Everything off for at most so long.
    case powerDown(Duration)
    /// The app wants the update so much later.
    case deferUpdate(Duration)
    case resumeUpdate
    /// The clock is to show so many nanoseconds more.
    case setClock(Int64)
    /// What it shows is to be the battery-backed one's, too.
    case keepClock
}

/// An app as the boot chain has started it.
public struct InstalledApp {
    public var package: ImagePackage
    /// SHA-256 of the whole package.
    public var digest: [UInt8]
    public init(_ package: ImagePackage, digest: [UInt8]) { (self.package, self.digest) = (package, digest) }
}

/// With what a device speaks TLS for an app, and signs.
public protocol AppCredentials {
    /// The device is authenticated.
    var isReady: Bool { get }
    var customer: TLSConfiguration.Identity? { get }
    /// - Parameter presents: Whether the device's certificate is shown. The app trusts whom the device trusts.
    func forApp(presents: Bool) -> Security
    /// The app trusts authorities of its own, and asks of them what the device asks of its own.
    func forApp(presents: Bool, roots: [Certificate]) -> Security
    /// The app trusts authorities of its own, in DER, and asks of them what servers of the world have.
    func forApp(presents: Bool, commonRoots: [[UInt8]]) -> Security
}

/// Runs the apps of a device: high-level ones on the A7, real-time ones on the Cortex-M4F beside it (HW-2), and what is between
/// them.
public struct AppHost {
    /// What the device knows of itself when it is made.
    public struct Settings {
        /// Names of those that it runs, of all that are installed.
        public var apps: [String]
        /// What is on the pins.
        public var attachments: [String]
        /// Private pages of a high-level app; nil for the original's.
        public var memoryKiB: Int?
        public var statePath: String
        /// Unix time at the run's start.
        public var epochSeconds: Int64
        public var isolatesApps: Bool
        public var protectsMemory: Bool
        /// Apps say in a manifest what they need; else they are ordinary programs of a Linux system.
        public var usesManifests = true
        /// How long TLS and signatures take the device, in nanoseconds.
        public var cost: (TLSConnection.Work) -> Int64
        /// Where devices answer each other, and tell the time.
        public var peerPort: UInt16
        public var timePort: UInt16
        /// The Wi-Fi network around it; nil for the one that devices are made for.
        public var wifi: (ssid: String, key: String?)?
        /// What its name server tells of services.
        public var services: [(instance: String, type: String, host: String, port: UInt16, text: [String])]

        public init(
            apps: [String], attachments: [String], memoryKiB: Int?, statePath: String, epochSeconds: Int64, isolatesApps: Bool,
            protectsMemory: Bool, cost: @escaping (TLSConnection.Work) -> Int64, peerPort: UInt16, timePort: UInt16,
            wifi: (ssid: String, key: String?)?,
            services: [(instance: String, type: String, host: String, port: UInt16, text: [String])]
        ) {
            (self.apps, self.attachments, self.memoryKiB, self.statePath) = (apps, attachments, memoryKiB, statePath)
            (self.epochSeconds, self.isolatesApps, self.protectsMemory) = (epochSeconds, isolatesApps, protectsMemory)
            (self.cost, self.peerPort, self.timePort, self.wifi, self.services) = (cost, peerPort, timePort, wifi, services)
        }
    }

    /// What the OS that has started is, as far as apps reach it.
    public struct System {
        /// By what a security monitor judges, and what it changes.
        public struct Monitor {
            /// Keys of the trusted keystore, by the ID that images name them with.
            public var keys: [[UInt8]: P256PublicKey]
            /// From which version on an image of a type may be installed.
            public var leastVersion: (ImageType) -> UInt32
            public var openImages: () throws -> (any ImageMemory)?

            public init(
                keys: [[UInt8]: P256PublicKey], leastVersion: @escaping (ImageType) -> UInt32,
                openImages: @escaping () throws -> (any ImageMemory)?
            ) { (self.keys, self.leastVersion, self.openImages) = (keys, leastVersion, openImages) }
        }

        public var osVersion: String
        /// Nil where there is none.
        public var monitor: Monitor?
        /// Nil where there is no enclave.
        public var pluton: PlutonMailbox?

        public init(osVersion: String) { self.osVersion = osVersion }
    }

    static let realTimeCores = 2
    /// What the system's own programs on a Linux board are called together.
    private static let userland = "userland"

    let settings: Settings
    let flash: Flash
    let services: AppServices
    public internal(set) var cores: [RealTimeHost] = []
    var apps: [HighLevelHost] = []
    var streams = AppStreams()
    /// Of the images that are installed, in hex, by the app's name.
    private var digests: [String: String] = [:]
    /// Time in which apps on the A7 have computed since the device got power.
    public private(set) var busyNanoseconds: Int64 = 0
    /// As the network has it.
    var link = AppHost.usualLink
    /// An app has had others told the time.
    var isListeningForTime = false

    public init(_ settings: Settings, flash: Flash) {
        (self.settings, self.flash) = (settings, flash)
        services = AppServices(settings)
    }

    /// What is on the pins, as each app has it: wires lead from one to the other.
    var boards: [Board] { cores.map(\.board) + apps.map(\.board) }

    // MARK: What is due

    public var nextOfCores: Instant { cores.lazy.map { $0.nextWake }.min() ?? .never }
    public var nextOfApps: Instant { apps.lazy.map { $0.nextWake }.min() ?? .never }
    public var hasApps: Bool { !apps.isEmpty }

    /// Runs a real-time core that is due.
    public func run(_ core: RealTimeHost, _ out: inout Outbox) -> [AppOutcome] {
        let fault = core.run(&out)
        carryMessages(from: core, out.now)
        guard let fault else { return [] }
        return [
            .report(.appCrash, fault, seen: .init(digests: digest(of: core.app)), isUrgent: false), .failed("app crashed: \(fault)"),
        ]
    }

    /// Runs the apps on the A7 that are due.
    /// - Parameters:
    ///   - clockError: How far the device's clock is ahead of the true time, in nanoseconds.
    ///   - stopsAtEnd: Once an app has ended nothing else runs: apps are on trial.
    public mutating func run(
        _ credentials: some AppCredentials, unixSeconds: Int64, clockError: Int64, stopsAtEnd: Bool, _ out: inout Outbox
    ) -> [AppOutcome] {
        services.credentials = credentials
        services.unixSeconds = unixSeconds
        services.clockErrorNanoseconds = clockError
        services.network?.isOnline = credentials.isReady
        var outcomes: [AppOutcome] = []
        for (index, app) in apps.enumerated() where app.nextWake <= out.now {
            let before = app.busyNanoseconds
            let end = app.run(&out)
            busyNanoseconds += app.busyNanoseconds - before
            if applySettings(&out) { outcomes.append(.timeServersChanged) }
            // What ends with the program is closed below.
            let seen = ServiceAPI.Sighting(connections: streams.connections(of: index))
            carryOut(app.takeActions(), of: index, &out)
            for message in app.takeMessages() { carry(message, from: app, &out) }
            for target in app.takeDenied() {
                outcomes.append(.report(.connectionDenied, "\(app.app): to \(target)", seen: seen, isUrgent: true))
            }
            for what in app.takeTampered() {
                outcomes.append(.report(.memoryCorruption, "\(app.app): \(what)", seen: seen, isUrgent: true))
            }
            guard let end else { continue }
            outcomes.append(ended(app.app, end, seen, &out))
            if stopsAtEnd { return outcomes + [.failed("app ended: \(end.description)")] }
        }
        for core in cores where core.isHeldUp { carryMessages(from: core, out.now) }
        return outcomes + services.takeRequests()
    }

    private func ended(_ app: String, _ end: HighLevelHost.End, _ seen: ServiceAPI.Sighting, _ out: inout Outbox) -> AppOutcome {
        let isCorruption = end.category == .memoryCorruption
        var details: [Fact.Detail: Fact.Value] = isCorruption ? seen.details : [:]
        details.merge([.app: .text(app), .reason: .text(end.description)]) { $1 }
        if isCorruption { details[.code] = .text(Code.memoryCorruption.rawValue) }
        out.observe(.appStopped, details)
        var whole = seen
        whole.add(.init(digests: digest(of: app)))
        return .report(end.category, end.description, seen: whole, isUrgent: isCorruption)
    }

    /// Of the image that an app was started from, in hex; none if it was sideloaded.
    private func digest(of app: String) -> [String] { digests[app].map { [$0] } ?? [] }

    // MARK: Start and stop

    /// Starts what is installed and the device is to run; a bad one is refused with its number.
    public mutating func start(_ installed: [InstalledApp], _ system: System, _ out: inout Outbox) -> [AppOutcome] {
        digests = Dictionary(installed.map { ($0.package.name, $0.digest.hex) }) { first, _ in first }
        services.osVersion = system.osVersion
        services.monitor = system.monitor.map {
            SecurityMonitor(flash: flash, trusted: $0.keys, leastVersion: $0.leastVersion, open: $0.openImages)
        }
        services.pluton = system.pluton
        var outcomes: [AppOutcome] = []
        for app in installed where app.package.type == .rootFileSystem || settings.apps.contains(app.package.name) {
            if let reason = start(app.package, &out) { outcomes.append(report(app.package.name, reason)) }
        }
        return outcomes
    }

    /// Starts one in place of another with the same component ID, beside those that are installed.
    /// - Returns: Why it can't be started; nil if it runs.
    public mutating func replace(with package: ImagePackage, _ out: inout Outbox) -> (refusal: String?, outcomes: [AppOutcome]) {
        if let index = apps.firstIndex(where: { $0.component == package.component }) { stop(at: index, &out) }
        apps.removeAll { $0.component == package.component }
        cores.removeAll { $0.component == package.component }
        if let reason = start(package, &out) { return (reason, [report(package.name, reason)]) }
        out.observe(.sideload, [.operation: "app", .app: .text(package.name), .result: "accepted"])
        return (nil, [])
    }

    private func report(_ app: String, _ reason: String) -> AppOutcome {
        .report(.app, "\(app): \(reason)", seen: .init(), isUrgent: false)
    }

    /// Ends all of them: the device does, or starts others.
    public mutating func stop(_ out: inout Outbox) {
        for (index, app) in apps.enumerated() {
            app.stop(&out)
            carryOut(app.takeActions(), of: index, &out)
        }
        streams.forgetAll()
        (cores, apps) = ([], [])
    }

    /// The device has been reset.
    public mutating func reset() { isListeningForTime = false }

    /// Nothing works any more, from one instant to the next.
    public mutating func losePower() { (cores, apps) = ([], []) }

    /// Only what came over the service port can be deleted over it; here that is what runs and lies in no flash.
    mutating func stop(at index: Int, _ out: inout Outbox) {
        apps[index].stop(&out)
        carryOut(apps[index].takeActions(), of: index, &out)
        out.observe(.appStopped, [.app: .text(apps[index].app), .reason: "stopped over the service port"])
    }

    /// Why it could not; nil if it runs.
    private mutating func start(_ package: ImagePackage, _ out: inout Outbox) -> String? {
        let app = package.type == .rootFileSystem ? AppHost.userland : package.name
        do {
            let weaknesses = Weakness.present(in: services.osVersion)
            // Device nodes where the OS still takes them.
            let contents = try CompressedROM.contents(package.body, takesDevices: weaknesses.contains(.imageDevices))
            let manifest =
                settings.usesManifests
                ? try AppManifest(json: contents.files["app_manifest.json"] ?? [])
                : AppManifest(
                    ordinaryProgram: package.type == .rootFileSystem ? "/sbin/init" : "/bin/app", name: app,
                    component: package.component.description)
            guard let program = contents.files[String(manifest.entryPoint.dropFirst())] else {
                return refuse(app, "2097174: entry point is not in the image", &out)
            }
            if let conflict = conflict(of: package.name, manifest) { return refuse(app, conflict, &out) }
            if manifest.isRealTime {
                guard cores.count < AppHost.realTimeCores else {
                    return refuse(app, "the chip has \(AppHost.realTimeCores) real-time cores", &out)
                }
                cores.append(
                    try RealTimeHost(
                        app: app, program: try ELFImage(program), manifest: manifest,
                        attachments: settings.attachments, roomPath: settings.statePath + "/room.bin", at: out.now))
                if let board = cores.last?.board { for other in boards where other !== board { other.join(board) } }
                exchangeMail()
            } else {
                apps.append(
                    try HighLevelHost(
                        app: app, image: AppImage(files: contents.files, devices: contents.devices, manifest: manifest),
                        attachments: settings.attachments, memoryKiB: settings.memoryKiB, statePath: settings.statePath,
                        flash: flash, epochSeconds: settings.epochSeconds, services: services, at: out.now))
                if let board = apps.last?.board { for other in boards where other !== board { other.join(board) } }
            }
            out.observe(
                .appStarted,
                [
                    .app: .text(app), .component: .text(manifest.componentID),
                    .version: .number(Int64(package.securityVersion)),
                ])
            return nil
        } catch let refusal as AppManifest.Refusal {
            return refuse(app, "\(refusal.code): \(refusal.reason)", &out)
        } catch {
            return refuse(app, "\(error)", &out)
        }
    }

    private func refuse(_ app: String, _ reason: String, _ out: inout Outbox) -> String {
        out.observe(.refusal, [.operation: "start app", .app: .text(app), .reason: .text(reason)])
        return reason
    }

    /// Why an app cannot run beside those that do.
    private func conflict(of app: String, _ manifest: AppManifest) -> String? {
        let running = apps.map { (name: $0.app, manifest: $0.manifest) } + cores.map { (name: $0.app, manifest: $0.manifest) }
        return running.lazy.compactMap { AppManifest.conflict($0, (app, manifest)) }.first
    }
}

public import Configuration
public import Exchange
import SecureChannel
public import Wire

/// What an exchange with somebody is for.
public enum Purpose: Equatable, Sendable {
    case authentication(Attester.Stage)
    case telemetry
    case errorReport
    case updateStatus
    case update
    case peer(String)
    /// With the nonce that was sent.
    case time(nonce: String)
}

/// What every service of a device works with: what it knows of itself, and ways out. A service's own state is in the service.
public struct ServiceContext {
    static let requestLimit = Duration.seconds(30)

    /// With the names of the catalog that the device belongs to by now.
    public internal(set) var configuration: DeviceConfiguration
    private let madeFor: CatalogNames
    public let protections: Protections
    public let deviceID: String
    public internal(set) var clock: SystemClock
    /// When things are due, as far as chance decides.
    var draws: SeedStream
    /// How long to stay away from a service that does not answer.
    var backoff: Backoff
    /// Nil before the first start.
    public internal(set) var settings: (any SettingsKeeper)?
    public var software: any InstalledSoftware
    public internal(set) var identity: Identity
    var reports = ErrorReports()
    var exchanges = ClientPool<Purpose>()
    /// Who vouches for the time, as for everything that the service says; nil if the policy names nobody.
    var verifier: P256PublicKey?
    /// Something was refused by the clock.
    var doubtsClock = false

    init(_ configuration: DeviceConfiguration, deviceID: String, clock: SystemClock, software: any InstalledSoftware, generation: Int) {
        self.configuration = configuration
        madeFor = configuration.names
        self.deviceID = deviceID
        self.clock = clock
        self.software = software
        protections = configuration.protections
        identity = Identity(configuration, roots: [], verifier: nil)
        let setting = configuration.setting
        draws = SeedStream(seed: setting.seed, node: setting.name, purpose: "schedule", generation: generation)
        backoff = Backoff(draws: SeedStream(seed: setting.seed, node: setting.name, purpose: "backoff", generation: generation))
    }

    /// - Parameter catalog: Nil for the one that it was made for.
    mutating func join(_ catalog: String?) { configuration.names = catalog.map(CatalogNames.init(catalog:)) ?? madeFor }

    var serviceHost: String { configuration.names.service }

    public func locale(_ now: Instant) -> Locale {
        Locale(unixSeconds: clock.unixSeconds(at: now), cost: configuration.cryptoCost)
    }

    /// With certificates out of play, what shows who asks.
    var sharedSecretHeader: [(name: String, value: String)] {
        identity.usesCertificates ? [] : [("authorization", "Bearer \(configuration.sharedSecret)")]
    }

    /// Asks the service, where both sides show certificates.
    mutating func ask(_ purpose: Purpose, _ request: Request, _ security: Security, _ out: inout Outbox) {
        let target = ClientPool<Purpose>.Target(
            host: serviceHost, port: ServicePort.mutual, security: security, pair: .deviceService)
        exchanges.start(purpose, request, to: target, within: ServiceContext.requestLimit, &out)
    }

    // MARK: Reports

    /// Remembers something for the next error report.
    public mutating func note(
        _ category: ReportCategory, _ description: String, seen: ServiceAPI.Sighting = .init(), at now: Instant
    ) {
        guard protections.errorReporting else { return }
        reports.add(.init(category: category, description: description, unixSeconds: clock.unixSeconds(at: now), seen: seen))
    }

    /// Something that an attack may be behind: the service is to hear of it soon, but not of each repetition.
    public mutating func noteSecurity(
        _ category: ReportCategory, _ description: String, seen: ServiceAPI.Sighting = .init(), at now: Instant
    ) {
        guard protections.errorReporting else { return }
        if !reports.repeats(category, description, seen: seen) { note(category, description, seen: seen, at: now) }
        reports.hurry(now)
    }
}

extension ClientPool.Outcome {
    /// An exchange's end, for the journal.
    func journal(_ operation: String, _ peer: String, _ out: inout Outbox) {
        var details: [Fact.Detail: Fact.Value] = [.operation: .text(operation), .peer: .text(peer)]
        switch result {
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
        if let connection { details[.connection] = .text("\(connection)") }
        out.observe(.exchange, details)
    }
}

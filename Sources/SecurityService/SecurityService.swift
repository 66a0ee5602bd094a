import Exchange
import SecureChannel
public import Wire

/// The cloud security service as a node: verifier, registration authority and inbox of error reports.
public struct SecurityService: Node {
    private let configuration: ServiceConfiguration
    private let api: API
    private let enrolment: Security
    private let mutual: Security
    private var servers = ServerPool(pair: .deviceService)

    /// Opens the database and the authority's files.
    public init(_ configuration: ServiceConfiguration) throws {
        self.configuration = configuration
        let authority = try Authority(path: configuration.authorityPath, names: configuration.names)
        let store = try Store(path: configuration.databasePath)
        api = try API(configuration, store: store, authority: authority)
        let keepsLog = configuration.setting.keyLogPath != nil
        if configuration.controlsOff.contains(.transportEncryption) {
            (enrolment, mutual) = (.plain, .plain)
            return
        }
        enrolment = .tls(
            try TLSConfiguration(role: .server, identity: authority.service, rule: .anybody, keepsKeyLog: keepsLog))
        let catalog = CatalogIdentity(configuration.names)
        let rule: TLSConfiguration.PeerRule =
            configuration.controlsOff.contains(.certificateAuth)
            ? .anybody
            : .init(roots: [authority.root], isCertificateRequired: true, profile: Lifetimes.deviceProfile) {
                catalog.refusalOfDevice($0)
            }
        mutual = .tls(
            try TLSConfiguration(role: .server, identity: authority.service, rule: rule, keepsKeyLog: keepsLog))
    }

    public mutating func keepKeyLog(_ sink: @escaping (String) -> Void) { servers.keyLog = sink }

    public var nextWake: Instant? { servers.nextDeadline }

    public mutating func handle(_ event: Event, _ out: inout Outbox) {
        switch event {
        case .start:
            out.act(.listen(port: ServicePort.enrolment))
            out.act(.listen(port: ServicePort.mutual))
            out.act(.listen(port: ServicePort.updates))
            api.started(&out)
        case .command(let name, let body):
            api.command(name, body, unixSeconds: configuration.setting.unixSeconds(at: out.now), &out)
        default:
            let unixSeconds = configuration.setting.unixSeconds(at: out.now)
            let (enrolment, mutual, api) = (enrolment, mutual, api)
            servers.handle(
                event, locale: Locale(unixSeconds: unixSeconds, cost: .server), &out,
                security: { $0 == ServicePort.updates ? .plain : $0 == ServicePort.enrolment ? enrolment : mutual },
                answer: { request, caller, out in api.answer(request, caller, unixSeconds: unixSeconds, &out) })
        }
    }
}

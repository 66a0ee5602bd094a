public import Configuration
import Exchange
import SecureChannel
public import Wire

/// The cloud security service as a node: verifier, registration authority and inbox of error reports.
public struct SecurityService: Node {
    private let configuration: ServiceConfiguration
    private var api: API
    private var enrolment = Security.plain
    private var mutual = Security.plain
    private var servers: ServerPool
    private var sweepAt = Instant.never

    private static let sweepEvery = Duration.hours(1)
    /// Connections from one address: a device needs two or three.
    private static let connectionsPerAddress = 16

    /// Opens the database and the authority's files.
    public init(_ configuration: ServiceConfiguration) throws {
        self.configuration = configuration
        let store = try Store(path: configuration.databasePath)
        let authority = try Authority(path: configuration.authorityPath, names: configuration.names, renewed: store.renewed())
        api = try API(configuration, store: store, authority: authority)
        servers = ServerPool(
            pair: .deviceService,
            capacity: .init(perAddress: configuration.protections.requestLimits ? SecurityService.connectionsPerAddress : .max),
            hosts: [configuration.names.service.lowercased(), "localhost"])
        try present(authority)
    }

    /// Connections from now on see what has been renewed.
    private mutating func present(_ authority: Authority) throws {
        let protections = configuration.protections
        guard protections.transportEncryption else { return }
        let keepsLog = configuration.setting.keyLogPath != nil
        let algorithms: TLSConfiguration.Algorithms = protections.strongAlgorithms ? .strong : .weakToo
        let catalog = CatalogIdentity(configuration.names)
        let (verifier, isGated) = (authority.verifier, protections.attestationGate)
        // Newcomers have no certificate yet; who has one may show it, to have it renewed (RFC 7030 section 3.3.2).
        var newcomers: TLSConfiguration.PeerRule =
            protections.certificateAuth
            ? .init(roots: authority.roots, isCertificateRequired: false, profile: Lifetimes.deviceProfile) { catalog.refusalOfDevice($0) }
            : .anybody
        // EST's answers hold the issued certificate alone, and so may clients.
        newcomers.intermediates = authority.allIntermediates
        // Programs of the world's may speak TLS 1.2 (RFC 7030 section 3.3 asks for no more); devices never do.
        let hasClients = !configuration.clients.isEmpty && algorithms == .strong
        enrolment = .tls(
            try TLSConfiguration(
                role: .server, identity: authority.service, rule: newcomers, algorithms: hasClients ? .common : algorithms,
                keepsKeyLog: keepsLog))
        let rule: TLSConfiguration.PeerRule =
            protections.certificateAuth
            ? .init(roots: authority.roots, isCertificateRequired: true, profile: Lifetimes.deviceProfile) {
                catalog.refusalOfDevice($0) ?? (isGated ? catalog.refusalOfResult($0, verifier: verifier) : nil)
            } : .anybody
        mutual = .tls(
            try TLSConfiguration(
                role: .server, identity: authority.service, rule: rule, algorithms: algorithms,
                keepsKeyLog: keepsLog))
    }

    public mutating func keepKeyLog(_ sink: @escaping (String) -> Void) { servers.keyLog = sink }

    public var nextWake: Instant? { min(servers.nextDeadline ?? .never, sweepAt) }
    public var nextSend: Instant? { servers.nextDeadline }

    public mutating func handle(_ event: Event, _ out: inout Outbox) {
        let unixSeconds = configuration.setting.unixSeconds(at: out.now)
        switch event {
        case .start:
            for port in [ServicePort.enrolment, ServicePort.mutual, ServicePort.updates] { out.act(.listen(port: port)) }
            api.started(&out)
            sweepAt = out.now + SecurityService.sweepEvery
            // It may have been off for long.
            api.renewAuthorities(unixSeconds: unixSeconds, &out)
        case .command(let name, let body): api.command(name, body, unixSeconds: unixSeconds, &out)
        case .datagram(ServicePort.time, let from, let request): tellTime(request, from, &out)
        default:
            let (enrolment, mutual) = (enrolment, mutual)
            servers.handle(
                event, locale: Locale(unixSeconds: unixSeconds, cost: .server), &out,
                security: { $0 == ServicePort.updates ? .plain : $0 == ServicePort.enrolment ? enrolment : mutual },
                answer: { request, caller, out in api.answer(request, caller, unixSeconds: unixSeconds, &out) })
            api.noticed(servers.takeIncidents(), unixSeconds: unixSeconds, &out)
        }
        if sweepAt <= out.now {
            sweepAt = out.now + SecurityService.sweepEvery
            api.sweep(unixSeconds, &out)
            api.renewAuthorities(unixSeconds: unixSeconds, &out)
        }
        if api.takeRenewal() {
            do { try present(api.authority) } catch {
                out.observe(.refusal, [.operation: "present certificate", .reason: .text("\(error)")])
            }
        }
    }

    /// The time server lives in the same house.
    private func tellTime(_ request: [UInt8], _ from: Endpoint, _ out: inout Outbox) {
        let now = configuration.setting.epochSeconds * 1_000_000_000 + out.now.nanoseconds
        guard let answer = NetworkTime.answer(to: request, unixNanoseconds: now) else { return }
        out.act(.datagram(fromPort: ServicePort.time, to: from, answer))
    }
}

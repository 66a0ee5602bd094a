import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// What the OS answers apps, and what they have asked of it.
final class AppServices: ServiceProvider {
    var osVersion = ""
    var monitor: SecurityMonitor?
    var pluton: PlutonMailbox?
    let system = SystemState()
    /// With what, when and how fast the device speaks TLS.
    var credentials: (any AppCredentials)?
    var unixSeconds: Int64 = 0
    private let cost: (TLSConnection.Work) -> Int64
    /// Where devices answer each other.
    let peerPort: UInt16
    let isolatesApps: Bool
    let protectsMemory: Bool
    let usesManifests: Bool
    /// How far the device's wall clock is ahead.
    var clockErrorNanoseconds: Int64 = 0
    /// What its name server tells of services.
    let serviceRecords: [ServiceRecord]
    /// How the device is connected; nil before it has started.
    var network: NetworkServices?
    /// An update waits that can still be put off, at most so long.
    var deferralLimit: Duration?
    private var requests: [AppOutcome] = []
    var certificates = CertificateServices()

    init(_ settings: AppHost.Settings) {
        (cost, peerPort) = (settings.cost, settings.peerPort)
        (isolatesApps, protectsMemory) = (settings.isolatesApps, settings.protectsMemory)
        usesManifests = settings.usesManifests
        serviceRecords = settings.services.map {
            ServiceRecord(instance: $0.instance, type: $0.type, host: $0.host, port: $0.port, text: $0.text)
        }
    }

    func setClock(by nanoseconds: Int64) {
        clockErrorNanoseconds &+= nanoseconds
        requests.append(.setClock(nanoseconds))
    }

    func monitor(_ call: MonitorCall) throws(Errno) {
        guard let monitor else { throw .ENODEV }
        try monitor.carryOut(call)
    }

    /// The OS could not go on.
    func panicked(_ reason: String) { requests.append(.panic(reason)) }

    func takeRequests() -> [AppOutcome] {
        defer { requests = [] }
        return requests
    }

    private var isAuthenticated: Bool { credentials?.isReady ?? false }
    var certificateChain: [UInt8] { credentials?.customer.map { $0.chain.flatMap(\.pem) } ?? [] }

    func tlsClient(presents: Bool, roots: [UInt8], isCommon: Bool) throws(Errno) -> TLSClient {
        // The device's own authorities have nothing to do with the world's servers.
        if roots.isEmpty && isCommon { throw .EINVAL }
        let own = roots.isEmpty || isCommon ? nil : try? Certificate.list(pem: roots)
        let common = isCommon ? try? Certificate.encoded(pem: roots) : nil
        guard roots.isEmpty || own != nil || common != nil else { throw .EINVAL }
        guard let credentials, credentials.isReady || !presents else { throw .EAGAIN }
        let security =
            if let own {
                credentials.forApp(presents: presents, roots: own)
            } else if let common {
                credentials.forApp(presents: presents, commonRoots: common)
            } else {
                credentials.forApp(presents: presents)
            }
        switch security {
        case .plain: return TLSClient(nil, unixSeconds: unixSeconds) { _ in 0 }
        case .tls(let configuration): return TLSClient(configuration, unixSeconds: unixSeconds, nanoseconds: cost)
        }
    }

    func sign(_ digest: [UInt8]) throws(Errno) -> (signature: [UInt8], nanoseconds: Int64) {
        guard let customer = credentials?.customer else { throw .EAGAIN }
        return (customer.key.sign(digest: digest), cost(.init(signatures: 1)))
    }

    func answer(_ operation: ServiceOperation, _ input: [UInt8], at nanoseconds: Int64) throws(Errno) -> ServiceAnswer {
        let fields = Bytes(input)
        switch operation {
        case .osVersion: return ServiceAnswer(0, Array(osVersion.utf8))
        case .deviceAuthReady: return ServiceAnswer(isAuthenticated ? 1 : 0)
        case .powerProfile: if fields.u32(0) ?? 3 > 2 { throw .EINVAL }
        case .clockToHardware: requests.append(.keepClock)
        case .reboot: requests.append(.restart)
        case .powerDown: requests.append(.powerDown(.seconds(Int64(fields.u32(0) ?? 0))))
        case .deferUpdate:
            guard let minutes = fields.u32(4), fields.u32(0) == 1 else { throw .EINVAL }
            guard deferralLimit != nil else { throw .EPERM }
            requests.append(.deferUpdate(.minutes(Int64(minutes))))
        case .resumeUpdate:
            guard fields.u32(0) == 1, deferralLimit != nil else { throw .EPERM }
            requests.append(.resumeUpdate)
        case .memoryUsage, .wifi, .secureStream, .signDigest: throw .ENOSYS
        default:
            if operation.isOfCertificates { return try certificates.answer(operation, input) }
            guard let network else { throw .EAGAIN }
            return try network.answer(operation, input, at: unixSeconds)
        }
        return ServiceAnswer()
    }
}

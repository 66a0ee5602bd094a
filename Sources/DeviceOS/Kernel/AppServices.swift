import Catalogue
import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// What the OS answers apps, and what they have asked of it.
final class AppServices: ServiceProvider {
    enum Request: Equatable {
        case reboot
        case panic(String)
        /// At most so many seconds.
        case powerDown(UInt32)
        /// The app wants the update so many minutes later.
        case deferUpdate(UInt32)
        case resumeUpdate
        /// The clock is to show so many nanoseconds more.
        case setClock(Int64)
        /// What it shows is to be the battery-backed one's, too.
        case keepClock
    }

    var osVersion = ""
    var controlsOff: [Control] = []
    var monitor: SecurityMonitor?
    var pluton: PlutonMailbox?
    let system = SystemState()
    /// With what, when and how fast the device speaks TLS.
    var identity: Identity?
    var unixSeconds: Int64 = 0
    var cryptoCost = CryptoCost.microcontroller
    /// How far the device's wall clock is ahead.
    var clockErrorNanoseconds: Int64 = 0
    /// What its name server tells of services.
    var serviceRecords: [ServiceRecord] = []
    /// How the device is connected; nil before it has started.
    var network: NetworkServices?
    /// An update waits that can still be put off, at most so long.
    var deferralLimit: Duration?
    private(set) var requests: [Request] = []
    var certificates = CertificateServices()

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

    func isOff(_ control: Control) -> Bool { controlsOff.contains(control) }

    func takeRequests() -> [Request] {
        defer { requests = [] }
        return requests
    }

    private var isAuthenticated: Bool { identity?.isReady ?? false }
    var certificateChain: [UInt8] { identity?.customer.map { $0.chain.flatMap(\.pem) } ?? [] }

    func tlsClient(presents: Bool, roots: [UInt8], isCommon: Bool) throws(Errno) -> TLSClient {
        let rule: Identity.AppRule
        switch (roots.isEmpty, isCommon) {
        case (true, false): rule = .devices
        // The device's own authorities have nothing to do with the world's servers.
        case (true, true): throw .EINVAL
        case (false, false):
            guard let list = try? Certificate.list(pem: roots) else { throw .EINVAL }
            rule = .strict(list)
        case (false, true):
            guard let list = try? Certificate.encoded(pem: roots) else { throw .EINVAL }
            rule = .common(list)
        }
        guard let identity, identity.isReady || !presents else { throw .EAGAIN }
        switch identity.forApp(presents: presents, rule) {
        case .plain: return TLSClient(nil, unixSeconds: unixSeconds) { _ in 0 }
        case .tls(let configuration):
            return TLSClient(configuration, unixSeconds: unixSeconds) { [cryptoCost] in cryptoCost.time(for: $0).nanoseconds }
        }
    }

    func sign(_ digest: [UInt8]) throws(Errno) -> (signature: [UInt8], nanoseconds: Int64) {
        guard let customer = identity?.customer else { throw .EAGAIN }
        return (customer.key.sign(digest: digest), cryptoCost.time(for: .init(signatures: 1)).nanoseconds)
    }

    func answer(_ operation: ServiceOperation, _ input: [UInt8], at nanoseconds: Int64) throws(Errno) -> ServiceAnswer {
        let fields = Bytes(input)
        switch operation {
        case .osVersion: return ServiceAnswer(0, Array(osVersion.utf8))
        case .deviceAuthReady: return ServiceAnswer(isAuthenticated ? 1 : 0)
        case .powerProfile: if fields.u32(0) ?? 3 > 2 { throw .EINVAL }
        case .clockToHardware: requests.append(.keepClock)
        case .reboot: requests.append(.reboot)
        case .powerDown: requests.append(.powerDown(fields.u32(0) ?? 0))
        case .deferUpdate:
            guard let minutes = fields.u32(4), fields.u32(0) == 1 else { throw .EINVAL }
            guard deferralLimit != nil else { throw .EPERM }
            requests.append(.deferUpdate(minutes))
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

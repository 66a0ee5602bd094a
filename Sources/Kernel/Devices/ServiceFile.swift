import Formats
import Silicon

/// What the OS does for apps beside files: asked through /dev/services, one request at a time. Numbers are those of the
/// SDK's service.h.
public enum ServiceOperation: UInt32, Sendable {
    case memoryUsage = 1, osVersion, deviceAuthReady, networkReady, networkInterfaces, networkStatus, networkEnable
    case timeSyncEnabled, timeSyncEnable, reboot, powerDown, powerProfile, clockToHardware
    case installClientCertificate = 20, installRootCertificate, deleteCertificate, certificateCount, certificateAt, certificateSpace
    case certificateSubject, certificateIssuer, certificateNotBefore, certificateNotAfter, moveCertificate
    case wifi = 31
    case deferUpdate = 40, resumeUpdate
    case secureStream = 50, signDigest
    case timeSource = 60, lastTime, addressSet, addressRelease, addressRenew, timeServerStart, addressServerStart, hardwareAddress
    case proxySet = 70, proxyGet, proxyStatus
    case wifiAdd = 80, wifiDuplicate, wifiSet, wifiByName, wifiPersist, wifiReload, wifiForget, wifiForgetAll, wifiList, wifiScan
    case wifiDiagnostics, enterpriseSet, enterpriseGet

    /// Of the certificate store.
    public var isOfCertificates: Bool {
        (ServiceOperation.installClientCertificate.rawValue...ServiceOperation.moveCertificate.rawValue).contains(rawValue)
    }
}

/// An answer: a number from 0 on and bytes, or why not.
public struct ServiceAnswer: Sendable {
    public var value: Int32
    public var bytes: [UInt8]
    public init(_ value: Int32 = 0, _ bytes: [UInt8] = []) {
        self.value = value
        self.bytes = bytes
    }
}

/// What stands behind the services: the device's OS, or a bench.
public protocol ServiceProvider: AnyObject {
    func answer(_ operation: ServiceOperation, _ input: [UInt8], at nanoseconds: Int64) throws(Errno) -> ServiceAnswer
    /// - Parameters:
    ///   - presents: Whether to show the certificate that the security service has issued to the device.
    ///   - roots: Whom to trust, in PEM; empty for whom the device itself trusts.
    ///   - isCommon: Whether to speak as servers of the world do, and not only as the device's own do; needs roots.
    func tlsClient(presents: Bool, roots: [UInt8], isCommon: Bool) throws(Errno) -> TLSClient
    /// With the device's key, for what shows its certificate in a program of its own: 64 bytes r ‖ s, and how long it takes.
    /// - Parameter digest: 32 bytes, SHA-256.
    func sign(_ digest: [UInt8]) throws(Errno) -> (signature: [UInt8], nanoseconds: Int64)
    /// The wall clock is to show this, for all programs.
    /// - Parameter nanoseconds: How much later it is than it showed.
    func setClock(by nanoseconds: Int64)
    /// Carries out what the security monitor is asked; it has already been decided that the caller may ask.
    func monitor(_ call: MonitorCall) throws(Errno)
    /// The device's certificate and its chain, in PEM; empty before it is authenticated.
    var certificateChain: [UInt8] { get }
}

final class ServiceFile: OpenFile {
    private unowned let kernel: Kernel
    init(_ kernel: Kernel) {
        self.kernel = kernel
        super.init(flags: OpenFile.readWrite)
    }
    override var mode: UInt32 { 0o020666 }

    private static let request: UInt32 = 0xC014_6F01
    private static let longestInput: UInt32 = 32 << 10

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard request == ServiceFile.request else { throw .ENOTTY }
        let fields = try process.memory.fields(argument, 20)
        guard let operation = ServiceOperation(rawValue: fields.u32(0) ?? 0) else { throw .ENOSYS }
        guard let length = fields.u32(8), length <= ServiceFile.longestInput else { throw .EMSGSIZE }
        try ServiceFile.check(operation, process)
        let input = try process.memory.bytes(fields.u32(4) ?? 0, Int(length))
        let answer: ServiceAnswer
        if let known = try own(operation, input, process) {
            answer = known
        } else {
            guard let services = kernel.services else { throw .ENOSYS }
            answer = try services.answer(operation, input, at: kernel.now)
        }
        let bytes = Array(answer.bytes.prefix(Int(fields.u32(16) ?? 0)))
        if !bytes.isEmpty { try process.memory.put(fields.u32(12) ?? 0, bytes) }
        return UInt32(bitPattern: answer.value)
    }

    /// What the kernel knows by itself.
    private func own(_ operation: ServiceOperation, _ input: [UInt8], _ process: Process) throws(Errno) -> ServiceAnswer? {
        if operation == .secureStream { return try secure(input, process) }
        if operation == .signDigest { return try sign(input) }
        if operation == .wifi { return ServiceAnswer() }
        guard operation == .memoryUsage else { return nil }
        let used = UInt32(process.core.memory.touchedBytes >> 10)
        process.peakKiB = max(process.peakKiB, used)
        return ServiceAnswer(0, [used + 16, used, process.peakKiB].littleEndianBytes)
    }

    /// Four words: descriptor, flags (1: show the device's certificate, 2: the common rule), lengths of host and roots; then those.
    private func secure(_ input: [UInt8], _ process: Process) throws(Errno) -> ServiceAnswer {
        let fields = Bytes(input)
        guard let descriptor = fields.u32(0), let flags = fields.u32(4), flags <= 3, let hostBytes = fields.u32(8),
            let rootBytes = fields.u32(12), let host = fields.block(16, Int(hostBytes)), (1...253).contains(host.count),
            let roots = fields.block(16 + host.count, Int(rootBytes))
        else { throw .EINVAL }
        let presents = flags & 1 != 0
        if presents, let grants = process.policy.grants, grants.tenant == nil { throw .EACCES }
        guard let socket = try process.file(descriptor) as? StreamSocket else { throw .ENOTSOCK }
        guard let services = kernel.services else { throw .ENOSYS }
        try socket.secure(
            services.tlsClient(presents: presents, roots: roots, isCommon: flags & 2 != 0), host: String(decoding: host, as: UTF8.self))
        kernel.changed()
        return ServiceAnswer()
    }

    private func sign(_ digest: [UInt8]) throws(Errno) -> ServiceAnswer {
        guard digest.count == 32 else { throw .EINVAL }
        guard let services = kernel.services else { throw .ENOSYS }
        let (signature, nanoseconds) = try services.sign(digest)
        kernel.spend(nanoseconds)
        return ServiceAnswer(0, signature)
    }

    /// What a manifest must list for it; fail-closed for what is not named here.
    private static func check(_ operation: ServiceOperation, _ process: Process) throws(Errno) {
        guard let grants = process.policy.grants else { return }
        switch operation {
        case .memoryUsage, .osVersion, .networkReady, .networkInterfaces, .networkStatus, .timeSyncEnabled, .secureStream, .proxyStatus:
            break
        case .deviceAuthReady, .signDigest: if grants.tenant == nil { throw .EACCES }
        case .wifi, .wifiAdd, .wifiDuplicate, .wifiSet, .wifiByName, .wifiPersist, .wifiReload, .wifiForget, .wifiForgetAll, .wifiList,
            .wifiScan, .wifiDiagnostics:
            try process.mustHave("WifiConfig")
        case .enterpriseSet, .enterpriseGet: try process.mustHave("EnterpriseWifiConfig")
        case .networkEnable, .addressSet, .addressRelease, .addressRenew, .proxySet: try process.mustHave("NetworkConfig")
        case .proxyGet: if !grants.flags.contains("ReadNetworkProxyConfig") { try process.mustHave("NetworkConfig") }
        case .timeSyncEnable, .timeSource, .lastTime: try process.mustHave("TimeSyncConfig")
        case .timeServerStart: try process.mustHave("SntpService")
        case .addressServerStart: try process.mustHave("DhcpService")
        case .hardwareAddress: try process.mustHave("HardwareAddressConfig")
        case .clockToHardware: try process.mustHave("SystemTime")
        case .reboot: if !grants.powerControls.contains("ForceReboot") { throw .EACCES }
        case .powerDown: if !grants.powerControls.contains("ForcePowerDown") { throw .EACCES }
        case .powerProfile: if !grants.powerControls.contains("SetPowerProfile") { throw .EACCES }
        case .deferUpdate, .resumeUpdate: try process.mustHave("SoftwareUpdateDeferral")
        default: try process.mustHave("CertStore")
        }
    }
}

/// /dev/sysevent: 16 bytes for each event (applibs-api §2.16).
final class EventFile: OpenFile {
    private var waiting: [[UInt8]] = []
    init() { super.init(flags: 0) }
    override var mode: UInt32 { 0o020444 }

    func post(_ words: [UInt32]) { waiting.append(words.littleEndianBytes) }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? {
        guard count >= 16 else { throw .EINVAL }
        return waiting.isEmpty ? nil : waiting.removeFirst()
    }
    override var readiness: Readiness { waiting.isEmpty ? [] : [.input] }
}

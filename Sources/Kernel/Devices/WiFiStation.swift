import Formats

/// What a station can hear: a network on the air, as the emulated world has it.
public struct AccessPoint: Sendable, Equatable, Codable {
    public var ssid: String
    /// Of WPA2; nil for an open network.
    public var key: String?
    public init(ssid: String, key: String?) { (self.ssid, self.key) = (ssid, key) }

    /// What devices are made for, where the topology says nothing.
    public static let standard = AccessPoint(ssid: "orrery", key: "orrery-testbed")

    var security: WiFiNetwork.Security { key == nil ? .open : .psk }
}

/// A network that a device is told to connect to.
public struct WiFiNetwork: Sendable, Equatable, Codable {
    public enum Security: UInt32, Sendable, Codable { case unknown = 0, open, psk, certificates }

    var id: UInt32
    var ssid: [UInt8] = []
    var name: [UInt8] = []
    var security = Security.unknown
    var key: [UInt8] = []
    var isEnabled = false
    var isProbed = false
    var identity: [UInt8] = []
    var clientCertificate: [UInt8] = []
    var rootCertificate: [UInt8] = []

    static let notFound: UInt32 = 2

    init(id: UInt32) { self.id = id }

    /// As the factory sets it up: for the network around it.
    init(factory point: AccessPoint) {
        self.init(id: 0)
        (ssid, name) = (Array(point.ssid.utf8.prefix(32)), Array("factory".utf8))
        (security, key, isEnabled) = (point.security, Array((point.key ?? "").utf8), true)
    }

    /// Why it cannot connect there, by the numbers of WifiConfig_NetworkDiagnostics; nil if it can.
    func failure(at point: AccessPoint) -> UInt32? {
        if ssid != Array(point.ssid.utf8) { return WiFiNetwork.notFound }
        if security != point.security { return 6 }
        guard security == .psk else { return nil }
        return key.isEmpty ? 3 : key == Array((point.key ?? "").utf8) ? nil : 4
    }
}

/// Stored networks and the connection that comes of them (applibs-api §2.18): changes count at once, and are gone with a restart
/// unless they are made to stay.
struct WiFiStation {
    private enum Field: UInt32 { case ssid = 0, security, key, isProbed, isEnabled, name, identity, clientCertificate, rootCertificate }

    private static let mostNetworks = 37
    let point: AccessPoint
    /// Whether it can be heard.
    private let isOnAir: Bool
    private(set) var networks: [WiFiNetwork]
    private(set) var kept: [WiFiNetwork]
    /// Unix seconds and why, by network.
    private var failures: [UInt32: (at: Int64, error: UInt32)] = [:]
    private var nextID: UInt32

    init(_ point: AccessPoint, isOnAir: Bool, kept: [WiFiNetwork]?) {
        (self.point, self.isOnAir) = (point, isOnAir)
        self.kept = kept ?? [WiFiNetwork(factory: point)]
        networks = self.kept
        nextID = (networks.map(\.id).max() ?? 0) &+ 1
    }

    /// The first that is enabled and fits.
    var connected: WiFiNetwork? { networks.first { $0.isEnabled && failure(of: $0) == nil } }

    private func failure(of network: WiFiNetwork) -> UInt32? { isOnAir ? network.failure(at: point) : WiFiNetwork.notFound }

    private mutating func attempt(_ now: Int64) {
        for network in networks where network.isEnabled {
            if let error = failure(of: network) { failures[network.id] = (now, error) }
        }
    }

    mutating func answer(_ operation: ServiceOperation, _ input: [UInt8], at now: Int64) throws(Errno) -> ServiceAnswer {
        let fields = Bytes(input)
        switch operation {
        case .wifiAdd: return ServiceAnswer(Int32(try add(WiFiNetwork(id: nextID))))
        case .wifiDuplicate:
            var copy = networks[try index(fields.u32(0))]
            copy.name = Array(input.dropFirst(4))
            try check(name: copy.name)
            if networks.contains(where: { $0.name == copy.name }) { throw .EEXIST }
            (copy.id, copy.isEnabled) = (nextID, false)
            return ServiceAnswer(Int32(try add(copy)))
        case .wifiSet, .enterpriseSet: try set(input, operation, now)
        case .enterpriseGet:
            let network = networks[try index(fields.u32(0))]
            switch Field(rawValue: fields.u32(4) ?? .max) {
            case .identity: return ServiceAnswer(0, network.identity)
            case .clientCertificate: return ServiceAnswer(0, network.clientCertificate)
            case .rootCertificate: return ServiceAnswer(0, network.rootCertificate)
            default: throw .EINVAL
            }
        case .wifiByName:
            guard let network = networks.first(where: { $0.name == input }) else { throw .ENODEV }
            return ServiceAnswer(Int32(network.id))
        case .wifiPersist:
            if networks.contains(where: \.ssid.isEmpty) { throw .EINVAL }
            kept = networks
        case .wifiReload:
            (networks, failures) = (kept, [:])
            attempt(now)
        case .wifiForget: networks.remove(at: try index(fields.u32(0)))
        case .wifiForgetAll: (networks, kept, failures) = ([], [], [:])
        case .wifiList: return ServiceAnswer(Int32(networks.count), networks.flatMap(record))
        case .wifiScan where !isOnAir: return ServiceAnswer(0)
        case .wifiScan:
            return ServiceAnswer(
                1, [UInt8(point.ssid.utf8.prefix(32).count), UInt8(point.security.rawValue)] + Array(point.ssid.utf8.prefix(32)))
        case .wifiDiagnostics:
            let network = networks[try index(fields.u32(0))]
            guard let failure = failures[network.id] else { throw .ENODEV }
            let isConnected = connected?.id == network.id
            return ServiceAnswer(
                0, [network.isEnabled ? 1 : 0, isConnected ? 1 : 0, 0, 0] + failure.error.littleEndianBytes + failure.at.littleEndianBytes)
        default: throw .ENOSYS
        }
        return ServiceAnswer()
    }

    /// Identifier, length of the SSID, whether enabled and connected, security; SSID in 32 bytes.
    private func record(_ network: WiFiNetwork) -> [UInt8] {
        let head = [
            UInt8(network.ssid.count), network.isEnabled ? 1 : 0, connected?.id == network.id ? 1 : 0, UInt8(network.security.rawValue),
        ]
        return network.id.littleEndianBytes + head + network.ssid + [UInt8](repeating: 0, count: 32 - network.ssid.count)
    }

    private mutating func add(_ network: WiFiNetwork) throws(Errno) -> UInt32 {
        guard networks.count < WiFiStation.mostNetworks, nextID < UInt32(Int32.max) else { throw .ENOMEM }
        networks.append(network)
        nextID += 1
        return network.id
    }

    private func index(_ id: UInt32?) throws(Errno) -> Int {
        guard let index = networks.firstIndex(where: { $0.id == id }) else { throw .ENODEV }
        return index
    }

    private func check(name: [UInt8]) throws(Errno) { if !(1...16).contains(name.count) { throw .ERANGE } }

    /// Identifier, field, bytes.
    private mutating func set(_ input: [UInt8], _ operation: ServiceOperation, _ now: Int64) throws(Errno) {
        let fields = Bytes(input)
        let index = try index(fields.u32(0))
        guard let field = Field(rawValue: fields.u32(4) ?? .max), input.count >= 8 else { throw .EINVAL }
        let bytes = Array(input.dropFirst(8))
        let word = fields.u32(8) ?? 0
        let isForEnterprise = operation == .enterpriseSet
        switch field {
        case .ssid where !isForEnterprise:
            guard (1...32).contains(bytes.count) else { throw .ERANGE }
            networks[index].ssid = bytes
        case .security:
            guard let security = WiFiNetwork.Security(rawValue: word), security != .unknown else { throw .EINVAL }
            guard (security == .certificates) == isForEnterprise else { throw .EACCES }
            networks[index].security = security
        case .key where !isForEnterprise:
            guard bytes.count <= 64 else { throw .ERANGE }
            networks[index].key = bytes
        case .isProbed where !isForEnterprise: networks[index].isProbed = word != 0
        case .isEnabled where !isForEnterprise:
            if word != 0, networks[index].ssid.isEmpty { throw .EINVAL }
            networks[index].isEnabled = word != 0
            failures[networks[index].id] = nil
        case .name where !isForEnterprise:
            try check(name: bytes)
            networks[index].name = bytes
        case .identity where isForEnterprise: networks[index].identity = try limited(bytes, 254)
        case .clientCertificate where isForEnterprise: networks[index].clientCertificate = try limited(bytes, 16)
        case .rootCertificate where isForEnterprise: networks[index].rootCertificate = try limited(bytes, 16)
        default: throw .EINVAL
        }
        attempt(now)
    }

    private func limited(_ bytes: [UInt8], _ most: Int) throws(Errno) -> [UInt8] {
        if bytes.count > most { throw .ERANGE }
        return bytes
    }
}

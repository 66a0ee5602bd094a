import Formats

/// How the device is connected, as apps with the capability choose it (applibs-api §2.9, §2.18): its Wi-Fi networks, its address, its
/// time servers, its proxy, and what it serves itself.
public final class NetworkServices {
    /// What outlasts a restart.
    public struct Saved: Sendable, Equatable, Codable {
        var wifi: [WiFiNetwork]?
        var fixed: FixedAddress?
        var nameServers: [UInt32] = []
        var isTimeSynchronised = true
        var timeSource = TimeSource.standard
        /// As the app gave it.
        var proxy: [UInt8]?
        init() {}
    }

    struct FixedAddress: Sendable, Equatable, Codable {
        var address: UInt32
        var mask: UInt32
        var gateway: UInt32
        func holds(_ other: UInt32) -> Bool { (address ^ other) & mask == 0 }
    }

    enum TimeSource: Sendable, Equatable, Codable {
        case standard
        /// What DHCP names (option 42): in the emulated network nothing.
        case automatic(fallsBack: Bool)
        case custom([String], fallsBack: Bool)
    }

    /// The state of the device's link, for whoever makes it.
    public enum Link: Sendable, Equatable {
        case down
        /// With the address that the network gives.
        case dynamic
        case fixed(UInt32)
    }

    public struct TimeAnswer: Sendable, Equatable {
        var server: String
        var secondsBefore: Int64
        var seconds: Int64
        public init(server: String, secondsBefore: Int64, seconds: Int64) {
            (self.server, self.secondsBefore, self.seconds) = (server, secondsBefore, seconds)
        }
    }

    private static let interface = Array("wlan0".utf8)
    private static let wiredInterface = Array("eth0".utf8)

    /// An Ethernet adapter at a private network, in which nobody gives addresses. It is off until an app turns it on, and after a restart.
    private struct Wired {
        var isEnabled = false
        var fixed: FixedAddress?
        /// As of wlan0, without the internet.
        var status: UInt32 { isEnabled ? fixed == nil ? 3 : 7 : 0 }
    }

    private var saved: Saved
    private var wired: Wired?
    private var station: WiFiStation
    private var isEnabled = true
    private var hasReleased = false
    /// For whoever keeps the settings; called after each change of them.
    public var onChange: ((Saved) -> Void)?
    /// Somebody has asked for the time, or from elsewhere.
    public var timeHasChanged = false
    public private(set) var servesTime = false
    private(set) var servesAddresses = false
    public var lastTime: TimeAnswer?
    /// The service was reached, and the time is known.
    public var isOnline = false

    /// - Parameters:
    ///   - isOnAir: Whether the network that devices are made for can be heard; else the device is alone.
    ///   - hasEthernet: There is an adapter too, eth0.
    public init(_ saved: Saved?, around point: AccessPoint, isOnAir: Bool = true, hasEthernet: Bool = false) {
        self.saved = saved ?? Saved()
        wired = hasEthernet ? Wired() : nil
        station = WiFiStation(point, isOnAir: isOnAir, kept: saved?.wifi)
    }

    public var link: Link {
        guard isEnabled, station.connected != nil, !hasReleased else { return .down }
        return saved.fixed.map { .fixed($0.address) } ?? .dynamic
    }

    /// Of eth0, where there is one and it is on; 0 as long as nobody has given it one.
    public var wiredAddress: UInt32? { wired.flatMap { $0.isEnabled ? $0.fixed?.address ?? 0 : nil } }

    public var isTimeSynchronised: Bool { saved.isTimeSynchronised }

    /// In the order in which they are asked.
    /// - Parameter standard: The device's own.
    public func timeServers(standard: String) -> [String] {
        switch saved.timeSource {
        case .standard: [standard]
        case .automatic(let fallsBack): fallsBack ? [standard] : []
        case .custom(let servers, let fallsBack): servers + (fallsBack ? [standard] : [])
        }
    }

    // MARK: What apps ask

    /// - Parameter now: Unix seconds.
    public func answer(_ operation: ServiceOperation, _ input: [UInt8], at now: Int64) throws(Errno) -> ServiceAnswer {
        let before = saved
        defer {
            // What Wi-Fi keeps it keeps when it is told to.
            if station.kept != saved.wifi ?? [WiFiNetwork(factory: station.point)] { saved.wifi = station.kept }
            if saved != before { onChange?(saved) }
        }
        switch operation {
        case .networkInterfaces:
            let wireless = NetworkServices.record(NetworkServices.interface, isEnabled, medium: 1, saved.fixed)
            guard let wired else { return ServiceAnswer(1, wireless) }
            let cabled = NetworkServices.record(NetworkServices.wiredInterface, wired.isEnabled, medium: 2, wired.fixed)
            return ServiceAnswer(2, wireless + cabled)
        case .networkStatus:
            let isWired = try isWired(input)
            return ServiceAnswer(0, (isWired ? wired?.status ?? 0 : status).littleEndianBytes)
        case .networkEnable:
            let isOn = input[0] != 0
            if try isWired(Array(input.dropFirst().prefix { $0 != 0 })) { wired?.isEnabled = isOn } else { isEnabled = isOn }
        case .networkReady: return ServiceAnswer(isOnline && link != .down ? 1 : 0)
        case .timeSyncEnabled: return ServiceAnswer(saved.isTimeSynchronised ? 1 : 0)
        case .timeSyncEnable:
            saved.isTimeSynchronised = Bytes(input).u32(0) != 0
            timeHasChanged = true
        case .timeSource: try setTimeSource(input)
        case .lastTime:
            guard let lastTime else { throw .ENOENT }
            return ServiceAnswer(
                Int32(lastTime.server.utf8.count),
                lastTime.secondsBefore.littleEndianBytes + lastTime.seconds.littleEndianBytes + Array(lastTime.server.utf8))
        case .addressSet, .addressRelease, .addressRenew, .timeServerStart, .addressServerStart: try configure(operation, input)
        // Wi-Fi has none that can be set; that of the adapter stays as it is, too.
        case .hardwareAddress:
            _ = try isWired(input)
            throw .EPERM
        case .proxySet:
            guard NetworkServices.isProxy(input) else { throw .EINVAL }
            saved.proxy = input
        case .proxyGet:
            guard let proxy = saved.proxy else { throw .ENOENT }
            return ServiceAnswer(Int32(proxy.count), proxy)
        case .proxyStatus:
            let isOn = saved.proxy.map { (Bytes($0).u32(0) ?? 0) & 2 != 0 } ?? false
            return ServiceAnswer(isOn ? link == .down ? 3 : 5 : 0)
        default:
            guard isEnabled || operation == .wifiList else { throw .ENETDOWN }
            return try station.answer(operation, input, at: now)
        }
        return ServiceAnswer()
    }

    /// Interface up, connected, address, internet.
    private var status: UInt32 {
        guard isEnabled else { return 0 }
        guard station.connected != nil else { return 1 }
        return hasReleased ? 3 : isOnline ? 15 : 7
    }

    /// Whether an interface is eth0; it is wlan0 if not, or there is none of that name.
    private func isWired(_ name: [UInt8]) throws(Errno) -> Bool {
        if wired != nil, name == NetworkServices.wiredInterface { return true }
        guard name == NetworkServices.interface else { throw .ENOENT }
        return false
    }

    /// Enabled, medium (Wi-Fi, Ethernet), whether its address comes from DHCP; its name in 16 bytes.
    private static func record(_ name: [UInt8], _ isEnabled: Bool, medium: UInt8, _ fixed: FixedAddress?) -> [UInt8] {
        [isEnabled ? 1 : 0, medium, fixed == nil ? 1 : 0, 0] + name + [UInt8](repeating: 0, count: 16 - name.count)
    }

    /// Kind, whether the standard server is asked where no other answers; then names, each with a zero behind it.
    private func setTimeSource(_ input: [UInt8]) throws(Errno) {
        let fields = Bytes(input)
        guard let kind = fields.u32(0), let option = fields.u32(4), option <= 1 else { throw .EINVAL }
        let names = input.dropFirst(8).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        switch kind {
        case 0: saved.timeSource = .standard
        case 1: saved.timeSource = .automatic(fallsBack: option == 1)
        case 2:
            guard (1...2).contains(names.count) else { throw .EINVAL }
            guard names.allSatisfy({ $0.utf8.count <= 255 }) else { throw .ERANGE }
            saved.timeSource = .custom(names, fallsBack: option == 1)
        default: throw .EINVAL
        }
        timeHasChanged = true
    }

    /// The interface's name in 16 bytes, then words.
    private func configure(_ operation: ServiceOperation, _ input: [UInt8]) throws(Errno) {
        let isWired = try isWired(Array(input.prefix(16).prefix { $0 != 0 }))
        let current = isWired ? wired?.fixed : saved.fixed
        let fields = Bytes(Array(input.dropFirst(16)))
        func word(_ index: Int) -> UInt32 { fields.u32(index * 4) ?? 0 }
        switch operation {
        case .addressSet:
            guard word(4) <= 3 else { throw .EINVAL }
            let fixed = FixedAddress(address: word(1), mask: word(2), gateway: word(3))
            if word(0) != 0, fixed.address == 0 || fixed.mask == 0 { throw .EPERM }
            let wanted = word(0) == 0 ? nil : fixed
            if isWired {
                wired?.fixed = wanted
                return
            }
            saved.fixed = wanted
            saved.nameServers = (0..<Int(word(4))).map { word(5 + $0) }
            hasReleased = false
        case .addressRelease, .addressRenew:
            if current != nil { throw .EPERM }
            if !isWired { hasReleased = operation == .addressRelease }
        case .timeServerStart: servesTime = true
        default:
            // Who gives addresses has one of its own that does not change.
            guard let fixed = current else { throw .EPERM }
            let (last, isTooFar) = word(0).addingReportingOverflow(word(1) &- 1)
            guard (1...255).contains(word(1)), !isTooFar, fixed.mask == word(2), fixed.holds(word(0)), fixed.holds(last),
                word(4) > 0, word(5) <= 3
            else { throw .EINVAL }
            servesAddresses = true
        }
    }

    /// Options, port, type, authentication; lengths of address, user, password and exceptions, each with its limit; those.
    private static func isProxy(_ input: [UInt8]) -> Bool {
        let fields = Bytes(input)
        var length = 32
        for (index, most) in [255, 63, 63, 255].enumerated() {
            guard let count = fields.u32(16 + index * 4), count <= most else { return false }
            length += Int(count)
        }
        return input.count == length && (fields.u32(4) ?? .max) <= 0xFFFF
    }
}

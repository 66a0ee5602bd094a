import Exchange
import Kernel
import Silicon
public import Wire

/// What apps have set, which outlasts them: certificates, and how the device is connected; and what comes of it on the network.
extension AppHost {
    static let usualLink = NetworkServices.Link.dynamic

    /// Reads what is in flash, before anything starts.
    public func loadSettings() throws {
        let path = settings.statePath
        let networkStorage = try MutableStorage(path: path + "/network.bin", flash: flash)
        let saved = networkStorage.content.flatMap { JSON.decode(NetworkServices.Saved.self, $0) }
        let around = settings.wifi.map { AccessPoint(ssid: $0.ssid, key: $0.key) }
        let network = NetworkServices(saved, around: around ?? .standard)
        network.onChange = { saved in _ = networkStorage.keep(JSON.encode(saved)) }
        services.network = network
        let certificateStorage = try MutableStorage(
            path: path + "/certificates.bin", flash: flash, longest: CertificateServices.longestEncoding)
        services.certificates = CertificateServices(certificateStorage.content ?? [])
        services.certificates.onChange = { bytes in _ = certificateStorage.keep(bytes) }
    }

    /// Makes of the settings what the network is to see; true if others are to tell the time.
    public mutating func applySettings(_ out: inout Outbox) -> Bool {
        guard let network = services.network else { return false }
        if network.link != link {
            link = network.link
            switch link {
            case .down: out.act(.link(isUp: false, nil))
            case .dynamic: out.act(.link(isUp: true, nil))
            case .fixed(let address): out.act(.link(isUp: true, Address(bits: address)))
            }
        }
        if network.servesTime, !isListeningForTime {
            isListeningForTime = true
            out.act(.listen(port: settings.timePort))
        }
        defer { network.timeHasChanged = false }
        return network.timeHasChanged
    }

    /// An app has started a time server (NET-7).
    public var servesTime: Bool { services.network?.servesTime == true }
    public var isLinkDown: Bool { services.network?.link == .down }
    public var isTimeSynchronised: Bool { services.network?.isTimeSynchronised ?? true }

    /// Who tells this device the time; nobody if it is not to be set.
    /// - Parameter standard: Where an app has named nobody.
    public func timeServers(standard: String) -> [String] {
        isTimeSynchronised ? services.network?.timeServers(standard: standard) ?? [standard] : []
    }

    /// What a server's answer was, for whoever asks. In Unix seconds.
    public func noteTime(server: String, before: Int64, after: Int64) {
        services.network?.lastTime = .init(server: server, secondsBefore: before, seconds: after)
    }
}

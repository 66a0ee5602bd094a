public import Formats

/// What an app's manifest lets it have.
public struct Grants: Sendable {
    var pins: Set<Int>
    /// By the words of manifests: `ISU0`, `PWM-CONTROLLER-2`.
    private var peripherals: [String: Set<String>]
    var flags: Set<String> = []
    var mutableBytes: Int
    var hosts: [String]
    var tcpPorts: Set<Int>
    var udpPorts: Set<Int>
    var components: Set<String>
    var powerControls: Set<String>
    public private(set) var tenant: String?

    public init(_ manifest: AppManifest) {
        pins = Set(manifest.names("Gpio").compactMap { Int($0) })
        peripherals = Dictionary(
            uniqueKeysWithValues: ["Adc", "Pwm", "I2cMaster", "SpiMaster", "Uart"].map { ($0, Set(manifest.names($0))) })
        for name in manifest.capabilities.keys where manifest.isOn(name) { flags.insert(name) }
        if case .kibibytes(let size)? = manifest.capabilities["MutableStorage"] { mutableBytes = size << 10 } else { mutableBytes = 0 }
        hosts = manifest.names("AllowedConnections")
        tcpPorts = Set(manifest.names("AllowedTcpServerPorts").compactMap { Int($0) })
        udpPorts = Set(manifest.names("AllowedUdpServerPorts").compactMap { Int($0) })
        components = Set(manifest.names("AllowedApplicationConnections"))
        powerControls = Set(manifest.names("PowerControls"))
        if case .text(let tenant)? = manifest.capabilities["DeviceAuthentication"] { self.tenant = tenant }
    }

    func has(_ capability: String, _ name: String) -> Bool { peripherals[capability]?.contains(name) ?? false }
}

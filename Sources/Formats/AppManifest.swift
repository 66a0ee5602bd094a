import FoundationEssentials

/// `app_manifest.json`, schema version 1 (azure-sphere §2.3).
public struct AppManifest: Sendable, Equatable {
    /// Booleans, names, numbers: what a capability may hold.
    public enum Capability: Sendable, Equatable {
        case flag(Bool)
        case names([String])
        case numbers([Int])
        case text(String)
        /// Of MutableStorage.
        case kibibytes(Int)

        /// Each thing that it lists; none where it is no list.
        var items: [String] {
            switch self {
            case .names(let names): names
            case .numbers(let numbers): numbers.map(String.init)
            default: []
            }
        }
    }

    public var name: String
    public var componentID: String
    public var entryPoint: String
    public var arguments: [String]
    public var applicationType: String
    public var capabilities: [String: Capability]
    public let claims: PeripheralClaims
    /// What it asks for that is not modelled, each with what is missing.
    public let warnings: [String]

    /// A refusal with the original's number: (category 2, AppManifest) << 20 + id (OS-14).
    public struct Refusal: Error, Equatable, Sendable {
        public let code: Int
        public let reason: String
        init(_ id: Int, _ reason: String) {
            code = 2 << 20 | id
            self.reason = reason
        }
    }

    public var isRealTime: Bool { applicationType == "RealTimeCapable" }

    public func isOn(_ capability: String) -> Bool { capabilities[capability] == .flag(true) }
    public func names(_ capability: String) -> [String] { capabilities[capability]?.items ?? [] }

    public init(json: [UInt8]) throws(Refusal) {
        guard let root = try? JSONDecoder().decode(JSONValue.self, from: Data(json)) else { throw Refusal(1, "it is no JSON") }
        guard case .object(let fields) = root else { throw Refusal(1, "it is no JSON object") }
        guard let version = fields["SchemaVersion"] else { throw Refusal(4, "SchemaVersion is missing") }
        guard version == .integer(1) else { throw Refusal(17, "SchemaVersion is not 1") }
        guard let entry = fields["EntryPoint"] else { throw Refusal(3, "EntryPoint is missing") }
        guard case .string(let path) = entry else { throw Refusal(16, "EntryPoint is no text") }
        guard path.hasPrefix("/") else { throw Refusal(16, "EntryPoint '\(path)' does not begin with '/'") }
        guard !path.contains("..") else { throw Refusal(22, "EntryPoint '\(path)' leads out of the image") }
        guard let component = fields["ComponentId"] else { throw Refusal(2, "ComponentId is missing") }
        guard case .string(let id) = component, GUID(id) != nil else { throw Refusal(7, "ComponentId is no GUID") }
        guard let arguments = (fields["CmdArgs"] ?? .array([])).strings else { throw Refusal(5, "CmdArgs is no list of texts") }
        let type = fields["ApplicationType"] ?? .string("Default")
        guard case .string(let kind) = type else { throw Refusal(26, "ApplicationType is no text") }
        guard ["Default", "RealTimeCapable", "Debugger"].contains(kind) else { throw Refusal(27, "ApplicationType '\(kind)' is unknown") }
        if let allocator = fields["MallocVersion"], allocator != .integer(1), allocator != .integer(2) {
            throw Refusal(59, "MallocVersion is neither 1 nor 2")
        }
        guard case .object(let wanted) = fields["Capabilities"] ?? .object([:]) else { throw Refusal(6, "Capabilities is no object") }
        for (field, id) in [("LinuxCapabilities", 21), ("SupplementaryGroups", 20)] where fields[field] != nil || wanted[field] != nil {
            throw Refusal(id, "\(field) is not for customers' apps")
        }
        var capabilities: [String: Capability] = [:]
        for (name, value) in wanted.sorted(by: { $0.key < $1.key }) { capabilities[name] = try AppManifest.capability(name, value) }
        if capabilities["SoftwareUpdateDeferral"] == .flag(true), capabilities["SystemEventNotifications"] != .flag(true) {
            throw Refusal(47, "SoftwareUpdateDeferral needs SystemEventNotifications")
        }
        if case .string(let name)? = fields["Name"] { self.name = name } else { name = "" }
        (componentID, entryPoint, self.arguments, applicationType) = (id, path, arguments, kind)
        self.capabilities = capabilities
        warnings = AppManifest.gaps(capabilities, allocator: fields["MallocVersion"])
        do { claims = try PeripheralClaims(capabilities) } catch {
            throw Refusal(AppManifest.peripherals[error.capability] ?? 10, error.words)
        }
    }

    /// What stands for the manifest of a program that has none: nothing is kept from it, and nothing is granted to it alone.
    /// - Parameters:
    ///   - path: Of the program in its package.
    ///   - component: A GUID.
    public init(ordinaryProgram path: String, name: String, component: String) {
        (self.name, componentID, entryPoint, arguments, applicationType) = (name, component, path, [], "Default")
        (capabilities, warnings, claims) = ([:], [], PeripheralClaims())
    }

    // MARK: Capabilities

    /// Those that are true or false, with the number that says they are neither.
    private static let flags: [String: Int] = [
        "NetworkConfig": 11, "WifiConfig": 15, "EnterpriseWifiConfig": 45, "TimeSyncConfig": 40, "SystemTime": 30, "DhcpService": 41,
        "SntpService": 42, "CertStore": 44, "SystemEventNotifications": 46, "SoftwareUpdateDeferral": 47, "HardwareAddressConfig": 51,
        "ReadNetworkProxyConfig": 56, "ResetMemoryWatermarks": 57, "HeapMemStats": 58,
    ]
    /// Peripherals that only one app can have. Which number is whose is known for pins alone; the rest is assumed.
    private static let peripherals: [String: Int] = [
        "Gpio": 10, "Uart": 13, "I2cMaster": 18, "SpiMaster": 18, "I2sSubordinate": 18, "Pwm": 35, "Adc": 35,
    ]
    private static let powerControls = ["ForceReboot", "ForcePowerDown", "SetPowerProfile"]

    private static func capability(_ name: String, _ value: JSONValue) throws(Refusal) -> Capability {
        if let id = flags[name] {
            guard case .bool(let isOn) = value else { throw Refusal(id, "\(name) is neither true nor false") }
            return .flag(isOn)
        }
        if let id = peripherals[name] { return try peripheral(name, value, id) }
        switch name {
        case "ExternalInterrupt": return try externalInterrupts(value)
        case "AllowedConnections":
            guard let hosts = value.strings else { throw Refusal(9, "AllowedConnections is no list of host names") }
            if let bad = hosts.first(where: { $0.isEmpty || $0.contains("*") || $0.contains(":") }) {
                throw Refusal(9, "AllowedConnections: '\(bad)' is no host name or address")
            }
            return .names(hosts)
        case "AllowedTcpServerPorts": return .numbers(try ports(name, value, (36, 37)))
        case "AllowedUdpServerPorts": return .numbers(try ports(name, value, (38, 39)))
        case "AllowedApplicationConnections":
            guard let components = value.strings, components.allSatisfy({ GUID($0) != nil }) else {
                throw Refusal(43, "AllowedApplicationConnections is no list of component IDs")
            }
            return .names(components.map { $0.lowercased() })
        case "DeviceAuthentication":
            guard case .string(let tenant) = value else { throw Refusal(24, "DeviceAuthentication is no text") }
            guard tenant.utf8.count <= 63 else { throw Refusal(28, "DeviceAuthentication is longer than 63 characters") }
            guard GUID(tenant) != nil else { throw Refusal(29, "DeviceAuthentication is no GUID") }
            return .text(tenant)
        case "MutableStorage": return .kibibytes(try storage(value))
        case "PowerControls":
            guard let words = value.strings, !words.isEmpty else { throw Refusal(48, "PowerControls is no list, or empty") }
            guard words.allSatisfy(powerControls.contains) else {
                throw Refusal(49, "PowerControls: there are \(powerControls.joined(separator: ", "))")
            }
            guard Set(words).count == words.count else { throw Refusal(50, "PowerControls has one twice") }
            return .names(words)
        default: throw Refusal(6, "there is no capability '\(name)'")
        }
    }

    private static func peripheral(_ name: String, _ value: JSONValue, _ id: Int) throws(Refusal) -> Capability {
        guard case .array(let items) = value else { throw Refusal(id, "\(name) is no list") }
        let numbers = items.compactMap { $0.asInteger.map { Int($0) } }
        if numbers.count == items.count {
            guard Set(numbers).count == numbers.count else { throw Refusal(id, "\(name) has one twice") }
            return .numbers(numbers)
        }
        guard let names = value.strings else { throw Refusal(id, "\(name) mixes numbers and names") }
        guard Set(names).count == names.count else { throw Refusal(id, "\(name) has one twice") }
        if let name = names.first(where: { $0.hasPrefix("$") }) {
            throw Refusal(id, "'\(name)' is a name of a hardware definition, which is resolved when an image is packed")
        }
        return .names(names)
    }

    private static func ports(_ name: String, _ value: JSONValue, _ ids: (Int, Int)) throws(Refusal) -> [Int] {
        guard case .array(let items) = value else { throw Refusal(ids.0, "\(name) is no list") }
        let numbers = items.compactMap(\.asInteger).filter { (1...65_535).contains($0) }.map { Int($0) }
        guard numbers.count == items.count, Set(numbers).count == numbers.count else {
            throw Refusal(ids.1, "\(name): ports are numbers from 1 to 65535, each once")
        }
        return numbers
    }

    private static func storage(_ value: JSONValue) throws(Refusal) -> Int {
        guard case .object(let fields) = value else { throw Refusal(31, "MutableStorage is no object") }
        guard let size = fields["SizeKB"] else { throw Refusal(32, "MutableStorage has no SizeKB") }
        guard let kibibytes = size.asInteger.map({ Int($0) }) else { throw Refusal(33, "SizeKB is no number") }
        guard (0...64).contains(kibibytes) else { throw Refusal(34, "SizeKB is not from 0 to 64") }
        return kibibytes
    }
}

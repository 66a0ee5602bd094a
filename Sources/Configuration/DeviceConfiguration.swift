public import Catalogue
public import Wire

public struct DeviceConfiguration: Sendable, Equatable, Codable {
    public var setting: NodeSetting
    public var kind: DeviceKind = .mt3620
    /// Which hardware images must be for, in hex.
    public var hardwareID = ""
    /// What tells this board's TPM from all others; nil for its name.
    public var boardSerial: String?
    public var names: CatalogNames
    public var product: String
    public var apps: [String]
    /// What is on the pins of its real-time cores, such as `led@gpio8`.
    public var attachments: [String] = []
    /// What DNS tells of services; nil for nothing.
    public var services: [AdvertisedService]?
    /// The Wi-Fi network around it; nil for the one that devices are made for.
    public var wifi: WiFi?
    /// Private pages of a high-level app; nil for the original's 256 KiB.
    public var appMemoryKiB: Int?
    /// Products whose devices this one talks to and serves.
    public var allowedProducts: [String]
    /// Devices that this one calls.
    public var peersToCall: [String]
    public var callEveryNanoseconds: Int64
    /// How often it asks for updates: 20 hours in the original (UP-2).
    public var updateEveryNanoseconds: Int64
    /// How often it tells the service that it is there.
    public var telemetryEveryNanoseconds = DeviceConfiguration.usualTelemetryNanoseconds
    /// How long its app puts an update off when it is told of one (UP-7); 0 for not at all.
    public var deferUpdatesNanoseconds: Int64
    public var controlsOff: [Control]
    public var cryptoCost: CryptoCost
    public var baseImagePath: String
    /// The mask ROM of the security core, as an ELF program.
    public var romPath: String
    /// A fault that somebody makes when the device gets power, such as `1234:skip`.
    public var bootGlitch: String?
    /// Digests of images in its flash that somebody has changed on the bench, in hex.
    public var benchMarks: [String] = []
    public var statePath: String
    /// What a technician has sent to it before it starts; nil for nothing.
    public var recovery: RecoveryOrder?
    /// A secret shared by the whole fleet: what `certificate-auth` replaces.
    public var sharedSecret: String
    /// SHA-256, in hex, of the key that signs boot images: what the factory fuses into a new chip.
    public var bootKeyHash: String
    /// User and password of the factory's console, the same in the whole product.
    public var consoleLogin: String

    public static let factoryLogin = "root:xc3511"
    /// An hour.
    public static let usualTelemetryNanoseconds: Int64 = 3_600_000_000_000

    public init(
        setting: NodeSetting, names: CatalogNames, product: String, apps: [String], allowedProducts: [String],
        peersToCall: [String], callEveryNanoseconds: Int64, updateEveryNanoseconds: Int64, deferUpdatesNanoseconds: Int64,
        controlsOff: [Control], cryptoCost: CryptoCost, baseImagePath: String, romPath: String, statePath: String, sharedSecret: String,
        bootKeyHash: String, consoleLogin: String = DeviceConfiguration.factoryLogin
    ) {
        self.consoleLogin = consoleLogin
        self.updateEveryNanoseconds = updateEveryNanoseconds
        self.deferUpdatesNanoseconds = deferUpdatesNanoseconds
        self.setting = setting
        self.names = names
        self.product = product
        self.apps = apps
        self.allowedProducts = allowedProducts
        self.peersToCall = peersToCall
        self.callEveryNanoseconds = callEveryNanoseconds
        self.controlsOff = controlsOff
        self.cryptoCost = cryptoCost
        self.baseImagePath = baseImagePath
        self.romPath = romPath
        self.statePath = statePath
        self.sharedSecret = sharedSecret
        self.bootKeyHash = bootKeyHash
    }
}

extension DeviceConfiguration {
    /// The folder of the files that a technician sends to a device with this flash content.
    /// - Parameter step: For which newer images were made than those that left the factory; empty for these.
    public static func recoveryFolder(ofImage path: String, for step: String = "") -> String {
        path.replacing(/\.flash$/, with: "-recovery" + (step.isEmpty ? "" : "-\(step)"))
    }
    public func recoveryFolder(for step: String = "") -> String { DeviceConfiguration.recoveryFolder(ofImage: baseImagePath, for: step) }
}

/// One recovery over the debug UART: the files that are sent, in their order.
public struct RecoveryOrder: Sendable, Equatable, Codable {
    /// Of the device's process; those that are started later find the work done.
    public var generation: UInt32
    public var files: [String]
    public init(generation: UInt32, files: [String]) {
        self.generation = generation
        self.files = files
    }
}

/// A board of the same make as a device's, with a TPM of its own: what somebody buys who wants to put a copy of its flash on one.
public enum SpareBoard {
    public static let file = "spare-tpm.bin"
    public static func serial(of device: String) -> String { "spare of \(device)" }
}

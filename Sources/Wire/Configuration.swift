/// What each process is told before it starts, as a JSON file in its state folder.

/// How long this silicon takes for each cryptographic operation, in virtual time.
///
/// Defaults are our estimate for a 500 MHz Cortex-A7 beside an accelerator; no figure for the MT3620 is public.
public struct CryptoCost: Sendable, Equatable, Codable {
    public var signNanoseconds: Int64
    public var verifyNanoseconds: Int64
    public var agreeNanoseconds: Int64

    public init(signNanoseconds: Int64, verifyNanoseconds: Int64, agreeNanoseconds: Int64) {
        self.signNanoseconds = signNanoseconds
        self.verifyNanoseconds = verifyNanoseconds
        self.agreeNanoseconds = agreeNanoseconds
    }

    public static let microcontroller = CryptoCost(
        signNanoseconds: 6_000_000, verifyNanoseconds: 9_000_000, agreeNanoseconds: 7_000_000)
    public static let server = CryptoCost(
        signNanoseconds: 20_000, verifyNanoseconds: 60_000, agreeNanoseconds: 40_000)
}

/// What every node knows of the run.
public struct NodeSetting: Sendable, Equatable, Codable {
    public var name: String
    public var seed: UInt64
    public var clock: ClockKind
    /// Unix time, in seconds, at the start of the run.
    public var epochSeconds: Int64
    /// Where a TLS key log goes (NSS format), if the plan asks for one.
    public var keyLogPath: String?

    public init(name: String, seed: UInt64, clock: ClockKind, epochSeconds: Int64, keyLogPath: String? = nil) {
        self.name = name
        self.seed = seed
        self.clock = clock
        self.epochSeconds = epochSeconds
        self.keyLogPath = keyLogPath
    }

    /// What replaces the random source of this node's cryptography in a virtual run; nil on the wall clock, where
    /// the real one stays.
    public func cryptoDraws(generation: UInt32) -> SeedStream? {
        guard clock == .virtual else { return nil }
        return SeedStream(seed: seed, node: name, purpose: "crypto", generation: Int(generation))
    }

    /// The time of day that a perfect clock shows.
    public func unixSeconds(at now: Instant) -> Int64 { epochSeconds + now.nanoseconds / 1_000_000_000 }
}

/// The catalog that a fleet belongs to, and its names: device `d` is `d.<catalog>.internal`.
public struct CatalogNames: Sendable, Equatable, Codable {
    public var catalog: String
    public init(catalog: String) { self.catalog = catalog }
    public func host(_ node: String) -> String { "\(node).\(catalog).internal" }
    public var service: String { host("service") }
}

public enum ServicePort {
    /// Attestation and enrolment: the service shows a certificate, the device shows evidence.
    public static let enrolment: UInt16 = 443
    /// Everything else: both sides show certificates.
    public static let mutual: UInt16 = 8443
    /// Device to device.
    public static let peer: UInt16 = 4443
    /// Update metadata and images, in clear as on any content network: what protects them is in them (NET-3, TUF).
    public static let updates: UInt16 = 80
    /// Time of day (RFC 5905), as datagrams.
    public static let time: UInt16 = 123
    /// The device's REST interface, on the cable that is plugged into it and nowhere else (REST-1).
    public static let deviceREST: UInt16 = 0
    /// The debug UART of a chip that comes out of reset with RTS held: recovery mode, and nothing else (HW-26).
    public static let recovery: UInt16 = 1
    /// The console that the factory used, and forgot.
    public static let console: UInt16 = 23
}

public struct DeviceConfiguration: Sendable, Equatable, Codable {
    public var setting: NodeSetting
    public var names: CatalogNames
    public var product: String
    public var apps: [String]
    /// What is on the pins of its real-time cores, such as `led@gpio8`.
    public var attachments: [String] = []
    /// What DNS tells of services; nil for nothing.
    public var services: [AdvertisedService]?
    /// The Wi-Fi network around it; nil for the one that devices are made for.
    public var wifi: NetworkSpec.WiFi?
    /// Private pages of a high-level app; nil for the original's 256 KiB.
    public var appMemoryKiB: Int?
    /// Products whose devices this one talks to and serves.
    public var allowedProducts: [String]
    /// Devices that this one calls.
    public var peersToCall: [String]
    public var callEveryNanoseconds: Int64
    /// How often it asks for updates: 20 hours in the original (UP-2).
    public var updateEveryNanoseconds: Int64
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

    public init(
        setting: NodeSetting, names: CatalogNames, product: String, apps: [String], allowedProducts: [String],
        peersToCall: [String], callEveryNanoseconds: Int64, updateEveryNanoseconds: Int64, deferUpdatesNanoseconds: Int64,
        controlsOff: [Control], cryptoCost: CryptoCost, baseImagePath: String, romPath: String, statePath: String, sharedSecret: String,
        bootKeyHash: String, consoleLogin: String = "root:xc3511"
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

public struct ServiceConfiguration: Sendable, Equatable, Codable {
    public var setting: NodeSetting
    public var names: CatalogNames
    public var controlsOff: [Control]
    public var databasePath: String
    /// Folder with the certification authorities that the factory made.
    public var authorityPath: String
    /// Measurements that the policy accepts: image type and SHA-256 in hex.
    public var referenceMeasurements: [ReferenceMeasurement]
    public var sharedSecret: String
    /// Which silicon images are for, in hex (RFC 9783 implementation ID).
    public var hardwareID: String
    /// By the name of the device group.
    public var groups: [String: GroupSettings]
    /// Programs that enrol with a secret in place of evidence, by their names (RFC 7030 section 3.2.3).
    public var clients: [String: String]

    public init(
        setting: NodeSetting, names: CatalogNames, controlsOff: [Control], databasePath: String,
        authorityPath: String, referenceMeasurements: [ReferenceMeasurement], sharedSecret: String, hardwareID: String,
        groups: [String: GroupSettings], clients: [String: String] = [:]
    ) {
        self.clients = clients
        self.groups = groups
        self.hardwareID = hardwareID
        self.setting = setting
        self.names = names
        self.controlsOff = controlsOff
        self.databasePath = databasePath
        self.authorityPath = authorityPath
        self.referenceMeasurements = referenceMeasurements
        self.sharedSecret = sharedSecret
    }
}

/// One digest that the verifier accepts for one kind of image (RFC 9334: reference value).
public struct ReferenceMeasurement: Sendable, Equatable, Codable {
    public var type: UInt32
    public var sha256: String
    public init(type: UInt32, sha256: String) {
        self.type = type
        self.sha256 = sha256
    }
}

/// What a fault does to a device's clock: set it forward, or let it run fast.
public struct ClockChange: Sendable, Equatable, Codable {
    public var jumpNanoseconds: Int64
    public var driftPartsPerBillion: Int64?
    public init(jumpNanoseconds: Int64 = 0, driftPartsPerBillion: Int64? = nil) {
        self.jumpNanoseconds = jumpNanoseconds
        self.driftPartsPerBillion = driftPartsPerBillion
    }
}

/// What a fault does to a device's flash: so many bits of its images change.
public struct FlashRot: Sendable, Equatable, Codable {
    public var bits: Int
    public var seed: UInt64
    /// The fault's step, for the journal.
    public var instance: String
    public init(bits: Int, seed: UInt64, instance: String) {
        self.instance = instance
        self.bits = bits
        self.seed = seed
    }
}

/// The body of a policy image: whom a device believes.
public struct DevicePolicy: Sendable, Equatable, Codable {
    /// Roots of update metadata, in base64.
    public var directorRoot: String
    public var imageRoot: String
    /// The key that attestation results are signed with, in hex.
    public var verifierKey: String
    public init(directorRoot: String, imageRoot: String, verifierKey: String) {
        self.directorRoot = directorRoot
        self.imageRoot = imageRoot
        self.verifierKey = verifierKey
    }
}

/// What the operator says to the service when a device comes out of its box.
public struct Claim: Sendable, Equatable, Codable {
    public var deviceID: String
    public var name: String
    public var product: String
    public var group: String
    public init(deviceID: String, name: String, product: String, group: String) {
        self.deviceID = deviceID
        self.name = name
        self.product = product
        self.group = group
    }
}

/// A service that a node offers, as DNS service discovery tells of it (RFC 6763).
public struct AdvertisedService: Sendable, Equatable, Codable {
    public var instance: String
    /// With its domain, such as `_http._tcp.example.com`.
    public var type: String
    public var host: String
    public var port: UInt16
    public var text: [String]
    public init(instance: String, type: String, host: String, port: UInt16, text: [String]) {
        (self.instance, self.type, self.host, self.port, self.text) = (instance, type, host, port, text)
    }
}

public struct NetworkSpec: Sendable, Equatable, Codable {
    /// What devices hear of it on the air; an open network without a key.
    public struct WiFi: Sendable, Equatable, Codable {
        public var ssid: String
        public var key: String?
        public init(ssid: String, key: String?) { (self.ssid, self.key) = (ssid, key) }
    }
    /// Nil for the network that devices are made for.
    public var wifi: WiFi?
    public var name: String
    public var latencyNanoseconds: Int64
    public var jitterNanoseconds: Int64
    public var bitsPerSecond: Int64?
    public var lossRatio: Double

    public init(
        name: String, latencyNanoseconds: Int64, jitterNanoseconds: Int64 = 0, bitsPerSecond: Int64? = nil,
        lossRatio: Double = 0
    ) {
        self.name = name
        self.latencyNanoseconds = latencyNanoseconds
        self.jitterNanoseconds = jitterNanoseconds
        self.bitsPerSecond = bitsPerSecond
        self.lossRatio = lossRatio
    }
}

public struct NodeSpec: Sendable, Equatable, Codable {
    public enum Role: String, Sendable, Codable { case device, service, gateway }
    public var name: String
    public var role: Role
    public var network: String
    public var address: Address
    public var host: String
    /// Under which others find it too; `*.example.com` for all below that have no name of their own.
    public var names: [String]
    public var powerOnNanoseconds: Int64
    public var product: String
    public var group: String

    public init(
        name: String, role: Role, network: String, address: Address, host: String, names: [String] = [],
        powerOnNanoseconds: Int64 = 0, product: String = "", group: String = ""
    ) {
        self.names = names
        self.name = name
        self.role = role
        self.network = network
        self.address = address
        self.host = host
        self.powerOnNanoseconds = powerOnNanoseconds
        self.product = product
        self.group = group
    }
}

/// A door between the emulated network and TCP on loopback, on the wall clock only.
public struct GatewayConfiguration: Sendable, Equatable, Codable {
    public struct Door: Sendable, Equatable, Codable {
        /// On 127.0.0.1; 0 for one that the system chooses.
        public var port: UInt16
        /// The node that it leads to, by its name on the emulated network, and the port there.
        public var host: String
        public var targetPort: UInt16
        public init(port: UInt16, host: String, targetPort: UInt16) {
            self.port = port
            self.host = host
            self.targetPort = targetPort
        }
    }

    /// The other way: a port of the gateway's on the emulated network, and one on 127.0.0.1 that it leads to.
    public struct Exit: Sendable, Equatable, Codable {
        public var port: UInt16
        public var targetPort: UInt16
        public init(port: UInt16, targetPort: UInt16) { (self.port, self.targetPort) = (port, targetPort) }
    }

    public var setting: NodeSetting
    public var doors: [Door]
    public var exits: [Exit]
    public init(setting: NodeSetting, doors: [Door], exits: [Exit]) {
        self.setting = setting
        self.doors = doors
        self.exits = exits
    }
}

/// What adversaries have stolen before the run (DESIGN §8: "what it needs"). Keys are private scalars in hex,
/// certificates DER in base64.
public struct Loot: Sendable, Equatable, Codable {
    /// Found in a device that was taken apart.
    public var sharedSecret = ""
    /// The service's certificate of last month with its chain, and its key.
    public var expiredServiceChain: [String] = []
    public var expiredServiceKey = ""
    public var catalogCAChain: [String] = []
    public var catalogCAKey = ""
    /// By repository and role, such as `director-targets-1`.
    public var updateKeys: [String: String] = [:]
    /// Programs of apps, in hex, as their vendors publish them.
    public var firmware: [String: String] = [:]
    /// Component IDs of apps, as their manifests have them.
    public var components: [String: String] = [:]
    public init() {}
}

/// What the injector is told. It holds no control: an attack cannot know which are on.
public struct ThreatConfiguration: Sendable, Equatable, Codable {
    public var setting: NodeSetting
    public var names: CatalogNames
    public var networks: [NetworkSpec]
    public var links: [[String]]
    public var nodes: [NodeSpec]
    public var steps: [Step]
    public var stop: Instant
    public var loot: Loot
    /// Streams are recorded as pcapng.
    public var capture: Bool

    public init(
        setting: NodeSetting, names: CatalogNames, networks: [NetworkSpec], links: [[String]], nodes: [NodeSpec],
        steps: [Step], stop: Instant, loot: Loot, capture: Bool = false
    ) {
        self.setting = setting
        self.names = names
        self.networks = networks
        self.links = links
        self.nodes = nodes
        self.steps = steps
        self.stop = stop
        self.loot = loot
        self.capture = capture
    }
}

public import Catalogue
public import Wire

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
    /// Which hardware images for a kind of device are for, in hex (RFC 9783 implementation ID), by the kind's name.
    public var hardware: [String: String]
    /// By the name of the device group.
    public var groups: [String: GroupSettings]
    /// Programs that enrol with a secret in place of evidence, by their names (RFC 7030 section 3.2.3).
    public var clients: [String: String]
    /// How often each device tells that it is there, as far as that is not hourly, by its name.
    public var telemetryNanoseconds: [String: Int64] = [:]

    public init(
        setting: NodeSetting, names: CatalogNames, controlsOff: [Control], databasePath: String,
        authorityPath: String, referenceMeasurements: [ReferenceMeasurement], sharedSecret: String, hardware: [String: String],
        groups: [String: GroupSettings], clients: [String: String] = [:]
    ) {
        self.clients = clients
        self.groups = groups
        self.hardware = hardware
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
public struct ReferenceMeasurement: Sendable, Hashable, Codable {
    /// Which hardware it is for, in hex.
    public var hardware: String
    public var type: UInt32
    public var sha256: String
    public init(hardware: String, type: UInt32, sha256: String) {
        self.hardware = hardware
        self.type = type
        self.sha256 = sha256
    }
}

/// A kind of device, by its name in topologies. Each has a description of its own, `Kinds/NAME.swift`.
public enum DeviceKind: String, Sendable, Codable, CaseIterable {
    case mt3620
    case linuxTPM = "linux-tpm"
    case linuxPlain = "linux-plain"

    public var description: DeviceKindDescription {
        switch self {
        case .mt3620: .mt3620
        case .linuxTPM: .linuxTPM
        case .linuxPlain: .linuxPlain
        }
    }
}

/// What a campaign may ask of a device, and not every kind has.
public enum DeviceFeature: String, Sendable, Codable, CaseIterable {
    case realTimeCores = "real-time cores"
    case pins = "pins for attachments"
    case enclave = "enclave that answers to programs"
    case securityMonitor = "security monitor"
    case bootROM = "boot code that checks signatures"
    case recoveryCable = "cable for recovery"
    case manifests = "app manifests"
    case trustedKeystore = "keystore of its own"
}

/// All that is to be known of a kind of device beside its code: for `orrery kinds`, for reading plans, and for what protects it.
public struct DeviceKindDescription: Sendable {
    public var summary: String
    public var features: Set<DeviceFeature>
    /// Protections that it is made without. What it does without them is what devices do with the control switched off.
    public var lacks: [Control]
    /// Where its secrets are.
    public var keys: String
    /// What the verifier hears of its software.
    public var evidence: String
    public var updateChannel: UpdateChannel
    /// Which hardware images must be for: the same name, the same images.
    public var hardware: String

    public init(
        summary: String, features: Set<DeviceFeature>, lacks: [Control], keys: String, evidence: String, updateChannel: UpdateChannel,
        hardware: String
    ) {
        (self.summary, self.features, self.lacks, self.keys) = (summary, features, lacks, keys)
        (self.evidence, self.updateChannel, self.hardware) = (evidence, updateChannel, hardware)
    }
}

/// How a device gets what is new.
public enum UpdateChannel: String, Sendable {
    /// From a mirror that anybody may be, since all of it is signed.
    case repository = "The Update Framework, over plain HTTP"
    /// From the service, and believed because it comes from there.
    case service = "whatever the service offers over TLS"
}

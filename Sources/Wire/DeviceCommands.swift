/// What whoever operates a node tells it out of band (``Event/command(_:_:)``), by name.
public enum CommandName {
    /// With a ``ClockChange``.
    public static let clock = "clock"
    /// With a ``FlashRot``.
    public static let flashRot = "flip-flash-bits"
    /// With the number of the operation from now on, from 1.
    public static let powerCut = "cut-power-at-flash-operation"
    /// With a ``DebugRequest``.
    public static let debugPort = "debug-port"
    /// To look for updates now: an operator's act of that name.
    public static let checkUpdates = "check-updates"
    /// To the service, for new keys of update metadata: an operator's act of that name.
    public static let rotateUpdateKeys = "rotate-update-keys"
    /// With ``Claim``s.
    public static let claim = "claim"
    /// With a ``Release``.
    public static let release = "release"
    /// With whether it is.
    public static let diskFull = "disk-full"
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

/// What somebody with a debug probe does to a device's real-time cores.
public enum DebugRequest: String, Sendable, Codable {
    case halt, resume
}

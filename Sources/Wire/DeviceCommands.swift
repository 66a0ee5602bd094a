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
    /// To the service, for a new key and certificate of its own: an operator's act of that name.
    public static let rotateServiceCertificate = "rotate-service-certificate"
    /// To the service, for a new authority of the catalog, with an ``OperatorOrder``.
    public static let rotateCatalogAuthority = "rotate-catalog-authority"
    /// To the service, for a policy authority that the keyholders have made, with an ``OperatorOrder``: an operator's act of that name.
    public static let rotatePolicyAuthority = "rotate-policy-authority"
    /// The same with a new root.
    public static let rotateRoot = "rotate-root"
    /// To the service, that the fleet is handed over to another's, with the name of that one's node: an operator's act of that name.
    public static let handOver = "hand-over"
    /// From the former owner's service to the new one's, with an ``Inventory``.
    public static let takeOver = "take-over"
    /// From the new owner's service to the former one's: what a device says runs on it, with an ``Arrival``.
    public static let arrived = "arrived"
    /// With ``Claim``s.
    public static let claim = "claim"
    /// With a ``Release``.
    public static let release = "release"
    /// With a ``Withdrawal``: an operator's act of that name.
    public static let withdraw = "withdraw"
    /// To the service, with an ``InventoryOrder``: an operator's acts of those names.
    public static let lockOut = "lock-out"
    public static let readmit = "readmit"
    public static let move = "move"
    /// With whether it is.
    public static let diskFull = "disk-full"
    /// With the instant until which a node does nothing at all. It never hears of it.
    public static let hang = "hang"
}

/// What an operator tells the service to do.
public struct OperatorOrder: Sendable, Equatable, Codable {
    /// The step that it comes from.
    public var step: String
    /// For how long both the old and the new are known before the new one is used; nil for what is usual.
    public var overlapNanoseconds: Int64?
    public init(step: String, overlapNanoseconds: Int64?) { (self.step, self.overlapNanoseconds) = (step, overlapNanoseconds) }
}

/// What a fault does to a device's clock: set it forward or back, let it run fast, take its battery.
public struct ClockChange: Sendable, Equatable, Codable {
    public var jumpNanoseconds: Int64
    public var driftPartsPerBillion: Int64?
    public var losesBattery: Bool?
    public init(jumpNanoseconds: Int64 = 0, driftPartsPerBillion: Int64? = nil, losesBattery: Bool? = nil) {
        self.losesBattery = losesBattery
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

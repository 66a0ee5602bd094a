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
    /// The command of the device's that carries it.
    public static let command = "debug-port"
    case halt, resume
}

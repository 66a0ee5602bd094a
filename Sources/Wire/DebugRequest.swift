/// What somebody with a debug probe does to a device's real-time cores.
public enum DebugRequest: String, Sendable, Codable {
    /// The command of the device's that carries it.
    public static let command = "debug-port"
    case halt, resume
}

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

public import Wire

public struct NetworkSpec: Sendable, Equatable, Codable {
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
    /// Of a device.
    public var kind: String

    public init(
        name: String, role: Role, network: String, address: Address, host: String, names: [String] = [],
        powerOnNanoseconds: Int64 = 0, product: String = "", group: String = "", kind: String = ""
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
        self.kind = kind
    }
}

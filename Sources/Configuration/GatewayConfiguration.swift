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

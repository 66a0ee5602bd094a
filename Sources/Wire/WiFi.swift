/// What devices hear of a network on the air; an open network without a key.
public struct WiFi: Sendable, Equatable, Codable {
    public var ssid: String
    public var key: String?
    public init(ssid: String, key: String?) { (self.ssid, self.key) = (ssid, key) }
}

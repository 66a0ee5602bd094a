/// The catalog that a fleet belongs to, and its names: device `d` is `d.<catalog>.internal`.
public struct CatalogNames: Sendable, Equatable, Codable {
    public var catalog: String
    public init(catalog: String) { self.catalog = catalog }
    public func host(_ node: String) -> String { "\(node).\(catalog).internal" }
    public var service: String { host("service") }
}

/// Nodes that are somebody's security service.
public enum ServiceNode {
    /// Of whoever has made the fleet.
    public static let maker = "service"
    /// Of whom it is handed over to.
    public static let successor = "successor"
}

public enum ServicePort {
    /// Attestation and enrolment: the service shows a certificate, the device shows evidence.
    public static let enrolment: UInt16 = 443
    /// Everything else: both sides show certificates.
    public static let mutual: UInt16 = 8443
    /// Device to device.
    public static let peer: UInt16 = 4443
    /// Update metadata and images, in clear as on any content network: what protects them is in them (NET-3, TUF).
    public static let updates: UInt16 = 80
    /// Time of day (RFC 5905), as datagrams.
    public static let time: UInt16 = 123
    /// The device's REST interface, on the cable that is plugged into it and nowhere else (REST-1).
    public static let deviceREST: UInt16 = 0
    /// The debug UART of a chip that comes out of reset with RTS held: recovery mode, and nothing else (HW-26).
    public static let recovery: UInt16 = 1
    /// The console that the factory used, and forgot.
    public static let console: UInt16 = 23
}

/// A service that a node offers, as DNS service discovery tells of it (RFC 6763).
public struct AdvertisedService: Sendable, Equatable, Codable {
    public var instance: String
    /// With its domain, such as `_http._tcp.example.com`.
    public var type: String
    public var host: String
    public var port: UInt16
    public var text: [String]
    public init(instance: String, type: String, host: String, port: UInt16, text: [String]) {
        (self.instance, self.type, self.host, self.port, self.text) = (instance, type, host, port, text)
    }
}

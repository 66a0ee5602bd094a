/// The body of a policy image: whom a device believes.
public struct DevicePolicy: Sendable, Equatable, Codable {
    /// Roots of update metadata, in base64.
    public var directorRoot: String
    public var imageRoot: String
    /// The key that attestation results are signed with, in hex.
    public var verifierKey: String
    /// The catalog that the device belongs to; nil for the one that it was made for.
    public var catalog: String?
    public init(directorRoot: String, imageRoot: String, verifierKey: String, catalog: String? = nil) {
        self.catalog = catalog
        self.directorRoot = directorRoot
        self.imageRoot = imageRoot
        self.verifierKey = verifierKey
    }
}

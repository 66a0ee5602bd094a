/// The body of a policy image: whom a device believes.
public struct DevicePolicy: Sendable, Equatable, Codable {
    /// Roots of update metadata, in base64.
    public var directorRoot: String
    public var imageRoot: String
    /// The key that attestation results are signed with, in hex.
    public var verifierKey: String
    public init(directorRoot: String, imageRoot: String, verifierKey: String) {
        self.directorRoot = directorRoot
        self.imageRoot = imageRoot
        self.verifierKey = verifierKey
    }
}

public import Formats
import SecureChannel
import Silicon
public import Wire

/// A device that its owner develops on: with a signed capability for this device and no other it takes apps over its service port,
/// signed with the SDK's key, which everybody has (HW-22, IMG-5). They run until it restarts.
public struct Development {
    /// Why something is refused, as the service port says it: the status of an answer, and words.
    public struct Refusal: Error, Equatable, Sendable {
        public var status: Int
        public var reason: String
        public init(status: Int, reason: String) { (self.status, self.reason) = (status, reason) }
    }

    /// By number.
    public private(set) var capabilities: [UInt16] = []
    private var staged: ImagePackage?

    /// What the file in flash allows, if it is still one for this device.
    public init(_ file: [UInt8]?, _ chip: MT3620Chip) {
        guard let bytes = file, let key = chip.verifierKey,
            let file = try? CapabilityFile(bytes, for: chip.devicePublicKey, signedBy: key)
        else { return }
        capabilities = file.capabilities
    }

    /// Nothing is allowed.
    public init() {}

    private var isAllowed: Bool { capabilities.contains(CapabilityFile.Capability.applicationDevelopment.rawValue) }

    /// A capability file, which is kept, or an app's image package.
    public mutating func stage(
        _ bytes: [UInt8], _ chip: MT3620Chip, keep: (_ file: [UInt8]) throws -> Void, _ out: inout Outbox
    ) throws(Refusal) {
        guard let verifierKey = chip.verifierKey else { throw Refusal(status: 503, reason: "no policy image") }
        if bytes.starts(with: CapabilityFile.magic) {
            do throws(CapabilityFile.Refusal) {
                _ = try CapabilityFile(bytes, for: chip.devicePublicKey, signedBy: verifierKey)
            } catch {
                throw Refusal(status: 400, reason: "capability file: \(error)")
            }
            do { try keep(bytes) } catch { throw Refusal(status: 500, reason: "\(error)") }
            self = Development(bytes, chip)
            out.observe(.sideload, [.operation: "capability", .result: "accepted"])
            return
        }
        guard isAllowed else { throw Refusal(status: 403, reason: "appDevelopment capability is missing") }
        guard let parsed = try? ImagePackage.parse(bytes), parsed.package.type == .applications else {
            throw Refusal(status: 400, reason: "no image package of an app")
        }
        let sdkKey = try? P256PrivateKey(scalar: sha256(Array(ImagePackage.developmentKeyName.utf8))).publicKey
        let isSDK = sdkKey.map { Array(sha256($0.bytes)[..<20]) == parsed.package.signer } ?? false
        guard let key = isSDK ? sdkKey : chip.trustedKeys[parsed.package.signer],
            key.isValid(signature: parsed.signature, digest: sha256(parsed.signedPart))
        else { throw Refusal(status: 403, reason: "bad signature") }
        staged = parsed.package
    }

    /// What was staged, once.
    public mutating func takeStaged() throws(Refusal) -> ImagePackage {
        guard let package = staged else { throw Refusal(status: 409, reason: "nothing is staged") }
        staged = nil
        return package
    }
}

public import DeviceServices
public import Formats
public import SecureChannel
public import Wire

/// An image that a boot has started.
public struct BootedImage {
    public let package: ImagePackage
    /// SHA-256 of the whole package.
    public let digest: [UInt8]
    /// The n-th image of its type.
    public let ordinal: Int
    public let slot: FlashLayout.Slot

    public init(package: ImagePackage, digest: [UInt8], ordinal: Int, slot: FlashLayout.Slot) {
        (self.package, self.digest, self.ordinal, self.slot) = (package, digest, ordinal, slot)
    }

    public var reference: ImageReference { ImageReference(package.type, ordinal) }
    public var isBackup: Bool { slot == .backup }
}

/// What a boot has started, and what it has not.
public struct BootedSoftware {
    /// A copy that did not pass: why, and the SHA-256 of what it holds, in hex, if it could be read.
    public struct Refused {
        public var reason: String
        public var digest: String?

        /// Says so.
        public init(_ type: ImageType, _ slot: FlashLayout.Slot, _ reason: String, _ digest: [UInt8]?, _ out: inout Outbox) {
            (self.reason, self.digest) = ("\(type.name): \(reason)", digest?.hex)
            var details: [Fact.Detail: Fact.Value] = [
                .stage: .text(type.name), .code: .text(Code.imageRefused.rawValue), .reason: .text(reason), .slot: .text(slot.name),
            ]
            if let digest { details[.digest] = .text(digest.hex.digestHead) }
            out.observe(.bootFallback, details)
        }
    }

    public var images: [ImageType: [BootedImage]] = [:]
    /// Whom the device trusts.
    public var roots: [Certificate] = []
    public var refused: [Refused] = []
    public init() {}

    public var all: [BootedImage] { images.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value) }
    /// The code of the system itself.
    public var system: StageCode? { (images[.services] ?? images[.kernel])?.first.flatMap { StageCode($0.package.body) } }
    public var apps: [BootedImage] { images[.applications] ?? [] }
    /// Images with programs: on a Linux board the system's own are in a file system, too.
    public var withPrograms: [BootedImage] { (images[.rootFileSystem] ?? []) + apps }
    /// Of the verifier, which speaks for the security service.
    public var verifierKey: P256PublicKey? { policy?.verifierKey }
    /// The catalog that the device belongs to; nil for the one that it was made for.
    public var catalog: String? { policy?.catalog }
    var policy: TrustPolicy? { images[.policy]?.first.flatMap { TrustPolicy($0.package.body) } }
}

extension BootedImage {
    /// Says that it has started.
    public func observe(_ out: inout Outbox) {
        out.observe(
            .bootStage,
            [
                .stage: .text(package.type.name), .image: .text(package.name), .slot: .text(slot.name),
                .version: .number(Int64(package.securityVersion)), .digest: .text(digest.hex.digestHead),
            ])
    }
}

extension FlashLayout.Slot {
    public var name: String { self == .primary ? "primary" : "backup" }
}

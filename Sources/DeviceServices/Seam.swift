public import SecureChannel

// What kinds of device do differently, and every kind does in some way. What is over the network is the same for all of them
// and asks for it here.

/// Where a device has its private keys: a key is used through here, and need never be seen.
public protocol KeyStore {
    /// What stands for a new key pair for TLS (P-256), to be kept in the settings: it is worth nothing without this key store.
    func newKey() -> [UInt8]
    /// The key pair that `name` stands for. A key store that is another, or knows that something else has been started on it, may
    /// have another one for the same name.
    func key(_ name: [UInt8]) -> any SigningKey
}

/// Who vouches for what has started on a device (RFC 9334: attesting environment).
public protocol AttestingEnvironment {
    /// Under which the service knows the device: 128 hexadecimal characters.
    var deviceID: String { get }
    /// What a verifier must have before it asks; nil for nothing.
    var endorsement: Endorsement? { get }
    func evidence(for challenge: AttestationChallenge) -> Evidence
}

/// Whoever made the hardware vouches for it, and what is to sign evidence is in it (RFC 9334: endorsement).
public struct Endorsement: Equatable, Sendable {
    /// Of the hardware's own key, in DER.
    public var certificate: [UInt8]
    /// TPMT_PUBLIC of the key that signs evidence.
    public var attestationKey: [UInt8]
    public init(certificate: [UInt8], attestationKey: [UInt8]) { (self.certificate, self.attestationKey) = (certificate, attestationKey) }
}

/// What a verifier wants an answer to.
public struct AttestationChallenge: Equatable, Sendable {
    /// A secret that only the endorsed hardware can read (TPM2_MakeCredential): TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET.
    public struct Credential: Equatable, Sendable {
        public var blob: [UInt8]
        public var secret: [UInt8]
        public init(blob: [UInt8], secret: [UInt8]) { (self.blob, self.secret) = (blob, secret) }
    }

    /// 32 bytes.
    public var nonce: [UInt8]
    public var credential: Credential?
    public init(nonce: [UInt8], credential: Credential? = nil) { (self.nonce, self.credential) = (nonce, credential) }
}

/// Evidence in one of the formats that a verifier may know (RFC 9334).
public struct Evidence: Equatable, Sendable {
    public var mediaType: String
    public var bytes: [UInt8]
    public init(mediaType: String, _ bytes: [UInt8]) { (self.mediaType, self.bytes) = (mediaType, bytes) }
}

/// The clock that runs while the device does not, or whatever else it has.
public protocol HardwareClock {
    /// How far it is ahead of the true time, in nanoseconds, at a time since the run's start.
    func error(at nanoseconds: Int64) -> Int64
    func jump(by nanoseconds: Int64, at now: Int64)
    func drift(partsPerBillion: Int64, at now: Int64)
    /// Nothing keeps it any more while the power is off.
    func loseBattery()
    /// - Parameter unixNanoseconds: The true time since 1970.
    func powerOn(at now: Int64, unixNanoseconds: Int64)
}

/// Named byte strings that survive a power cut at any instant.
public protocol SettingsKeeper {
    subscript(key: SettingsKey) -> [UInt8]? { get }
    /// - Throws: If it can't be kept; then what was there before still is.
    mutating func set(_ key: SettingsKey, _ value: [UInt8]) throws
    /// All of them, or none where the power goes meanwhile.
    mutating func set(_ values: [(key: SettingsKey, value: [UInt8])]) throws
    mutating func remove(_ key: SettingsKey) throws
}

/// What is kept. A number is for ever.
public enum SettingsKey: UInt16, Sendable {
    /// What stands for the key of the certificates.
    case clientKey = 1
    case customerChain = 2
    case updateChain = 3
    /// How far the download of each image has come.
    case staging = 5
    /// Images that have been installed and are not yet proven.
    case trial = 6
    /// Digests of images that failed on this device.
    case failedImages = 7
    /// What this device may do beyond the usual (HW-22).
    case capabilityFile = 8
    /// When the device first learnt of the updates that it has yet to install.
    case knownUpdates = 9
    /// SHA-256 of the roots that the metadata below was trusted from.
    case updateRoots = 10
    /// What is trusted of the director's and the image repository's metadata.
    case directorRoot = 16
    case directorTimestamp, directorSnapshot, directorTargets
    case imageRoot = 24
    case imageTimestamp, imageSnapshot, imageTargets
}

// MARK: Software

/// What is installed on a device, as its last start has found it.
public protocol InstalledSoftware {
    /// The OS release.
    var osVersion: String { get }
    /// When that was built, in Unix seconds: no clock on this device shows less (0 if it does not say).
    var osBuiltAt: Int64 { get }
    var images: [InstalledImage] { get }
    /// It has what asks for certificates.
    var canAttest: Bool { get }
    /// Which hardware images must be for, in hex.
    var hardwareID: String { get }
    /// Whom update metadata is believed from the beginning.
    var updateRoots: UpdateRoots { get }
    func type(of image: ImageReference) -> ImageDescription
    /// Whether so many new apps can be started while the device runs; else it starts anew with them.
    func canStartApps(_ count: Int) -> Bool
    /// The least version that an image may have, by what can never be taken back; 0 where nothing says so.
    func floor(of image: ImageReference) -> Int64
    /// From now on no older version of an image than the one that was started.
    func raiseFloor(of image: ImageReference)
    /// What is in the memory that images lie in, as it is now; nil if that can't be told.
    func open() throws -> (any ImageStorage)?
}

/// How an image is staged, installed, tried and taken back. Each change counts at one instant, so that power may go at any.
public protocol ImageStorage {
    /// Counts changes of what starts next.
    var generation: UInt32 { get }
    /// Of all images together.
    var capacityBytes: Int { get }
    /// Where so many bytes have room beside what is in use and `taken`; nil if nowhere.
    func place(for bytes: Int, besides taken: [Range<Int>]) -> Int?
    /// Writes a piece of an image to a place that is not in use.
    func write(_ bytes: [UInt8], at place: Int) throws
    func read(_ place: Int, _ count: Int) throws -> [UInt8]
    /// What is wrong with an image that is there as it was promised; nil if it may be installed.
    func flaw(of image: StagedImage, _ bytes: [UInt8]) -> ImageFlaw?
    /// SHA-256 of what starts next of an image; nil if there is nothing.
    func digest(of image: ImageReference) throws -> [UInt8]?
    /// Makes staged images what starts next; what was to start becomes what the device falls back to.
    mutating func activate(_ staged: [StagedImage]) throws
    /// The other way round.
    mutating func revert(_ images: [ImageReference]) throws
    /// Images have proven themselves: what a start falls back to is made the same as what starts, or with `fallback` what starts
    /// the same as what it has fallen back to.
    mutating func settle(_ images: [ImageReference], fallback: Bool) throws
}

/// One of the images of a device, by a number that its kind has for it.
public struct ImageReference: Hashable, Sendable {
    public var number: UInt32
    public init(number: UInt32) { self.number = number }
}

/// In the order in which they are updated (UP-1).
public enum SoftwareLayer: CaseIterable, Sendable { case trust, system, applications }

public struct ImageDescription: Equatable, Sendable {
    public var name: String
    /// Nil for what is not updated.
    public var layer: SoftwareLayer?
    public init(_ name: String, _ layer: SoftwareLayer?) { (self.name, self.layer) = (name, layer) }
}

public struct InstalledImage: Equatable, Sendable {
    public var reference: ImageReference
    public var type: ImageDescription
    /// Its component ID, as update metadata names it.
    public var component: String
    public var name: String
    public var version: Int64
    public var sha256: [UInt8]
    /// What was to start did not, and this is the copy that is kept for that.
    public var isFallback: Bool

    public init(
        reference: ImageReference, type: ImageDescription, component: String, name: String, version: Int64, sha256: [UInt8],
        isFallback: Bool
    ) {
        (self.reference, self.type, self.component, self.name) = (reference, type, component, name)
        (self.version, self.sha256, self.isFallback) = (version, sha256, isFallback)
    }
}

/// A new image on its way into the device.
public struct StagedImage: Equatable, Sendable {
    public var reference: ImageReference
    public var type: ImageDescription
    public var name: String
    public var version: Int64
    /// What anti-rollback goes by (UP-4): a vendor may leave it as it is where an older version may come back.
    public var securityVersion: Int64
    public var sha256: [UInt8]
    public var length: Int
    /// Where the storage has room for it.
    public var place: Int
    /// Bytes that are there.
    public var received = 0

    public init(
        reference: ImageReference, type: ImageDescription, name: String, version: Int64, securityVersion: Int64, sha256: [UInt8],
        length: Int, place: Int, received: Int = 0
    ) {
        (self.reference, self.type, self.name, self.version) = (reference, type, name, version)
        self.securityVersion = securityVersion
        (self.sha256, self.length, self.place, self.received) = (sha256, length, place, received)
    }

    public var isComplete: Bool { received == length }
}

extension [StagedImage] {
    public var areApps: Bool { allSatisfy { $0.type.layer == .applications } }
}

/// Why an image can't be installed.
public struct ImageFlaw: Equatable, Sendable {
    /// A word for the statistics.
    public var kind: String
    public var reason: String
    /// It is so of the image itself, whoever offers it.
    public var isOfImage: Bool
    public init(_ kind: String, _ reason: String, isOfImage: Bool) {
        (self.kind, self.reason, self.isOfImage) = (kind, reason, isOfImage)
    }
}

/// TUF's root metadata as it came with the device's software.
public struct UpdateRoots: Equatable, Sendable {
    public var director: [UInt8]?
    public var images: [UInt8]?
    /// Of the images that have brought it.
    public var digests: [[UInt8]]
    public init(director: [UInt8]?, images: [UInt8]?, digests: [[UInt8]]) {
        (self.director, self.images, self.digests) = (director, images, digests)
    }
}

extension InstalledSoftware {
    func areApps(_ images: [ImageReference]) -> Bool { images.allSatisfy { type(of: $0).layer == .applications } }
    func image(_ reference: ImageReference) -> InstalledImage? { images.first { $0.reference == reference } }
    func name(_ reference: ImageReference) -> String { image(reference)?.name ?? type(of: reference).name }
}

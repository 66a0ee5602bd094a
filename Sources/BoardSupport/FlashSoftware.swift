public import DeviceServices
public import Formats
public import SecureChannel
public import Silicon
public import Wire

/// What was started from flash, as updates see it.
public struct FlashSoftware: InstalledSoftware {
    /// What the kind of device makes of it.
    public struct Rules {
        /// The image that is called as the OS release is.
        public var osImage: ImageType
        public var hardwareID: String
        /// Keys that images may be signed with, by the ID that they name them with; nil where signatures are not checked.
        public var trustedKeys: [[UInt8]: P256PublicKey]?
        /// The least version that can start, by what can never be taken back.
        public var floor: (ImageReference) -> Int64
        public var raiseFloor: (BootedImage) -> Void
        /// Whether so many new apps can be started while the device runs.
        public var canStartApps: (Int) -> Bool
        /// What a security monitor goes by; nil where there is none.
        public var monitor: Monitor?

        public init(
            osImage: ImageType, hardwareID: String, trustedKeys: [[UInt8]: P256PublicKey]? = nil,
            floor: @escaping (ImageReference) -> Int64 = { _ in 0 }, raiseFloor: @escaping (BootedImage) -> Void = { _ in },
            canStartApps: @escaping (Int) -> Bool,
            monitor: Monitor? = nil
        ) {
            (self.osImage, self.hardwareID, self.trustedKeys) = (osImage, hardwareID, trustedKeys)
            (self.floor, self.raiseFloor, self.canStartApps, self.monitor) = (floor, raiseFloor, canStartApps, monitor)
        }
    }

    /// What images must have that programs bring to flash.
    public struct Monitor {
        /// Keys of the trusted keystore, by the ID that images name them with.
        public var keys: [[UInt8]: P256PublicKey]
        /// From which version on an image of a type may be installed.
        public var leastVersion: (ImageType) -> UInt32
        public init(keys: [[UInt8]: P256PublicKey], leastVersion: @escaping (ImageType) -> UInt32) {
            (self.keys, self.leastVersion) = (keys, leastVersion)
        }
    }

    public let flash: Flash
    public let booted: BootedSoftware
    public let rules: Rules

    public init(flash: Flash, booted: BootedSoftware, _ rules: Rules) { (self.flash, self.booted, self.rules) = (flash, booted, rules) }

    public var osVersion: String { booted.images[rules.osImage]?.first?.package.name ?? "" }
    public var osBuiltAt: Int64 {
        booted.images[rules.osImage]?.first.map { Int64(clamping: $0.package.builtAt) } ?? 0
    }
    public var hardwareID: String { rules.hardwareID }
    public var canAttest: Bool { booted.system?.lacks.contains(.attester) != true }

    public var images: [InstalledImage] {
        booted.all.map { image in
            InstalledImage(
                reference: image.reference, type: type(of: image.reference), component: image.package.component.description,
                name: image.package.name, version: Int64(image.package.securityVersion), sha256: image.digest,
                isFallback: image.isBackup)
        }
    }

    public var updateRoots: UpdateRoots {
        let policy = booted.policy
        return UpdateRoots(
            director: policy?.directorRoot, images: policy?.imageRoot, digests: booted.images[.policy]?.map(\.digest) ?? [])
    }

    public func type(of image: ImageReference) -> ImageDescription {
        let layer: SoftwareLayer? =
            switch image.type {
            case .trustedKeystore, .updateCertificateStore, .policy: .trust
            case .oneBL, .plutonRuntime, .wifiFirmware, .securityMonitor, .loader, .deviceTree, .kernel, .rootFileSystem, .services: .system
            case .applications: .applications
            case .recoveryManifest: nil
            }
        return ImageDescription(image.type.name, layer)
    }

    /// How the system goes on that has started now.
    public func course(at now: Instant) -> SystemCourse { SystemCourse(booted.system, at: now) }

    public func canStartApps(_ count: Int) -> Bool { rules.canStartApps(count) }
    public func floor(of image: ImageReference) -> Int64 { rules.floor(image) }
    public func raiseFloor(of image: ImageReference) {
        if let booted = booted.all.first(where: { $0.reference == image }) { rules.raiseFloor(booted) }
    }

    public func open() throws -> (any ImageStorage)? { try ImageStore(flash: flash).map { FlashStorage(software: self, store: $0) } }
}

/// The images in flash, as updates have them.
private struct FlashStorage: ImageStorage {
    let software: FlashSoftware
    var store: ImageStore

    var generation: UInt32 { store.layout.generation }
    var capacityBytes: Int { FlashLayout.totalBytes }

    func place(for bytes: Int, besides taken: [Range<Int>]) -> Int? { store.layout.free(bytes, besides: taken) }
    func write(_ bytes: [UInt8], at place: Int) throws { try store.write(bytes, at: place) }
    func read(_ place: Int, _ count: Int) throws -> [UInt8] { try store.read(place, count) }

    func flaw(of image: StagedImage, _ bytes: [UInt8]) -> ImageFlaw? {
        guard let (package, signedPart, signature) = try? ImagePackage.parse(bytes) else {
            return ImageFlaw("malformed", "it is no image package", isOfImage: true)
        }
        guard package.type == image.reference.type, Int64(package.securityVersion) == image.securityVersion,
            software.images.contains(where: { $0.reference == image.reference && $0.component == package.component.description })
        else { return ImageFlaw("malformed", "it is not what the director says it is", isOfImage: true) }
        guard let keys = software.rules.trustedKeys else { return nil }
        // The keystore that names the signer may be on its way (IMG-5).
        guard let key = keys[package.signer] else { return ImageFlaw("signature", "untrusted signer", isOfImage: false) }
        guard key.isValid(signature: signature, digest: sha256(signedPart)) else {
            return ImageFlaw("signature", "bad signature", isOfImage: true)
        }
        return nil
    }

    func digest(of image: ImageReference) throws -> [UInt8]? {
        guard let place = store.layout.place(image.type, image.ordinal, .primary) else { return nil }
        let entry = store.layout.entries[place]
        return sha256(try store.read(Int(entry.offset), Int(entry.length)))
    }

    mutating func activate(_ staged: [StagedImage]) throws { try store.activate(staged.map { ($0.reference, $0.place, $0.length) }) }
    mutating func revert(_ images: [ImageReference]) throws { try store.revert(images) }
    mutating func settle(_ images: [ImageReference], fallback: Bool) throws {
        try store.duplicate(images, from: fallback ? .backup : .primary)
    }
}

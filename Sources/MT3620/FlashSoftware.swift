import DeviceServices
import Formats
import SecureChannel
import Silicon

/// What the boot chain has started from flash, and the keys that it trusts.
struct FlashSoftware: InstalledSoftware {
    let flash: Flash
    let pluton: Pluton
    let booted: BootChain.Result
    /// Keys of the trusted keystore, by the ID that images name them with; nil where signatures are not checked.
    let trustedKeys: [[UInt8]: P256PublicKey]?
    let refusesOldVersions: Bool

    var osVersion: String { booted.images[.services]?.first?.package.name ?? "" }
    var hardwareID: String { Pluton.implementation.hex }

    var images: [InstalledImage] {
        booted.all.map { image in
            InstalledImage(
                reference: image.reference, type: type(of: image.reference), component: image.package.component.description,
                name: image.package.name, version: Int64(image.package.securityVersion), sha256: image.digest,
                isFallback: image.isBackup)
        }
    }

    /// Of the policy image.
    var policy: TrustPolicy? { booted.images[.policy]?.first.flatMap { TrustPolicy($0.package.body) } }

    var updateRoots: UpdateRoots {
        let policy = policy
        return UpdateRoots(
            director: policy?.directorRoot, images: policy?.imageRoot, digests: booted.images[.policy]?.map(\.digest) ?? [])
    }

    func type(of image: ImageReference) -> ImageDescription {
        let layer: SoftwareLayer? =
            switch image.type {
            case .trustedKeystore, .updateCertificateStore, .policy: .trust
            case .oneBL, .plutonRuntime, .wifiFirmware, .securityMonitor, .loader, .deviceTree, .kernel, .rootFileSystem, .services: .system
            case .applications: .applications
            case .recoveryManifest: nil
            }
        return ImageDescription(image.type.name, layer)
    }

    /// Pluton's list of measurements grows with each, and ends (HW-29).
    func canStartApps(_ count: Int) -> Bool { pluton.measurements.count + count <= Pluton.measurementLimit }

    func floor(of image: ImageReference) -> Int64 {
        refusesOldVersions ? Int64(pluton.counter(BootChain.counter(image.type, image.ordinal))) : 0
    }

    func raiseFloor(of image: ImageReference) {
        guard let booted = booted.all.first(where: { $0.reference == image }) else { return }
        pluton.raiseCounter(BootChain.counter(image.type, image.ordinal), to: Int(booted.package.securityVersion))
    }

    func open() throws -> (any ImageStorage)? { try ImageStore(flash: flash).map { FlashStorage(software: self, store: $0) } }
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
        guard package.type == image.reference.type, Int64(package.securityVersion) == image.version,
            software.images.contains(where: { $0.reference == image.reference && $0.component == package.component.description })
        else { return ImageFlaw("malformed", "it is not what the director says it is", isOfImage: true) }
        guard let keys = software.trustedKeys else { return nil }
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

public import BoardSupport
public import Configuration
import Formats
public import RootOfTrust
public import Silicon
public import Wire

/// A commodity board: flash with two copies of each image, a clock with a battery, and a root of trust. It boots loader, kernel and
/// root file system; nothing checks a signature, and with a TPM everything is measured before it starts.
public struct LinuxSystem {
    public let root: any RootOfTrust
    public let clock: RealTimeClock
    private let flash: Flash
    private let hardware: String
    private let name: String
    private var booted = BootedSoftware()

    /// What starts, in its order, and as what it is measured.
    private static let stages: [(type: ImageType, layer: MeasuredLayer)] = [
        (.loader, .firmware), (.kernel, .kernel), (.rootFileSystem, .fileSystem), (.updateCertificateStore, .policy), (.policy, .policy),
    ]
    /// Processes of a Linux system are not counted.
    private static let mostApps = 64

    /// Opens its files; makes keys on one that has never had power.
    /// - Parameter generation: Of the device's process.
    public init(_ configuration: DeviceConfiguration, generation: Int) throws {
        let setting = configuration.setting
        flash = try Flash(basePath: configuration.baseImagePath, overlayPath: configuration.statePath + "/flash.bin")
        clock = try RealTimeClock(path: configuration.statePath + "/rtc.bin")
        (hardware, name) = (configuration.hardwareID, setting.name)
        guard configuration.protections.hardwareRootOfTrust else {
            root = try KeyFile(scalar: LinuxSystem.keyFile(in: flash))
            return
        }
        root = TPMRoot(statePath: configuration.statePath + "/tpm.bin", serial: configuration.boardSerial ?? setting.name) { start in
            setting.clock == .virtual
                ? SeedStream(seed: setting.seed, node: setting.name, purpose: "tpm \(start)", generation: generation) : nil
        }
    }

    /// The key that stands for the board, which whoever has it first has made.
    private static func keyFile(in flash: Flash) throws -> [UInt8] {
        let place = FlashLayout.softwareKeyOffset
        let found = try flash.read(place, 32)
        guard found.allSatisfy({ $0 == 0xFF }) else { return found }
        let scalar = KeyFile.newScalar()
        try flash.erase(sector: place / Flash.sectorBytes)
        try flash.program(place, scalar)
        return scalar
    }

    /// The board's time goes on.
    public func note(_ now: Instant) { root.note(now) }

    // MARK: Boot

    public mutating func boot(_ out: inout Outbox) -> Bool {
        booted = BootedSoftware()
        do throws(RootRefusal) {
            try root.powerOn(at: out.now)
            return try start(&out)
        } catch {
            // Without its root of trust it can show nobody who it is: whoever has it in hand gets a shell, and nobody else anything.
            out.observe(
                .bootFailed, [.stage: "TPM", .code: .text(Code.rootOfTrustRefused.rawValue), .reason: .text(error.description)])
            out.observe(
                .recovery, [.result: "entered", .code: .text(Code.rootOfTrustRefused.rawValue), .reason: "rescue shell on the UART"])
            return false
        }
    }

    private mutating func start(_ out: inout Outbox) throws(RootRefusal) -> Bool {
        guard let layout = FlashLayout.newest({ try flash.read($0, $1) }) else {
            out.observe(.bootFailed, [.stage: "ROM", .reason: "no readable partition table"])
            return false
        }
        for (type, layer) in LinuxSystem.stages {
            guard let image = try start(type, layer, in: layout, &out).first else {
                out.observe(.bootFailed, [.stage: .text(type.name), .reason: "no copy can be read"])
                return false
            }
            booted.images[type] = [image]
        }
        booted.takeRoots()
        booted.images[.applications] = try start(.applications, .applications, in: layout, &out)
        return true
    }

    /// All images of a type: of each the first copy that can be read.
    private mutating func start(
        _ type: ImageType, _ layer: MeasuredLayer, in layout: FlashLayout, _ out: inout Outbox
    ) throws(RootRefusal) -> [BootedImage] {
        var images: [BootedImage] = []
        for (index, copies) in layout.copies(type).enumerated() {
            for entry in copies {
                // Reading 1 MiB takes about 25 ms at 40 MB/s, our estimate for quad SPI flash.
                out.spend(.nanoseconds(Int64(entry.length) * 25))
                guard let image = image(entry, type, index, &out) else { continue }
                try root.measure(layer, digest: image.digest, name: "\(type.name) \(image.package.name)")
                image.observe(&out)
                images.append(image)
                break
            }
        }
        return images
    }

    private mutating func image(_ entry: FlashLayout.Entry, _ type: ImageType, _ ordinal: Int, _ out: inout Outbox) -> BootedImage? {
        let reason: String
        do {
            let image = try BootedImage(entry, ordinal: ordinal, in: flash)
            let isCode = type == .loader || type == .kernel
            if image.package.type == type, !isCode || StageCode.canStart(image.package.body) { return image }
            reason = image.package.type == type ? "its code does not start" : "image type \(image.package.type)"
        } catch {
            reason = "\(error)"
        }
        booted.refused.append(.init(type, entry.slot, reason, BootedImage.digest(entry, in: flash), &out))
        return nil
    }

    /// What runs goes on; apps are taken as flash has them now, and measured on top of what was.
    public mutating func restartApps(_ out: inout Outbox) -> Bool {
        guard let layout = FlashLayout.newest({ try flash.read($0, $1) }),
            let images = try? start(.applications, .applications, in: layout, &out)
        else { return false }
        booted.images[.applications] = images
        return true
    }

    // MARK: What has started

    public func openSettings() throws(SiliconError) -> SettingsStore { try SettingsStore(flash: flash) }
    public var software: FlashSoftware {
        FlashSoftware(
            flash: flash, booted: booted,
            .init(osImage: .rootFileSystem, hardwareID: hardware, canStartApps: { $0 <= LinuxSystem.mostApps }))
    }
    /// The kernel's first line.
    public var banner: String {
        String(decoding: booted.images[.kernel]?.first?.package.body.prefix { $0 != 10 }.prefix(200) ?? [], as: UTF8.self)
    }
    public var measurements: Int { root.measurements }
    public var powerLostAfter: Int? { flash.hasLostPower ? flash.operations : nil }
    public var flashUse: ResourceUse { flash.use }

    // MARK: Faults

    public func cutPower(duringFlashOperation count: Int) { flash.cutPower(duringOperation: count) }
    public func rot(_ rot: FlashRot, _ out: inout Outbox) { rot.apply(to: flash, of: name, &out) }
}

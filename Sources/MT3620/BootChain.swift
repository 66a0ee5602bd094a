import BoardSupport
import Formats
import SecureChannel
import Silicon
import Wire

/// ROM → 1BL → trusted keystore → Pluton runtime → security monitor → kernel → services → apps (HW-25).
///
/// Up to the Pluton runtime it is machine code on the security core that boots (`SecurityCore`); the rest is this. Each
/// image is read from flash, verified, measured, and only then used. A copy that fails is answered with the backup copy
/// and an observation of the reason; if both fail, the boot ends there.
struct BootChain {

    /// Which anti-rollback counter in Pluton stands for an image: each type before apps has its own, and so have the
    /// first four apps.
    static func counter(_ type: ImageType, _ ordinal: Int) -> Int {
        let types: [ImageType] = [
            .oneBL, .trustedKeystore, .updateCertificateStore, .policy, .plutonRuntime, .securityMonitor, .kernel, .services,
        ]
        return types.firstIndex(of: type) ?? types.count + min(ordinal, FuseBank.counterCount - types.count - 1)
    }

    /// The stages that the security core starts, and those that follow before apps, in order.
    static let firstStages: [ImageType] = [.oneBL, .trustedKeystore, .plutonRuntime]
    static let laterStages: [ImageType] = [.securityMonitor, .kernel, .updateCertificateStore, .policy, .services]

    /// Of these, what is code.
    private static let codeStages: Set<ImageType> = [.securityMonitor, .kernel, .services]

    /// The code that the chip was made with.
    let rom: ELFImage
    let flash: Flash
    let fuses: FuseBank
    let pluton: Pluton
    let isSecure: Bool
    /// `rollback-protection`: an image below its counter does not start.
    let refusesOldVersions: Bool
    let cost: CryptoCost
    private(set) var trusted: [[UInt8]: P256PublicKey] = [:]
    private var refused: [BootedSoftware.Refused] = []

    init(
        rom: ELFImage, flash: Flash, fuses: FuseBank, pluton: Pluton, isSecure: Bool, refusesOldVersions: Bool, cost: CryptoCost
    ) {
        self.rom = rom
        self.refusesOldVersions = refusesOldVersions
        self.flash = flash
        self.fuses = fuses
        self.pluton = pluton
        self.isSecure = isSecure
        self.cost = cost
    }

    /// Nil if the device cannot come up; the observations say why.
    mutating func run(glitch: Glitch?, _ out: inout Outbox) -> BootedSoftware? {
        var result = BootedSoftware()
        guard startSecurityCore(&result, glitch, &out), let layout = readLayout() else { return nil }
        for stage in BootChain.laterStages {
            guard let booted = start(stage, in: layout, &out).first else {
                out.observe(.bootFailed, [.stage: .text(stage.name), .reason: "no copy passed"])
                return nil
            }
            result.images[stage] = [booted]
            if stage == .updateCertificateStore {
                result.roots = (try? CertificateBundle.decode(booted.package.body)) ?? []
            }
        }
        result.images[.applications] = start(.applications, in: layout, &out)
        result.refused = refused
        return result
    }

    // MARK: The security core

    private mutating func startSecurityCore(_ result: inout BootedSoftware, _ glitch: Glitch?, _ out: inout Outbox) -> Bool {
        guard let core = try? SecurityCore(rom: rom) else {
            out.observe(.bootFailed, [.stage: "ROM", .reason: "no engine"])
            return false
        }
        let run = core.boot(
            BootChain.surroundings(
                fuses: fuses, pluton: pluton, flash: flash, isSecure: isSecure, refusesOldVersions: refusesOldVersions, cost: cost),
            glitch: glitch)
        out.spend(.nanoseconds(run.nanoseconds))
        if let hit = run.hit, let glitch {
            out.observe(.bootConsole, [.text: .text("a fault hits 0x\(String(hit, radix: 16)): \(glitch.model.name)")])
        }
        for line in String(decoding: run.console, as: UTF8.self).split(separator: "\n") {
            out.observe(.bootConsole, [.text: .text(String(line))])
        }
        for measurement in run.measurements {
            _ = pluton.extend(type: measurement.type, digest: measurement.digest, signer: measurement.signer)
        }
        for report in run.reports { take(report, &result, &out) }
        if let image = result.images[.oneBL]?.first { trust(Array(image.package.body.prefix(64))) }
        if let image = result.images[.trustedKeystore]?.first { trust(image.package.body) }
        // A boot that a fault has led past a check has nothing to show for that stage.
        guard run.end == .handedOver else {
            out.observe(.bootFailed, [.stage: .text(failedStage(run)), .reason: .text(run.end.reason)])
            return false
        }
        return true
    }

    /// What the security core finds around it.
    static func surroundings(
        fuses: FuseBank, pluton: Pluton, flash: Flash, isSecure: Bool, refusesOldVersions: Bool, cost: CryptoCost
    ) -> BootSurroundings {
        BootSurroundings(
            bootKeyHash: fuses.bootKeyHash, counters: (0..<FuseBank.counterCount).map(pluton.counter), isSecure: isSecure,
            refusesOldVersions: refusesOldVersions, verifyNanoseconds: cost.verifyNanoseconds,
            random: { Bytes(pluton.random(4)).u32(0) ?? 0 }, readFlash: { try? flash.read($0, $1) })
    }

    private func failedStage(_ run: SecurityCore.Run) -> String {
        run.reports.last.flatMap { ImageType(rawValue: UInt16(truncatingIfNeeded: $0.stage)) }?.name ?? "ROM"
    }

    /// What boot code says of one copy of an image, in the words of the later stages.
    private mutating func take(_ report: BootReport, _ result: inout BootedSoftware, _ out: inout Outbox) {
        let slot = report.slot == 0 ? FlashLayout.Slot.primary : .backup
        guard let type = ImageType(rawValue: UInt16(truncatingIfNeeded: report.stage)) else {
            var reason = "unreadable"
            do { _ = try FlashLayout(sector: flash.read(Int(report.offset), FlashLayout.sectorBytes)) } catch { reason = "\(error)" }
            out.observe(
                .bootFallback, [.stage: "ROM", .slot: .number(Int64(report.slot)), .reason: .text("partition table: \(reason)")])
            return
        }
        guard let bytes = try? flash.read(Int(report.offset), Int(report.length)) else {
            return refuse(type, slot, "unreadable", nil, &out)
        }
        let digest = sha256(bytes)
        do {
            let package = try ImagePackage.parse(bytes).package
            guard report.result == .accepted else {
                return refuse(type, slot, report.reason(package), digest, &out)
            }
            let image = BootedImage(package: package, digest: digest, ordinal: 0, slot: slot)
            image.observe(&out)
            result.images[type] = [image]
        } catch {
            refuse(type, slot, "\(error)", digest, &out)
        }
    }

    private mutating func refuse(
        _ type: ImageType, _ slot: FlashLayout.Slot, _ reason: String, _ digest: [UInt8]?, _ out: inout Outbox
    ) {
        refused.append(BootedSoftware.Refused(type, slot, reason, digest, &out))
    }

    // MARK: Later stages

    /// Starts the images of one type anew, as flash has them now.
    mutating func restart(_ type: ImageType, _ out: inout Outbox) -> [BootedImage]? {
        readLayout().map { start(type, in: $0, &out) }
    }

    private func readLayout() -> FlashLayout? { FlashLayout.newest { try flash.read($0, $1) } }

    /// All images of a type: for each, the primary copy or else its backup.
    private mutating func start(_ type: ImageType, in layout: FlashLayout, _ out: inout Outbox) -> [BootedImage] {
        var booted: [BootedImage] = []
        for (index, copies) in layout.copies(type).enumerated() {
            for candidate in copies {
                switch check(candidate, type, index, &out) {
                case .success(let image):
                    image.observe(&out)
                    booted.append(image)
                case .failure(let refusal):
                    let bytes = try? flash.read(Int(candidate.offset), Int(candidate.length))
                    refuse(type, candidate.slot, refusal.reason, bytes.map { sha256($0) }, &out)
                    continue
                }
                break
            }
        }
        return booted
    }

    private struct Refusal: Error { var reason: String }

    private mutating func check(
        _ entry: FlashLayout.Entry, _ type: ImageType, _ ordinal: Int, _ out: inout Outbox
    ) -> Result<BootedImage, Refusal> {
        let bytes: [UInt8]
        let parsed: (package: ImagePackage, signedPart: [UInt8], signature: [UInt8])
        do {
            bytes = try flash.read(Int(entry.offset), Int(entry.length))
            parsed = try ImagePackage.parse(bytes)
        } catch {
            return .failure(Refusal(reason: "\(error)"))
        }
        // Reading 1 MiB takes about 25 ms at 40 MB/s, our estimate for quad SPI flash.
        out.spend(.nanoseconds(Int64(bytes.count) * 25))
        guard parsed.package.type == type else { return .failure(Refusal(reason: "image type \(parsed.package.type)")) }
        guard !BootChain.codeStages.contains(type) || StageCode.canStart(parsed.package.body) else {
            return .failure(Refusal(reason: "its code does not start"))
        }
        // RFC 9783 section 4.4.1 wants 32 bytes: of nobody who has been checked.
        var signer = [UInt8](repeating: 0, count: 32)
        if isSecure {
            guard let key = trusted[parsed.package.signer] else { return .failure(Refusal(reason: "untrusted signer")) }
            out.spend(.nanoseconds(cost.verifyNanoseconds))
            guard key.isValid(signature: parsed.signature, digest: sha256(parsed.signedPart)) else {
                return .failure(Refusal(reason: "bad signature"))
            }
            signer = sha256(key.bytes)
        }
        let floor = pluton.counter(BootChain.counter(type, ordinal))
        if refusesOldVersions && parsed.package.securityVersion < UInt32(floor) {
            return .failure(Refusal(reason: "rolled back: version \(parsed.package.securityVersion) below \(floor)"))
        }
        let digest = sha256(bytes)
        guard pluton.extend(type: UInt32(type.rawValue), digest: digest, signer: signer) else {
            return .failure(Refusal(reason: "more than \(Pluton.measurementLimit) images"))
        }
        return .success(BootedImage(package: parsed.package, digest: digest, ordinal: ordinal, slot: entry.slot))
    }

    /// A keystore's body is a row of 64-byte public keys; 1BL's begins with one, which signs the keystore.
    private mutating func trust(_ keys: [UInt8]) {
        for start in stride(from: 0, to: keys.count - 63, by: 64) {
            let bytes = Array(keys[start..<start + 64])
            if let key = try? P256PublicKey(bytes) { trusted[Array(sha256(bytes)[..<20])] = key }
        }
    }
}

extension SecurityCore.End {
    /// As an observation says it.
    var reason: String {
        switch self {
        case .handedOver: "handed over"
        case .halted(BootReport.Result.badTable.rawValue): "no readable partition table"
        case .halted: "no copy passed"
        case .hung: "boot code hangs"
        case .crashed: "boot code crashed"
        }
    }
}

extension BootReport {
    /// Why a copy did not pass.
    fileprivate func reason(_ package: ImagePackage) -> String {
        switch result {
        case .wrongType: "image type \(package.type)"
        case .untrustedSigner: "untrusted signer"
        case .badSignature: "bad signature"
        case .rolledBack: "rolled back: version \(package.securityVersion) below \(detail)"
        case .listFull: "more than \(Pluton.measurementLimit) images"
        default: "not an image package"
        }
    }
}

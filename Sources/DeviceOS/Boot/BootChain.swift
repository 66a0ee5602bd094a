import Formats
import SecureChannel
import Silicon
import Wire

/// ROM → 1BL → trusted keystore → Pluton runtime → security monitor → kernel → services → apps (HW-25).
///
/// Each image is read from flash, verified, measured, and only then used. A copy that fails is answered with
/// the backup copy and an observation of the reason; if both fail, the boot ends there.
struct BootChain {
    /// An image that passed.
    struct Booted {
        var package: ImagePackage
        /// SHA-256 of the whole package.
        var digest: [UInt8]
        /// The n-th image of its type.
        var ordinal: Int
        var slot: FlashLayout.Slot
    }

    struct Result {
        var images: [ImageType: [Booted]] = [:]
        var roots: [Certificate] = []
        /// Copies that did not pass, and why.
        var refused: [String] = []

        var all: [Booted] { images.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap(\.value) }
    }

    /// Which anti-rollback counter in Pluton stands for an image: each type before apps has its own, and so have the
    /// first four apps.
    static func counter(_ type: ImageType, _ ordinal: Int) -> Int {
        let types: [ImageType] = [
            .oneBL, .trustedKeystore, .updateCertificateStore, .policy, .plutonRuntime, .securityMonitor, .kernel, .services,
        ]
        return types.firstIndex(of: type) ?? types.count + min(ordinal, FuseBank.counterCount - types.count - 1)
    }

    /// The stages before apps, in order.
    static let stages: [ImageType] = [
        .oneBL, .trustedKeystore, .plutonRuntime, .securityMonitor, .kernel, .updateCertificateStore, .policy, .services,
    ]

    let flash: Flash
    let fuses: FuseBank
    let pluton: Pluton
    let isSecure: Bool
    /// `rollback-protection`: an image below its counter does not start.
    let refusesOldVersions: Bool
    let cost: CryptoCost
    private(set) var trusted: [[UInt8]: P256PublicKey] = [:]
    private var refused: [String] = []

    init(flash: Flash, fuses: FuseBank, pluton: Pluton, isSecure: Bool, refusesOldVersions: Bool, cost: CryptoCost) {
        self.refusesOldVersions = refusesOldVersions
        self.flash = flash
        self.fuses = fuses
        self.pluton = pluton
        self.isSecure = isSecure
        self.cost = cost
    }

    /// Nil if the device cannot come up; the observations say why.
    mutating func run(_ out: inout Outbox) -> Result? {
        guard let layout = readLayout(&out) else {
            out.observe(.bootFailed, [.stage: "ROM", .reason: "no readable partition table"])
            return nil
        }
        var result = Result()
        for stage in BootChain.stages {
            guard let booted = start(stage, in: layout, &out).first else {
                out.observe(.bootFailed, [.stage: .text(stage.name), .reason: "no copy passed"])
                return nil
            }
            result.images[stage] = [booted]
            if stage == .oneBL { trust(Array(booted.package.body.prefix(64))) }
            if stage == .trustedKeystore { trust(booted.package.body) }
            if stage == .updateCertificateStore {
                result.roots = (try? CertificateBundle.decode(booted.package.body)) ?? []
            }
        }
        result.images[.applications] = start(.applications, in: layout, &out)
        result.refused = refused
        return result
    }

    /// Starts the images of one type anew, as flash has them now.
    mutating func restart(_ type: ImageType, _ out: inout Outbox) -> [Booted]? {
        readLayout(&out).map { start(type, in: $0, &out) }
    }

    private func readLayout(_ out: inout Outbox) -> FlashLayout? {
        var newest: FlashLayout?
        for (slot, offset) in FlashLayout.tableOffsets.enumerated() {
            do {
                let layout = try FlashLayout(sector: try flash.read(offset, FlashLayout.sectorBytes))
                if layout.generation > newest?.generation ?? 0 { newest = layout }
            } catch {
                out.observe(
                    .bootFallback,
                    [.stage: "ROM", .slot: .number(Int64(slot)), .reason: .text("partition table: \(error)")])
            }
        }
        return newest
    }

    /// All images of a type: for each, the primary copy or else its backup.
    private mutating func start(_ type: ImageType, in layout: FlashLayout, _ out: inout Outbox) -> [Booted] {
        let copies = layout.entries.filter { $0.type == type.rawValue }
        let primaries = copies.filter { $0.slot == .primary }
        let backups = copies.filter { $0.slot == .backup }
        var booted: [Booted] = []
        for (index, primary) in primaries.enumerated() {
            let candidates = [primary] + (index < backups.count ? [backups[index]] : [])
            for candidate in candidates {
                switch check(candidate, type, index, &out) {
                case .success(let image):
                    booted.append(image)
                    out.observe(
                        .bootStage,
                        [
                            .stage: .text(type.name), .image: .text(image.package.name),
                            .slot: .text(candidate.slot == .primary ? "primary" : "backup"),
                            .version: .number(Int64(image.package.securityVersion)), .digest: .text(image.digest.hex.digestHead),
                        ])
                case .failure(let refusal):
                    refused.append("\(type.name): \(refusal.reason)")
                    out.observe(
                        .bootFallback,
                        [
                            .stage: .text(type.name), .reason: .text(refusal.reason),
                            .slot: .text(candidate.slot == .primary ? "primary" : "backup"),
                        ])
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
    ) -> Swift.Result<Booted, Refusal> {
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
        var signer = parsed.package.signer
        if isSecure {
            guard let key = key(for: parsed.package) else {
                return .failure(Refusal(reason: "untrusted signer"))
            }
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
        return .success(Booted(package: parsed.package, digest: digest, ordinal: ordinal, slot: entry.slot))
    }

    /// The ROM knows the boot key by its hash in fuses, and 1BL carries the key itself; everything later is
    /// signed by a key in the trusted keystore.
    private func key(for package: ImagePackage) -> P256PublicKey? {
        switch package.type {
        case .oneBL:
            guard package.body.count >= 64 else { return nil }
            let bytes = Array(package.body[..<64])
            return sha256(bytes) == fuses.bootKeyHash ? try? P256PublicKey(bytes) : nil
        default: return trusted[package.signer]
        }
    }

    /// A keystore's body is a row of 64-byte public keys; 1BL's begins with one, which signs the keystore.
    private mutating func trust(_ keys: [UInt8]) {
        for start in stride(from: 0, to: keys.count - 63, by: 64) {
            let bytes = Array(keys[start..<start + 64])
            if let key = try? P256PublicKey(bytes) { trusted[Array(sha256(bytes)[..<20])] = key }
        }
    }
}

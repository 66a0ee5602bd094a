import Formats
import SecureChannel

/// An app as it leaves its developer: a manifest and a program.
public struct AppSource {
    public var name: String
    public var manifest: [UInt8]
    public var program: [UInt8]
    /// What else is in the package, by path.
    public var resources: [String: [UInt8]] = [:]
    public init(name: String, manifest: [UInt8], program: [UInt8]) {
        self.name = name
        self.manifest = manifest
        self.program = program
    }
}

/// Makes what a device leaves the factory with: signed images, two copies of each, in 16 MiB of flash. And what its
/// vendor releases later.
public struct FlashBuilder {
    /// Signs 1BL and the keystore; its hash is fused. It never leaves the factory.
    public let bootKey = FactoryKey()
    /// Production keys by generation: the first are in every keystore, the second in keystores that bring them.
    public let osKeys = [FactoryKey(), FactoryKey()]
    public let appKeys = [FactoryKey(), FactoryKey()]
    /// What developers sign with, and anybody may know (X-3): the service signs anew what it takes in (IMG-5).
    public let developmentKey = FactoryKey()
    /// Unix seconds.
    let builtAt: UInt64
    public let osVersion: String
    /// Machine code of the first boot loader, as it lies from `FlashLayout.loaderAddress` on.
    let loader: [UInt8]

    public init(osVersion: String, unixSeconds: Int64, loader: [UInt8]) {
        self.osVersion = osVersion
        self.loader = loader
        builtAt = UInt64(max(0, unixSeconds))
    }

    public var bootKeyHash: [UInt8] { sha256(bootKey.key.publicKey.bytes) }

    public struct Product {
        public var flash: [UInt8]
        /// Image type and SHA-256 of each package: the verifier's reference values.
        public var measurements: [(type: UInt32, sha256: [UInt8])]
    }

    /// What the OS of a version keeps attackers from, as its images say it of themselves.
    static let hardening = ["w-xor-x", "proc-mem-read-only", "protected-symlinks", "uid-map-checked"]
    private static let stageSizes: [(type: ImageType, bytes: Int)] = [
        (.plutonRuntime, 24 << 10), (.securityMonitor, 48 << 10), (.kernel, 96 << 10),
    ]

    /// Versions of what is put into flash, where it is not what leaves the factory first.
    public struct Versions: Hashable, Sendable {
        public var os: String?
        /// What anti-rollback goes by.
        public var osSecurity: UInt32 = 1
        /// Version and security version of apps, by name.
        public var apps: [String: [UInt32]] = [:]
        public init() {}
    }

    public func build(apps: [AppSource], trust: Trust, _ versions: Versions = Versions()) throws -> Product {
        let (os, app) = (osKeys[0], appKeys[0])
        let osVersion = versions.os ?? self.osVersion
        let first =
            FlashBuilder.loaderBody(key: bootKey.key.publicKey.bytes, code: loader)
            + code(ImageType.oneBL.name, self.osVersion, bytes: 4 << 10)
        var packages: [(ImageType, [UInt8])] = [
            (.oneBL, sign(.oneBL, "1BL", first, bootKey)), (.trustedKeystore, keystore(trust)),
        ]
        for (type, size) in FlashBuilder.stageSizes {
            // A release of an OS brings no kernel, and no boot loader.
            let (version, security) = type == .kernel ? (self.osVersion, 1) : (osVersion, versions.osSecurity)
            packages.append((type, sign(type, type.name, code(type.name, version, bytes: size), os, version: security)))
        }
        packages.append((.updateCertificateStore, try trustStore(trust, os)))
        packages.append((.policy, policyImage(trust, os)))
        let services = code(ImageType.services.name, osVersion, bytes: 32 << 10)
        packages.append((.services, sign(.services, osVersion, services, os, version: versions.osSecurity)))
        for source in apps {
            let version = versions.apps[source.name] ?? [1, 1]
            packages.append((.applications, package(source, version: version[0], securityVersion: version[1], key: app)))
        }
        return Product(
            flash: try place(packages), measurements: packages.map { (UInt32($0.0.rawValue), sha256($0.1)) })
    }

    /// 1BL's body begins with the key that it is signed with; then the length of its code, and the code.
    public static func loaderBody(key: [UInt8], code: [UInt8]) -> [UInt8] {
        key + UInt32(code.count).littleEndianBytes + code
    }

    // MARK: Releases

    /// A new OS: Pluton runtime, security monitor and services, signed for development.
    /// - Parameter defect: What is wrong with its services.
    public func os(version: String, securityVersion: UInt32, defect: SystemDefect? = nil) -> [[UInt8]] {
        let stages = FlashBuilder.stageSizes.filter { $0.type != .kernel }.map { ($0.type, $0.type.name, $0.bytes) }
        return (stages + [(.services, version, 32 << 10)]).map { type, name, size in
            let body = code(type.name, version, bytes: size, type == .services ? defect : nil)
            return sign(type, name, body, developmentKey, version: securityVersion)
        }
    }

    /// A new version of an app, signed for development.
    /// - Parameter securityVersion: Nil for the version.
    public func app(_ source: AppSource, version: UInt32, securityVersion: UInt32? = nil) -> [UInt8] {
        package(source, version: version, securityVersion: securityVersion ?? version, key: developmentKey)
    }

    private func package(_ app: AppSource, version: UInt32, securityVersion: UInt32, key: FactoryKey) -> [UInt8] {
        let own = ["app_manifest.json": app.manifest, "bin/app": app.program, "version": Array("\(version)\n".utf8)]
        let files = app.resources.merging(own) { _, own in own }
        return sign(.applications, app.name, CompressedROM.pack(files, name: app.name), key, version: securityVersion)
    }

    func sign(
        _ type: ImageType, _ name: String, _ body: [UInt8], _ key: FactoryKey, version: UInt32 = 1, board: String = ""
    ) -> [UInt8] {
        let package = ImagePackage(
            body: body, type: type, component: FlashBuilder.guid("component \(board)\(type.name) \(type == .applications ? name : "")"),
            image: FlashBuilder.guid("image \(name) \(version) \(sha256(body).hex)"),
            signer: Array(sha256(key.key.publicKey.bytes)[..<20]), builtAt: builtAt, name: name, securityVersion: version)
        let signed = package.signedPart
        return signed + key.key.sign(digest: sha256(signed))
    }

    /// A GUID that is the same for the same name (RFC 9562 version 8).
    static func guid(_ name: String) -> GUID {
        var bytes = Array(sha256(Array(name.utf8))[..<16])
        bytes[7] = bytes[7] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return GUID(bytes: bytes)!
    }

    /// What stands for a stage's machine code, which services in Swift do the work of: its version, what it is
    /// hardened against, and a filling of the right order of size.
    func code(_ stage: String, _ version: String, bytes: Int, _ defect: SystemDefect? = nil) -> [UInt8] {
        // The linker has left it empty.
        if defect == .noBoot { return [UInt8](repeating: 0xFF, count: bytes) }
        var code = StageCode(stage: stage, version: version, hardening: FlashBuilder.hardening)
        defect?.spoil(&code)
        let head = code.firstLine
        var filling: [UInt8] = []
        var block = sha256(head)
        while filling.count < bytes {
            filling += block
            block = sha256(block)
        }
        return head + filling.prefix(bytes)
    }

    /// Images that do not fit, with the bytes of each.
    public struct FlashFull: Error, CustomStringConvertible {
        public var packages: [(name: String, bytes: Int)]
        public var description: String {
            "two copies of all images do not fit into \(FlashLayout.imageArea.count) bytes of flash: "
                + packages.map { "\($0.name) \($0.bytes)" }.joined(separator: ", ")
        }
    }

    func place(_ packages: [(ImageType, [UInt8])]) throws(FlashFull) -> [UInt8] {
        let sector = FlashLayout.sectorBytes
        let needed = packages.reduce(0) { $0 + 2 * ($1.1.count + sector - 1) / sector * sector + sector }
        guard needed <= FlashLayout.imageArea.count else { throw FlashFull(packages: packages.map { ($0.0.name, $0.1.count) }) }
        var flash = [UInt8](repeating: 0xFF, count: FlashLayout.totalBytes)
        var entries: [FlashLayout.Entry] = []
        var offset = 64 << 10
        for slot in [FlashLayout.Slot.primary, .backup] {
            for (type, bytes) in packages {
                flash.replaceSubrange(offset..<offset + bytes.count, with: bytes)
                entries.append(
                    .init(type: type.rawValue, slot: slot, offset: UInt32(offset), length: UInt32(bytes.count)))
                offset += (bytes.count + FlashLayout.sectorBytes - 1) / FlashLayout.sectorBytes * FlashLayout.sectorBytes
            }
        }
        let table = FlashLayout(entries: entries).encoded()
        for place in FlashLayout.tableOffsets { flash.replaceSubrange(place..<place + table.count, with: table) }
        return flash
    }
}

import Formats
public import SecureChannel

/// An app as it leaves its developer: a manifest and a program.
public struct AppSource {
    public var name: String
    public var manifest: [UInt8]
    public var program: [UInt8]
    public init(name: String, manifest: [UInt8], program: [UInt8]) {
        self.name = name
        self.manifest = manifest
        self.program = program
    }
}

/// Makes what a device leaves the factory with: signed images, two copies of each, in 16 MiB of flash.
public struct FlashBuilder {
    /// Signs 1BL and the keystore; its hash is fused.
    public let bootKey = FactoryKey()
    let osKey = FactoryKey()
    let appKey = FactoryKey()
    /// Unix seconds.
    let builtAt: UInt64
    public let osVersion: String

    public init(osVersion: String, unixSeconds: Int64) {
        self.osVersion = osVersion
        builtAt = UInt64(max(0, unixSeconds))
    }

    public var bootKeyHash: [UInt8] { sha256(bootKey.key.publicKey.bytes) }

    public struct Product {
        public var flash: [UInt8]
        /// Image type and SHA-256 of each package: the verifier's reference values.
        public var measurements: [(type: UInt32, sha256: [UInt8])]
    }

    public func build(apps: [AppSource], roots: [Certificate]) throws(CryptoError) -> Product {
        let keystore = osKey.key.publicKey.bytes + appKey.key.publicKey.bytes
        var packages: [(ImageType, [UInt8])] = [
            (.oneBL, sign(.oneBL, "1BL", bootKey.key.publicKey.bytes + code(.oneBL, bytes: 8 << 10), bootKey)),
            (.trustedKeystore, sign(.trustedKeystore, "keystore", keystore, bootKey)),
        ]
        for (type, size) in [
            (ImageType.plutonRuntime, 24 << 10), (.securityMonitor, 48 << 10), (.kernel, 96 << 10),
        ] {
            packages.append((type, sign(type, type.name, code(type, bytes: size), osKey)))
        }
        packages.append(
            (.updateCertificateStore, sign(.updateCertificateStore, "roots", try CertificateBundle.encode(roots), osKey)))
        packages.append((.services, sign(.services, osVersion, code(.services, bytes: 32 << 10), osKey)))
        for app in apps {
            let body = CompressedROM.pack(["app_manifest.json": app.manifest, "bin/app": app.program], name: app.name)
            packages.append((.applications, sign(.applications, app.name, body, appKey)))
        }
        return Product(
            flash: place(packages), measurements: packages.map { (UInt32($0.0.rawValue), sha256($0.1)) })
    }

    private func sign(_ type: ImageType, _ name: String, _ body: [UInt8], _ key: FactoryKey) -> [UInt8] {
        let package = ImagePackage(
            body: body, type: type, component: guid("component \(type.name) \(type == .applications ? name : "")"),
            image: guid("image \(name) \(osVersion) \(sha256(body).hex)"),
            signer: Array(sha256(key.key.publicKey.bytes)[..<20]), builtAt: builtAt, name: name)
        let signed = package.signedPart
        return signed + key.key.sign(digest: sha256(signed))
    }

    /// A GUID that is the same for the same name (RFC 9562 version 8).
    private func guid(_ name: String) -> GUID {
        var bytes = Array(sha256(Array(name.utf8))[..<16])
        bytes[7] = bytes[7] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return GUID(bytes: bytes)!
    }

    /// What stands for a stage's machine code, which services in Swift do the work of: its version and a
    /// filling of the right order of size.
    private func code(_ type: ImageType, bytes: Int) -> [UInt8] {
        let head = Array("{\"stage\":\"\(type.name)\",\"version\":\"\(osVersion)\"}\n".utf8)
        var filling: [UInt8] = []
        var block = sha256(head)
        while filling.count < bytes {
            filling += block
            block = sha256(block)
        }
        return head + filling.prefix(bytes)
    }

    private func place(_ packages: [(ImageType, [UInt8])]) -> [UInt8] {
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

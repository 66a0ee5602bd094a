/// Kinds of image, with the original's numbers (HW-27).
public enum ImageType: UInt16, Sendable, CaseIterable {
    case oneBL = 1
    case plutonRuntime = 2
    case wifiFirmware = 3
    case securityMonitor = 4
    case loader = 5
    case deviceTree = 6
    case kernel = 7
    case rootFileSystem = 8
    case services = 9
    case applications = 10
    case trustedKeystore = 19
    case policy = 20
    case updateCertificateStore = 22
    case recoveryManifest = 26

    public var name: String {
        switch self {
        case .oneBL: "1BL"
        case .plutonRuntime: "Pluton runtime"
        case .wifiFirmware: "Wi-Fi firmware"
        case .securityMonitor: "security monitor"
        case .loader: "normal-world loader"
        case .deviceTree: "device tree"
        case .kernel: "kernel"
        case .rootFileSystem: "root file system"
        case .services: "services"
        case .applications: "application"
        case .trustedKeystore: "trusted keystore"
        case .policy: "policy"
        case .updateCertificateStore: "update certificate store"
        case .recoveryManifest: "recovery manifest"
        }
    }
}

/// Why bytes are no image package. The words follow the original's category 42, ImageMetadata (OS-14).
public enum ImageError: Error, Equatable, Sendable {
    case truncated(bytes: Int)
    case badMetadataLength(UInt32)
    case badMagic(UInt32)
    case sectionOverruns(tag: UInt16)
    case missingSection(String)
    case unknownType(UInt16)
    case unknownSignatureKind(UInt32)
}

/// A signed image (IMG-1 … IMG-3): body, metadata, u32 length of the metadata, 64 bytes of ECDSA-P256
/// signature r ‖ s over the SHA-256 of all that stands before it.
public struct ImagePackage: Equatable, Sendable {
    public static let magic: UInt32 = 0x4D34_5834
    public static let signatureBytes = 64

    public var body: [UInt8]
    public var type: ImageType
    public var component: GUID
    public var image: GUID
    /// SHA-1 thumbprint in the original; here the first 20 bytes of the SHA-256 of the signer's public key.
    public var signer: [UInt8]
    /// Unix seconds.
    public var builtAt: UInt64
    public var name: String
    public var isUnderDevelopment: Bool
    /// What the anti-rollback counter of its kind must not exceed (section RV); 0 for images before there were any.
    public var securityVersion: UInt32

    public init(
        body: [UInt8], type: ImageType, component: GUID, image: GUID, signer: [UInt8], builtAt: UInt64,
        name: String, isUnderDevelopment: Bool = false, securityVersion: UInt32 = 0
    ) {
        self.securityVersion = securityVersion
        self.body = body
        self.type = type
        self.component = component
        self.image = image
        self.signer = signer
        self.builtAt = builtAt
        self.name = name
        self.isUnderDevelopment = isUnderDevelopment
    }

    /// Everything that the signature covers.
    public var signedPart: [UInt8] {
        let development: UInt32 = isUnderDevelopment ? 2 : 0
        let sections: [(tag: UInt16, data: [UInt8])] = [
            (Tag.identity, type.rawValue.littleEndianBytes + [0, 0] + component.bytes + image.bytes),
            (Tag.signature, signer + UInt32(1).littleEndianBytes),
            (Tag.debug, builtAt.littleEndianBytes + .padded(name, to: 32)),
            (Tag.temporary, development.littleEndianBytes), (Tag.revocation, securityVersion.littleEndianBytes),
        ]
        var metadata = ImagePackage.magic.littleEndianBytes + UInt32(sections.count).littleEndianBytes
        for (tag, data) in sections {
            metadata += tag.littleEndianBytes + UInt16(data.count).littleEndianBytes + data
        }
        return body + metadata + UInt32(metadata.count).littleEndianBytes
    }

    /// Splits a package. The signature is returned, not judged.
    /// The SDK's key, which everybody has: its scalar is the SHA-256 of this.
    public static let developmentKeyName = "Orrery SDK development key"

    public static func parse(
        _ bytes: [UInt8]
    ) throws(ImageError) -> (package: ImagePackage, signedPart: [UInt8], signature: [UInt8]) {
        let end = bytes.count - signatureBytes
        guard end >= 4 + 8, let length = Bytes(bytes).u32(end - 4) else { throw .truncated(bytes: bytes.count) }
        guard length >= 8, Int(length) <= end - 4 else { throw .badMetadataLength(length) }
        let start = end - 4 - Int(length)
        let metadata = Bytes(Array(bytes[start..<end - 4]))
        let magic = metadata.u32(0) ?? 0
        guard magic == ImagePackage.magic else { throw .badMagic(magic) }
        let sections = try sections(metadata)
        guard let identity = sections[Tag.identity].map(Bytes.init(_:)), let kind = identity.u16(0),
            let component = identity.block(4, 16).flatMap(GUID.init(bytes:)),
            let image = identity.block(20, 16).flatMap(GUID.init(bytes:))
        else { throw .missingSection("ID") }
        guard let type = ImageType(rawValue: kind) else { throw .unknownType(kind) }
        guard let sign = sections[Tag.signature].map(Bytes.init(_:)), let signer = sign.block(0, 20),
            let algorithm = sign.u32(20)
        else { throw .missingSection("SG") }
        guard algorithm == 1 else { throw .unknownSignatureKind(algorithm) }
        let debug = sections[Tag.debug].map(Bytes.init(_:))
        let package = ImagePackage(
            body: Array(bytes[..<start]), type: type, component: component, image: image, signer: signer,
            builtAt: debug?.u64(0) ?? 0, name: debug?.block(8, 32)?.zeroTerminated ?? "",
            isUnderDevelopment: (sections[Tag.temporary].flatMap { Bytes($0).u32(0) } ?? 0) & 2 != 0,
            securityVersion: sections[Tag.revocation].flatMap { Bytes($0).u32(0) } ?? 0)
        return (package, Array(bytes[..<end]), Array(bytes[end...]))
    }

    private static func sections(_ metadata: Bytes) throws(ImageError) -> [UInt16: [UInt8]] {
        var sections: [UInt16: [UInt8]] = [:]
        var offset = 8
        for _ in 0..<min(metadata.u32(4) ?? 0, 64) {
            guard let tag = metadata.u16(offset), let length = metadata.u16(offset + 2),
                let data = metadata.block(offset + 4, Int(length))
            else { throw .sectionOverruns(tag: metadata.u16(offset) ?? 0) }
            sections[tag] = data
            offset += 4 + Int(length)
        }
        return sections
    }

    private enum Tag {
        static let identity: UInt16 = 0x4449
        static let signature: UInt16 = 0x4753
        static let debug: UInt16 = 0x4244
        static let temporary: UInt16 = 0x5054
        static let revocation: UInt16 = 0x5652
    }
}

import Formats
import SecureChannel

/// What a technician sends to a device in recovery mode, in the order in which it asks (HW-26): a loader, the list of the
/// images, and the images that a flash chip from the factory holds.
public struct RecoveryFile: Equatable, Sendable {
    public var name: String
    /// An image package behind its length: XMODEM fills its last block up.
    public var content: [UInt8]

    public init(name: String, package: [UInt8]) {
        self.name = name
        content = UInt32(package.count).littleEndianBytes + package
    }
}

extension FlashBuilder {
    /// - Parameters:
    ///   - loader: Machine code of the recovery loader, as it lies from `FlashLayout.loaderAddress` on.
    ///   - flash: 16 MiB as they leave the factory.
    public func recoveryFiles(loader: [UInt8], flash: [UInt8]) -> [RecoveryFile] {
        let body = FlashBuilder.loaderBody(key: bootKey.key.publicKey.bytes, code: loader)
        let packages = FlashBuilder.primaries(of: flash)
        let list = sign(.recoveryManifest, "recovery manifest", FlashBuilder.recoveryManifest(of: packages), bootKey)
        let first = [
            RecoveryFile(name: "00-recovery-1bl.bin", package: sign(.oneBL, "recovery 1BL", body, bootKey)),
            RecoveryFile(name: "01-recovery.imagemanifest.bin", package: list),
        ]
        return first
            + packages.enumerated().map { index, package in
                let (number, name) = (index + 2, FlashBuilder.fileName(of: package))
                return RecoveryFile(name: (number < 10 ? "0" : "") + "\(number)-\(name).bin", package: package)
            }
    }

    private static func primaries(of flash: [UInt8]) -> [[UInt8]] {
        let layout = FlashLayout.newest { Array(flash[$0..<$0 + $1]) }
        return (layout?.entries ?? []).filter { $0.slot == .primary }.map { Array(flash[Int($0.offset)..<Int($0.offset + $0.length)]) }
    }

    /// 40 bytes for each image: type, security version, length of its package, component ID, image ID.
    public static func recoveryManifest(of packages: [[UInt8]]) -> [UInt8] {
        packages.flatMap { bytes -> [UInt8] in
            guard let package = try? ImagePackage.parse(bytes).package else { return [] }
            return package.type.rawValue.littleEndianBytes + UInt16(clamping: package.securityVersion).littleEndianBytes
                + UInt32(bytes.count).littleEndianBytes + package.component.bytes
                + package.image.bytes
        }
    }

    private static func fileName(of package: [UInt8]) -> String {
        guard let image = try? ImagePackage.parse(package).package else { return "image" }
        let name = image.type == .applications ? image.name : image.type.name
        return String(name.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }
}

public import Formats
import Kernel
import SecureChannel
import Silicon

/// The images in flash, as far as programs have the security monitor change them.
public protocol ImageMemory {
    /// No image lies there, and images may.
    func isFree(_ place: Range<Int>) -> Bool
    func write(_ bytes: [UInt8], at offset: Int) throws
    /// Makes what lies there the first image of a type.
    mutating func install(_ type: ImageType, offset: Int, length: Int) throws
}

/// The security monitor, as far as programs reach it: the only way to flash. It decides by what is in flash and by the keys that
/// the boot chain trusts, not by who asks.
final class SecurityMonitor {
    private let flash: Flash
    /// By the first twenty bytes of their SHA-256, as image packages name them.
    private let trusted: [[UInt8]: P256PublicKey]
    /// What Pluton's counter says of an image type: an older one is not committed.
    private let leastVersion: (ImageType) -> UInt32
    private let open: () throws -> (any ImageMemory)?
    /// What a base manifest says instead.
    private var manifest: [ImageType: UInt32] = [:]

    init(
        flash: Flash, trusted: [[UInt8]: P256PublicKey], leastVersion: @escaping (ImageType) -> UInt32,
        open: @escaping () throws -> (any ImageMemory)?
    ) {
        (self.flash, self.trusted, self.leastVersion, self.open) = (flash, trusted, leastVersion, open)
    }

    func carryOut(_ call: MonitorCall) throws(Errno) {
        do {
            guard var images = try open() else { throw Errno.EIO }
            switch call {
            case .stageManifest(let number, let version, let signature, let isChecked):
                guard let type = ImageType(rawValue: number) else { throw Errno.EINVAL }
                let digest = sha256(UInt32(number).littleEndianBytes + version.littleEndianBytes)
                guard !isChecked || trusted.values.contains(where: { $0.isValid(signature: signature, digest: digest) }) else {
                    throw Errno.EPERM
                }
                manifest[type] = version
            case .write(let offset, let bytes, let isChecked):
                let place = Int(offset)..<Int(offset) + bytes.count
                guard Int(offset) % Flash.sectorBytes == 0, place.upperBound <= Flash.totalBytes else { throw Errno.EINVAL }
                guard !isChecked || images.isFree(place) else { throw Errno.EPERM }
                try images.write(bytes, at: Int(offset))
            case .commit(let number, let offset, let length, let isChecked):
                guard let type = ImageType(rawValue: number), length <= UInt32(Flash.totalBytes),
                    offset <= UInt32(Flash.totalBytes) - length
                else { throw Errno.EINVAL }
                if isChecked { try check(try flash.read(Int(offset), Int(length)), type) }
                try images.install(type, offset: Int(offset), length: Int(length))
            }
        } catch let error as Errno {
            throw error
        } catch {
            throw .EIO
        }
    }

    private func check(_ bytes: [UInt8], _ type: ImageType) throws(Errno) {
        guard let parsed = try? ImagePackage.parse(bytes), parsed.package.type == type else { throw .EINVAL }
        guard let key = trusted[parsed.package.signer],
            key.isValid(signature: parsed.signature, digest: sha256(parsed.signedPart)),
            parsed.package.securityVersion >= manifest[type] ?? leastVersion(type)
        else { throw .EPERM }
    }
}

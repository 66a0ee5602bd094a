public import Formats
import SecureChannel
public import Silicon

extension BootedImage {
    /// What lies in a place of flash, whoever signed it.
    public init(_ entry: FlashLayout.Entry, ordinal: Int, in flash: Flash) throws {
        let bytes = try flash.read(Int(entry.offset), Int(entry.length))
        self.init(package: try ImagePackage.parse(bytes).package, digest: sha256(bytes), ordinal: ordinal, slot: entry.slot)
    }

    /// SHA-256 of what lies in a place of flash; nil if it can't be read.
    public static func digest(_ entry: FlashLayout.Entry, in flash: Flash) -> [UInt8]? {
        (try? flash.read(Int(entry.offset), Int(entry.length))).map { sha256($0) }
    }
}

extension BootedSoftware {
    /// Whom the device trusts, as the image says that has started for it.
    public mutating func takeRoots() {
        guard let image = images[.updateCertificateStore]?.first else { return }
        roots = (try? CertificateBundle.decode(image.package.body)) ?? []
    }
}

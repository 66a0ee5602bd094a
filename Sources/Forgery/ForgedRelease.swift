import Formats
import SecureChannel
import TUF

/// A release that its vendor knows nothing of: an image with other content, and metadata for it by stolen keys.
public struct ForgedRelease {
    private static let leap: Int64 = 1000
    private static let lifeSeconds: Int64 = 86_400
    /// Type of an application's image (azure-sphere §2.4).
    private static let application: Int64 = 10

    private var keys: [String: TUFSigningKey] = [:]
    private let imageKey = P256PrivateKey()

    /// Draws the key that images are signed with: the production key is not among what was stolen.
    public init() {}

    /// - Parameter key: Of a repository's role, such as `director-targets-1`; a private scalar in hex.
    public mutating func steal(_ name: String, key: String) {
        keys[name] = [UInt8](hex: key).flatMap { try? P256PrivateKey(scalar: $0) }.map { TUFSigningKey($0) }
    }

    /// The last release of an app for a device, with other content, a higher version and new metadata all around.
    ///
    /// - Parameters:
    ///   - director: Path of the device's director repository.
    ///   - images: Path of the image repository; metadata and targets lie below it.
    /// - Returns: Files by path; none while nothing has been released that it could build on.
    public func files(_ recorded: RecordedRepository, director: String, images: String, unixSeconds now: Int64) -> [String: [UInt8]] {
        guard let named = recorded.targets(below: director),
            let (name, entry) = named.sorted(by: { $0.key > $1.key }).first(where: {
                $0.value["custom"]?["imageType"]?.asInteger == ForgedRelease.application
            }),
            let digest = entry["hashes"]?["sha256"]?.asString, let custom = entry["custom"]?.asObject,
            let original = recorded[RecordedRepository.path(of: name, digest: digest, below: images + "/targets")],
            let image = forgeImage(original)
        else { return [:] }
        let forgedName = "\(name.prefix { $0 != "@" })@\(image.version)"
        let target = TUFDocument.Target(
            length: image.bytes.count, sha256: sha256(image.bytes),
            custom: custom.merging(["version": .integer(Int64(image.version))]) { _, new in new })
        var files = [
            RecordedRepository.path(of: forgedName, digest: sha256(image.bytes).hex, below: images + "/targets"): image.bytes
        ]
        for (repository, path) in [("director", director), ("images", images + "/metadata")] {
            files.merge(sign(repository, path, [forgedName: target], recorded, now)) { $1 }
        }
        return files
    }

    /// Other content under a signature by nobody's key.
    private func forgeImage(_ original: [UInt8]) -> (bytes: [UInt8], version: UInt32)? {
        guard var package = (try? ImagePackage.parse(original))?.package, var files = try? CompressedROM.unpack(package.body) else {
            return nil
        }
        files["version"] = Array("not the vendor's\n".utf8)
        package.body = CompressedROM.pack(files, name: package.name)
        package.securityVersion += 1
        return (package.signedPart + imageKey.sign(digest: sha256(package.signedPart)), package.securityVersion)
    }

    private func sign(
        _ repository: String, _ path: String, _ targets: [String: TUFDocument.Target], _ recorded: RecordedRepository, _ now: Int64
    ) -> [String: [UInt8]] {
        func keys(_ names: String...) -> [TUFSigningKey] { names.compactMap { self.keys["\(repository)-\($0)"] } }
        let version = RecordedRepository.version(in: recorded.chain(below: path)["targets"]) + ForgedRelease.leap
        let end = now + ForgedRelease.lifeSeconds
        let targetsFile = TUFDocument.file(
            TUFDocument.targets(version: version, expires: end, targets: targets), signedBy: keys("targets-1", "targets-2"))
        let snapshot = TUFDocument.file(
            TUFDocument.snapshot(version: version, expires: end, targetsVersion: version, targets: targetsFile), signedBy: keys("snapshot"))
        let timestamp = TUFDocument.file(
            TUFDocument.timestamp(version: version, expires: end, snapshotVersion: version, snapshot: snapshot), signedBy: keys("timestamp")
        )
        return [
            "\(path)/timestamp.json": timestamp, "\(path)/\(version).snapshot.json": snapshot,
            "\(path)/\(version).targets.json": targetsFile,
        ]
    }
}

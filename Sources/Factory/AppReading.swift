import Formats
import FoundationEssentials

extension AppSource {
    /// Reads an app that somebody brings along: an image package, or a program with its manifest. What a device would refuse is
    /// refused before one is made.
    ///
    /// - Returns: The app, and what is odd about its manifest.
    public static func read(
        _ name: String, image: String?, program: String?, manifest: String?
    ) throws(AppProblem) -> (source: AppSource, warnings: [String]) {
        if let path = image {
            let package = try bytes(path)
            let files: [String: [UInt8]]
            do { files = try CompressedROM.unpack(ImagePackage.parse(package).package.body) } catch {
                throw AppProblem("app \(name): \(path) is no image package: \(error)")
            }
            return try checked(AppSource(name: name, manifest: files["app_manifest.json"] ?? [], program: []), files, path)
        }
        let (program, manifest) = (program ?? "", manifest ?? "")
        return try checked(
            AppSource(name: name, manifest: try bytes(manifest), program: try bytes(program)), nil, "\(program), \(manifest)")
    }

    private static func checked(
        _ source: AppSource, _ files: [String: [UInt8]]?, _ path: String
    ) throws(AppProblem) -> (source: AppSource, warnings: [String]) {
        var source = source
        let manifest: AppManifest
        do { manifest = try AppManifest(json: source.manifest) } catch let refusal {
            throw AppProblem("app \(source.name): \(path): \(refusal.code): \(refusal.reason)")
        }
        if let files {
            guard let program = files[String(manifest.entryPoint.dropFirst())] else {
                throw AppProblem("app \(source.name): \(path) has no \(manifest.entryPoint)")
            }
            source.program = program
            source.resources = files.filter { $0.key != "app_manifest.json" && $0.value != program }
        }
        do { _ = try ELFImage(source.program, mayMove: !manifest.isRealTime) } catch {
            throw AppProblem("app \(source.name): \(path): \(error)")
        }
        return (source, manifest.warnings.map { "app \(source.name): \($0)" })
    }

    private static func bytes(_ path: String) throws(AppProblem) -> [UInt8] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { throw AppProblem("cannot read \(path)") }
        return Array(data)
    }

    /// By its manifest.
    public var isRealTime: Bool { (try? AppManifest(json: manifest))?.isRealTime == true }

    /// In its image package.
    public var packageBytes: Int {
        let files = [manifest, program] + resources.values
        return files.reduce(FlashLayout.sectorBytes) { $0 + ($1.count + 31) / 32 * 32 }
    }
}

/// How much room a device has for apps.
public enum AppRoom {
    /// What the original has for all apps of a device together.
    public static let originalBytes = 1 << 20
    /// Two copies of all images lie in flash; the OS has its part of each half.
    public static let bytes = FlashLayout.imageArea.count / 2 - 512 << 10

    /// Why apps cannot be on a device together: two that want the same pins, of which a device would refuse the second.
    ///
    /// - Parameter apps: Names and manifests.
    public static func conflict(_ apps: [(name: String, manifest: [UInt8])]) -> String? {
        AppManifest.conflict(apps.compactMap { app in (try? AppManifest(json: app.manifest)).map { (name: app.name, manifest: $0) } })
    }
}

public import Formats
public import Kernel
import Silicon

/// What somebody hands over to be run: a program, or an image package with its manifest.
public struct Firmware {
    public enum Failure: Error, Equatable, CustomStringConvertible {
        case notARealTimeApp(String)
        case noProgram(String)

        public var description: String {
            switch self {
            case .notARealTimeApp(let name): "the app \(name) is for the A7, by its manifest, and not for a real-time core"
            case .noProgram(let path): "the package has no \(path), where its manifest says that the program is"
            }
        }
    }

    /// Whether a file is a program for the A7: one that may be anywhere, or is nowhere that a real-time core has memory.
    public static func isForApplicationCore(_ file: [UInt8]) -> Bool {
        if let app = try? app(file) { return !app.manifest.isRealTime }
        guard let program = try? ELFImage(file, mayMove: true) else { return false }
        return program.isPositionIndependent
            || !program.segments.allSatisfy { Chip.mt3620.hasRoomForCode(at: $0.address, count: $0.memoryBytes) }
    }
    /// What an image package has in it.
    public static func app(_ file: [UInt8]) throws -> AppImage {
        let files = try CompressedROM.unpack(ImagePackage.parse(file).package.body)
        return AppImage(files: files, manifest: try AppManifest(json: files["app_manifest.json"] ?? []))
    }

    public var program: ELFImage
    public var manifest: AppManifest?

    /// - Parameter manifest: Of an app whose file is the program alone; what a package brings is used without it.
    public init(_ file: [UInt8], manifest: [UInt8]?) throws {
        self.manifest = try manifest.map { json in try AppManifest(json: json) }
        if let package = try? ImagePackage.parse(file).package, package.type == .applications {
            let files = try CompressedROM.unpack(package.body)
            let own = try self.manifest ?? AppManifest(json: files["app_manifest.json"] ?? [])
            guard let bytes = files[String(own.entryPoint.dropFirst())] else { throw Failure.noProgram(own.entryPoint) }
            (program, self.manifest) = (try ELFImage(bytes), own)
        } else {
            program = try ELFImage(file)
        }
        if let manifest = self.manifest, !manifest.isRealTime { throw Failure.notARealTimeApp(manifest.name) }
    }
}

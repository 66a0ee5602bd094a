import Campaign
import Factory
import Formats
import Foundation
import Silicon

/// Apps that a topology file brings along.
enum AppFile {
    static func read(_ app: Plan.App, name: String) throws -> AppSource {
        if let image = app.image {
            let path = image
            let package = try bytes(path)
            let files: [String: [UInt8]]
            do { files = try CompressedROM.unpack(ImagePackage.parse(package).package.body) } catch {
                throw RunError("app \(name): \(path) is no image package: \(error)")
            }
            return try checked(AppSource(name: name, manifest: files["app_manifest.json"] ?? [], program: []), files, path)
        }
        let (program, manifest) = (app.program ?? "", app.manifest ?? "")
        return try checked(
            AppSource(name: name, manifest: try bytes(manifest), program: try bytes(program)), nil, "\(program), \(manifest)")
    }

    /// Refuses what a device would refuse, before one is made.
    private static func checked(_ source: AppSource, _ files: [String: [UInt8]]?, _ path: String) throws -> AppSource {
        var source = source
        do {
            let manifest = try AppManifest(json: source.manifest)
            if let files {
                guard let program = files[String(manifest.entryPoint.dropFirst())] else {
                    throw RunError("app \(source.name): \(path) has no \(manifest.entryPoint)")
                }
                source.program = program
                source.resources = files.filter { $0.key != "app_manifest.json" && $0.value != program }
            }
            _ = try ELFImage(source.program, mayMove: !manifest.isRealTime)
        } catch let error as RunError {
            throw error
        } catch let refusal as AppManifest.Refusal {
            throw RunError("app \(source.name): \(path): \(refusal.code): \(refusal.reason)")
        } catch {
            throw RunError("app \(source.name): \(path): \(error)")
        }
        return source
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { throw RunError("cannot read \(path)") }
        return Array(data)
    }

    /// All apps and attachments of a plan, as far as they can be told from their files.
    static func check(_ plan: Plan) throws {
        for (name, app) in plan.apps.sorted(by: { $0.key < $1.key }) { _ = try read(app, name: name) }
        for device in plan.devices {
            let board = Board()
            do { for text in device.attachments { try board.attach(text) } } catch { throw RunError("device \(device.name): \(error)") }
        }
    }
}

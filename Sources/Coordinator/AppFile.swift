import Factory
import Formats
import Foundation
import Judging
import Planning
import ReportFormats
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
            for warning in manifest.warnings { Orrery.warn("app \(source.name): \(warning)") }
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

    /// What the original has for all apps of a device together.
    private static let productBytes = 1 << 20
    /// Two copies of all images lie in flash; the OS has its part of each half.
    private static let roomBytes = FlashLayout.imageArea.count / 2 - 512 << 10

    /// In its image package.
    private static func size(of source: AppSource) -> Int {
        let files = [source.manifest, source.program] + source.resources.values
        return files.reduce(FlashLayout.sectorBytes) { $0 + ($1.count + 31) / 32 * 32 }
    }

    /// Apps that do not fit into flash twice are refused, and those that the original would have no room for are told of.
    private static func checkRoom(_ plan: Plan, _ sizes: [String: Int]) throws {
        var told: Set<[String]> = []
        for device in plan.devices where told.insert(device.apps).inserted {
            let own = device.apps.filter { sizes[$0] != nil }
            let total = own.reduce(0) { $0 + (sizes[$1] ?? 0) }
            guard total > productBytes * 2 / 3 else { continue }
            let list = own.map { "\($0) (\(path(of: plan.apps[$0]))) \(kibibytes(sizes[$0] ?? 0))" }.joined(separator: ", ")
            guard total <= roomBytes else {
                throw PlanProblems(
                    file: plan.file,
                    "device \(device.name): its apps do not fit into flash: \(list); there is room for two copies of \(kibibytes(roomBytes))"
                )
            }
            let comparison = total > productBytes ? "more than" : "close to"
            Terminal.note(
                "\(plan.file): device \(device.name): \(list): \(comparison) the \(kibibytes(productBytes)) that the MT3620 has for all apps"
            )
        }
    }

    /// Apps of one device that want the same pins: the second would be refused by the device.
    private static func checkPins(_ plan: Plan, _ manifests: [String: AppManifest]) throws {
        for device in plan.devices {
            let apps = device.apps.compactMap { app in
                (manifests[app] ?? (try? AppManifest(json: Workshop.manifest(of: app)))).map { (name: app, manifest: $0) }
            }
            if let conflict = AppManifest.conflict(apps) { throw PlanProblems(file: plan.file, "device \(device.name): \(conflict)") }
        }
    }

    private static func path(of app: Plan.App?) -> String { app?.image ?? app?.program ?? "" }
    private static func kibibytes(_ bytes: Int) -> String { "\((bytes + 1023) >> 10) KiB" }

    /// Where files of attachments are looked for.
    static func folder(of plan: Plan) -> String {
        plan.file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// All apps and attachments of a plan, as far as they can be told from their files.
    static func check(_ plan: Plan) throws {
        var sizes: [String: Int] = [:]
        var manifests: [String: AppManifest] = [:]
        for (name, app) in plan.apps.sorted(by: { $0.key < $1.key }) {
            let source = try read(app, name: name)
            sizes[name] = size(of: source)
            manifests[name] = try? AppManifest(json: source.manifest)
        }
        try checkRoom(plan, sizes)
        try checkPins(plan, manifests)
        for device in plan.devices {
            let board = Board()
            do {
                for text in device.attachments {
                    try board.attach(Attachments.resolved(text, inputs: folder(of: plan), outputs: ""))
                    if Attachments.changesInput(text) {
                        throw AttachmentError("'\(text)': a run that changes what it is made of is no run twice")
                    }
                }
            } catch { throw RunError("device \(device.name): \(error)") }
        }
    }
}

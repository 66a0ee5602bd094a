import Catalogue
import Factory
import Foundation
public import Planning
import RunFiles
import Wire

/// Apps that a topology file brings along.
public enum AppFiles {
    static func read(_ app: Plan.App, name: String) throws(AppProblem) -> (source: AppSource, warnings: [String]) {
        try AppSource.read(name, image: app.image, program: app.program, manifest: app.manifest)
    }

    /// Apps that do not fit into flash twice are refused, and those that the original would have no room for are told of.
    private static func checkRoom(_ plan: Plan, _ sizes: [String: Int], _ notes: inout [String]) throws {
        var told: Set<[String]> = []
        for device in plan.devices where told.insert(device.apps).inserted {
            let own = device.apps.filter { sizes[$0] != nil }
            let total = own.reduce(0) { $0 + (sizes[$1] ?? 0) }
            guard total > AppRoom.originalBytes * 2 / 3 else { continue }
            let list = own.map { "\($0) (\(path(of: plan.apps[$0]))) \(kibibytes(sizes[$0] ?? 0))" }.joined(separator: ", ")
            guard total <= AppRoom.bytes else {
                throw PlanProblems(
                    file: plan.file,
                    "device \(device.name): its apps do not fit into flash: \(list); there is room for two copies of \(kibibytes(AppRoom.bytes))"
                )
            }
            let comparison = total > AppRoom.originalBytes ? "more than" : "close to"
            notes.append(
                "\(plan.file): device \(device.name): \(list): \(comparison) the \(kibibytes(AppRoom.originalBytes)) that the MT3620 has for all apps"
            )
        }
    }

    private static func path(of app: Plan.App?) -> String { app?.image ?? app?.program ?? "" }
    private static func kibibytes(_ bytes: Int) -> String { "\((bytes + 1023) >> 10) KiB" }

    /// Where files of attachments are looked for.
    static func folder(of plan: Plan) -> String {
        plan.file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// All apps and attachments of a plan, as far as they can be told from their files.
    ///
    /// - Returns: What a person should know of them.
    public static func check(_ plan: Plan) throws -> [String] {
        var notes: [String] = []
        var sizes: [String: Int] = [:]
        var manifests: [String: [UInt8]] = [:]
        var realTimeApps: Set<String> = []
        for (name, app) in plan.apps.sorted(by: { $0.key < $1.key }) {
            let (source, warnings) = try read(app, name: name)
            notes += warnings.map { "warning: " + $0 }
            sizes[name] = source.packageBytes
            manifests[name] = source.manifest
            if source.isRealTime { realTimeApps.insert(name) }
        }
        try checkRoom(plan, sizes, &notes)
        for device in plan.devices {
            let apps = device.apps.map { (name: $0, manifest: manifests[$0] ?? RunProvisioner.manifest(of: $0)) }
            if let conflict = AppRoom.conflict(apps) { throw PlanProblems(file: plan.file, "device \(device.name): \(conflict)") }
            guard let missing = device.kind.missing([.realTimeCores]), let app = device.apps.first(where: realTimeApps.contains) else {
                continue
            }
            throw PlanProblems(
                file: plan.file,
                "device \(device.name): \(app) runs on a real-time core, and a device of kind \(device.kind.rawValue) has no \(missing)")
        }
        for device in plan.devices {
            do { try Wiring.check(device.attachments, inputs: folder(of: plan)) } catch {
                throw RunError("device \(device.name): \(error)")
            }
        }
        return notes
    }

    /// What ends outside of the run has no place in virtual time. The file may be good all the same: it says nothing of the clock.
    public static func checkClock(_ plan: Plan) throws {
        guard plan.clock == .virtual else { return }
        for device in plan.devices {
            if let reason = Wiring.outside(device.attachments) { throw RunError("device \(device.name): \(reason)") }
        }
    }
}

import Catalogue
import Foundation
import Judging
import Planning
import ReportFormats
import SecureChannel
import Version
import Wire

extension Provenance {
    /// Hashes all files that a run of the plan is made of.
    static func gather(_ plan: Plan, guestFolder: String) -> Provenance {
        let own = plan.apps.values.flatMap { [$0.image, $0.program, $0.manifest].compactMap(\.self) }
        let files = Set(plan.sources + own).map { File(path: $0, sha256: hash($0)) }
        let guest = Workshop.guestPrograms(plan).map { File(path: "guest/\($0).elf", sha256: hash("\(guestFolder)/\($0).elf")) }
        return Provenance(version: Version.described, files: files + guest)
    }

    private static func hash(_ path: String) -> String? { FileManager.default.contents(atPath: path).map { sha256(Array($0)).hex } }
}

extension Workshop {
    static let panel = "panel"

    /// The panel's vendor builds it with a guard on the stack, or without.
    static func guestProgram(of app: String, _ plan: Plan) -> String {
        app == panel ? "\(app)-\(plan.controlsOff.contains(.stackProtection) ? "plain" : "hardened")" : app
    }

    /// All built guest code that a run of the plan uses.
    static func guestPrograms(_ plan: Plan) -> Set<String> {
        let released = plan.steps.compactMap { step -> String? in
            guard case .update(let order) = step.act, ![UpdateOrder.os, UpdateOrder.keystore].contains(order.image) else { return nil }
            return order.image
        }
        let apps = Set(plan.devices.flatMap(\.apps) + released).subtracting(plan.apps.keys).map { guestProgram(of: $0, plan) }
        return Set(apps + ["rom-\(plan.bootCode)", "onebl-\(plan.bootCode)", "onebl-implant", "recovery"])
    }
}

import Catalogue
import Factory
public import Planning
import Wire

extension Provenance {
    /// Hashes all files that a run of the plan is made of.
    public static func gather(_ plan: Plan, version: String, guestFolder: String) -> Provenance {
        let own = plan.apps.values.flatMap { [$0.image, $0.program, $0.manifest].compactMap(\.self) }
        let files = Set(plan.sources + own).map { File(path: $0, sha256: GuestProgram.hash(path: $0)) }
        let guest = plan.guestPrograms.map { File(path: "guest/\($0).elf", sha256: GuestProgram.hash(path: "\(guestFolder)/\($0).elf")) }
        return Provenance(version: version, files: files + guest)
    }
}

extension Plan {
    static let panel = "panel"

    /// The panel's vendor builds it with a guard on the stack, or without.
    func guestProgram(of app: String) -> String {
        app == Plan.panel ? "\(app)-\(controlsOff.contains(.stackProtection) ? "plain" : "hardened")" : app
    }

    /// All built guest code that a run uses.
    var guestPrograms: Set<String> {
        let released = steps.compactMap { step -> String? in
            guard case .update(let order) = step.act, ![UpdateOrder.os, UpdateOrder.keystore].contains(order.image) else { return nil }
            return order.image
        }
        let apps = Set(devices.flatMap(\.apps) + released).subtracting(self.apps.keys).map(guestProgram(of:))
        return Set(apps + ["rom-\(bootCode)", "onebl-\(bootCode)", "onebl-implant", "recovery"])
    }
}

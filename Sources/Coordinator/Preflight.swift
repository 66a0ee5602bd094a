import Foundation
import Judging
import Planning
import ReportFormats
import Runtime
import Silicon
import Wire

/// What can be known before anything starts: better one sentence now than half a fleet later.
struct Preflight {
    static let executables = ["orrery-threat", "orrery-service", "orrery-device", "orrery-gateway"]
    /// PSS of a device with one real-time app, measured by scripts/bench, with a reserve.
    static let bytesPerDevice = 14 << 20
    /// The injector's sockets: one for each node and some of its own.
    static let spareDescriptors = 64

    let binFolder: String

    func check(_ plan: Plan) throws {
        for name in Preflight.executables where !FileManager.default.isExecutableFile(atPath: "\(binFolder)/\(name)") {
            throw RunError("missing executable \(binFolder)/\(name): run 'swift build'")
        }
        try AppFile.check(plan)
        try checkOutside(plan)
        let descriptors = plan.devices.count * 3 + Preflight.spareDescriptors
        guard descriptors <= Machine.fileDescriptorLimit else {
            throw RunError(
                "\(plan.devices.count) devices need \(descriptors) open files and this shell allows "
                    + "\(Machine.fileDescriptorLimit): run 'ulimit -n \(descriptors)' first")
        }
        let needed = plan.devices.count * Preflight.bytesPerDevice
        if let available = Machine.availableMemoryBytes, needed > available {
            throw RunError(
                "\(plan.devices.count) devices need about \(needed >> 20) MiB of memory and \(available >> 20) MiB are "
                    + "free: at most \(available / Preflight.bytesPerDevice) devices fit here")
        }
    }

    private func checkOutside(_ plan: Plan) throws {
        guard plan.clock == .virtual else { return }
        for device in plan.devices {
            guard let text = device.attachments.first(where: Attachments.isOutside) else { continue }
            throw RunError("device \(device.name): '\(text)': \(OutsideEnd.needsWallClock)")
        }
    }

    /// The built guest code: `guest` beside one of the folders above the executables.
    var guestFolder: String {
        var folder = binFolder
        while folder.contains("/") {
            let candidate = folder + "/guest"
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            folder = folder.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        }
        return binFolder + "/guest"
    }
}

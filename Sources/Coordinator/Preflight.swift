import Foundation
import Planning
import Provisioning
import RunFiles
import Runtime

/// What can be known before anything starts: better one sentence now than half a fleet later.
struct Preflight: Sendable {
    static let executables = ["orrery-threat", "orrery-service", "orrery-device", "orrery-gateway"]
    /// PSS of a device with one real-time app, measured by scripts/bench, with a reserve.
    static let bytesPerDevice = 14 << 20
    /// The injector's sockets: one for each node and some of its own.
    static let spareDescriptors = 64

    let binFolder: String

    /// - Parameter binFolder: Where the executables lie.
    init(binFolder: String) { self.binFolder = binFolder }

    /// - Returns: What a person should know of the plan's files.
    func check(_ plan: Plan) throws -> [String] {
        for name in Preflight.executables where !FileManager.default.isExecutableFile(atPath: "\(binFolder)/\(name)") {
            throw RunError("missing executable \(binFolder)/\(name): run 'swift build'")
        }
        let notes = try AppFiles.check(plan)
        try AppFiles.checkClock(plan)
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
        return notes
    }

    var guestFolder: String { Machine.guestFolder(above: binFolder) }
}

public import Emulator
import Factory
import Lab
public import Planning
import Provisioning
import RunFiles

/// Prepares a device as the factory would, puts an implant into its flash, and tries faults.
public struct GlitchBench {
    private let plan: Plan
    private let device: String
    private let base: String
    private let guestFolder: String

    /// - Parameters:
    ///   - base: Folder for run folders.
    ///   - guestFolder: Where boot code is built.
    public init(plan: Plan, device: String, base: String, guestFolder: String) {
        (self.plan, self.device, self.base, self.guestFolder) = (plan, device, base, guestFolder)
    }

    public func search(_ build: Plan.BootCode) throws -> GlitchSearch {
        let plan = plan.withFault(nil, in: device, build)
        let folder = try RunFolder(base: base, plan: plan)
        try RunProvisioner(plan: plan, folder: folder, guestFolder: guestFolder).prepare()
        let bench = Bench(folder: folder.stateFolder)
        try bench.prepare(device, glitch: nil)
        return try bench.glitchSearch(
            of: device, build: build.rawValue, rom: GuestProgram.image("rom-\(build)", in: guestFolder),
            loader: GuestProgram.image("onebl-\(build)", in: guestFolder))
    }
}

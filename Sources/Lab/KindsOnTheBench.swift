import Configuration
import Formats
import Wire

/// Where a kind of device has its secrets: what a laboratory reads out, beside the flash.
enum SecretChips {
    static func of(_ device: DeviceConfiguration) -> [String] {
        if device.usesManifests { return ["fuses.bin"] }
        return device.protections.hardwareRootOfTrust ? ["tpm.bin"] : []
    }
}

extension FlashEdit {
    /// The same edit where another image says what the OS is: on a Linux board that is the kernel.
    func onBoard(of device: DeviceConfiguration) -> FlashEdit {
        guard !device.usesManifests, image == "services" else { return self }
        return FlashEdit(
            image: "kernel", find: find.replacing("services", with: LinuxKernel.name),
            replacement: replacement.replacing("services", with: LinuxKernel.name))
    }
}

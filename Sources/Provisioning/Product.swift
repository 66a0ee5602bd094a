import Catalogue
import Factory
import Planning

/// Devices that leave the factory with the same flash: kinds on the same board are made alike.
struct Product: Hashable, Comparable {
    let isLinux: Bool
    let hardware: String
    let apps: [String]

    init(kind: DeviceKind, apps: [String]) { (isLinux, hardware, self.apps) = (kind != .mt3620, kind.description.hardware, apps) }
    init(_ device: Plan.Device) { self.init(kind: device.kind, apps: device.apps) }

    var hardwareID: String { Manufacturer.hardwareID(hardware) }
    var file: String { (isLinux ? "linux-" : "") + "base-\(apps.isEmpty ? "bare" : apps.joined(separator: "-")).flash" }

    static func < (a: Product, b: Product) -> Bool {
        a.isLinux == b.isLinux ? a.apps.lexicographicallyPrecedes(b.apps) : b.isLinux
    }
}

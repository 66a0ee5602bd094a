import Catalogue
import Factory
import Planning

/// Devices that leave the factory with the same flash.
struct Product: Hashable, Comparable {
    var kind: DeviceKind
    var apps: [String]

    init(kind: DeviceKind, apps: [String]) { (self.hardware, self.kind, self.apps) = (kind.description.hardware, kind, apps) }
    init(_ device: Plan.Device) { self.init(kind: device.kind, apps: device.apps) }

    private let hardware: String
    var hardwareID: String { Manufacturer.hardwareID(hardware) }
    var isLinux: Bool { kind != .mt3620 }
    var file: String { (isLinux ? "linux-" : "") + "base-\(apps.isEmpty ? "bare" : apps.joined(separator: "-")).flash" }

    /// Kinds on the same board are made alike.
    static func == (a: Product, b: Product) -> Bool { (a.hardware, a.apps) == (b.hardware, b.apps) }
    func hash(into hasher: inout Hasher) {
        hasher.combine(hardware)
        hasher.combine(apps)
    }

    static func < (a: Product, b: Product) -> Bool {
        a.isLinux == b.isLinux ? a.apps.lexicographicallyPrecedes(b.apps) : b.isLinux
    }
}

import Catalogue
public import Configuration
public import DeviceOS
import LinuxBoard
import MT3620
import MT3620Board

extension Device {
    /// A device of the kind that its configuration says; makes keys on one that has never had power.
    /// - Parameter generation: Of the device's process.
    /// - Throws: If its files can't be opened, or are not of such a device.
    public init(_ configuration: DeviceConfiguration, generation: Int) throws {
        let board: any Board =
            switch configuration.kind {
            case .mt3620: MT3620Board(try MT3620Chip(configuration), generation: generation)
            case .linuxTPM, .linuxPlain: try LinuxBoard(configuration, generation: generation)
            }
        self.init(configuration, generation: generation, on: board)
    }
}

import Configuration
import Formats
import Foundation

/// The images in the flash of a run's device, as it is now.
public struct StoredImages {
    public struct Image {
        /// In the partition table.
        public var index: Int
        public var type: UInt16
        public var bytes: [UInt8]
    }

    public var product: String
    /// Primary copies; nil if the flash has no table that can be read.
    public var images: [Image]?

    /// - Parameter configurationPath: The device's `node.json`.
    /// - Returns: Nil if there is no such device.
    public init?(configurationPath: String) throws {
        guard let data = FileManager.default.contents(atPath: configurationPath),
            let configuration = try? JSONDecoder().decode(DeviceConfiguration.self, from: data)
        else { return nil }
        product = configuration.product
        let chip = try FlashClip(configuration)
        images = chip.table?.entries.enumerated().filter { $0.element.slot == .primary }.map { index, entry in
            Image(index: index, type: entry.type, bytes: chip.read(Int(entry.offset)..<Int(entry.offset) + Int(entry.length)))
        }
    }
}

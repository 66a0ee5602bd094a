import Formats
public import Planning
import SecureChannel

extension BillOfMaterials {
    /// An image as it lies in flash, by its place in the table.
    public struct StoredImage {
        public var index: Int
        public var type: UInt16
        public var bytes: [UInt8]
        public init(index: Int, type: UInt16, bytes: [UInt8]) { (self.index, self.type, self.bytes) = (index, type, bytes) }
    }

    /// A device of a run with what lies in its flash.
    public init(ofDevice name: String, product: String, in plan: Plan, _ images: [StoredImage]) throws {
        let components = images.map { image in
            let isApp = image.type == ImageType.applications.rawValue
            let known = try? BillOfMaterials.component(
                of: image.bytes, supplier: isApp ? plan.catalog : BillOfMaterials.ours, place: "flash:\(image.index)/")
            // What lies there is no image any more: it is of the device all the same.
            return known
                ?? Component(
                    .firmware, ImageType(rawValue: image.type)?.name ?? "type \(image.type)", reference: "flash:\(image.index)",
                    sha256: sha256(image.bytes).hex)
        }
        var subject = Component(.device, name, reference: "device:\(name)", supplier: plan.catalog, version: plan.osVersion)
        subject.description = "Device of product \(product), on \(SiliconModel.name); the version is its OS's from the factory"
        try self.init(of: subject, components, dependencies: nil)
    }
}

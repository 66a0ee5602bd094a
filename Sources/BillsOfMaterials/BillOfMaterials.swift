public import Formats
import Foundation
import SecureChannel
import Version
import Wire

/// A software bill of materials in CycloneDX 1.6 (ECMA-424). What is the same gives the same bill: its serial number is made of
/// its components, and it bears no time.
public struct BillOfMaterials: Encodable {
    struct Hash: Encodable {
        var alg = "SHA-256"
        var content: String
    }

    struct Supplier: Encodable { var name: String }

    struct Property: Encodable { var name, value: String }

    public struct Component: Encodable {
        enum Kind: String, Encodable { case application, framework, library, firmware, file, device }

        var type: Kind
        var reference: String
        var supplier: Supplier?
        var name: String
        var version: String?
        var description: String?
        var hashes: [Hash]?
        var purl: String?
        var properties: [Property]?
        /// What lies inside of it.
        var components: [Component]?

        private enum CodingKeys: String, CodingKey {
            case type, supplier, name, version, description, hashes, purl, properties, components
            case reference = "bom-ref"
        }

        init(_ type: Kind, _ name: String, reference: String, supplier: String? = nil, version: String? = nil, sha256: String? = nil) {
            (self.type, self.name, self.reference, self.version) = (type, name, reference, version)
            self.supplier = supplier.map { Supplier(name: $0) }
            hashes = sha256.map { [Hash(content: $0)] }
        }
    }

    struct Dependency: Encodable {
        var ref: String
        var dependsOn: [String]
    }

    private struct Metadata: Encodable {
        struct Tools: Encodable { var components: [Component] }
        var tools: Tools
        var component: Component
    }

    private var bomFormat = "CycloneDX"
    private var specVersion = "1.6"
    private var serialNumber: String
    private var version = 1
    private var metadata: Metadata
    private var components: [Component]
    private var dependencies: [Dependency]

    /// Of one thing that consists of nothing else that is known.
    public init(of subject: Component) throws { try self.init(of: subject, [], dependencies: nil) }

    /// - Parameter subject: What consists of the components; without further dependencies it depends on each of them.
    init(of subject: Component, _ components: [Component], dependencies: [Dependency]?) throws {
        let tool = Component(.application, "orrery", reference: "tool:orrery", supplier: Self.ours, version: Version.described)
        metadata = Metadata(tools: .init(components: [tool]), component: subject)
        self.components = components
        self.dependencies = dependencies ?? [Dependency(ref: subject.reference, dependsOn: components.map(\.reference))]
        let content = try JSON.pretty([subject] + components)
        serialNumber = "urn:uuid:\(nameUUID(UUIDSpace.url, Array("urn:orrery:sbom".utf8) + sha256(Array(content.utf8))))"
    }

    /// Who supplies Orrery, and the images that its own factory makes.
    static let ours = "Orrery"

    // MARK: Images

    /// An image package with the files in it, and the libraries in these.
    /// - Parameters:
    ///   - supplier: Who made it; nil if that is not known.
    ///   - place: What sets it apart from others of the same content in one bill.
    public static func component(of bytes: [UInt8], supplier: String?, place: String = "") throws(ImageError) -> Component {
        let package = try ImagePackage.parse(bytes).package
        let files = package.type == .applications ? (try? CompressedROM.contents(package.body, takesDevices: true).files) ?? [:] : [:]
        let version = files["version"].map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }
        let reference = "\(place)image:\(package.image)"
        let name = package.type == .applications || package.type == .services ? package.name : package.type.name
        var component = Component(
            package.type == .applications ? .application : .firmware, name.isEmpty ? package.type.name : name, reference: reference,
            supplier: supplier, version: version ?? "security version \(package.securityVersion)", sha256: sha256(bytes).hex)
        component.description = "Image package of type \(package.type.rawValue) (\(package.type.name))"
        component.properties = [
            Property(name: "orrery:component-id", value: "\(package.component)"),
            Property(name: "orrery:image-id", value: "\(package.image)"),
            Property(name: "orrery:security-version", value: "\(package.securityVersion)"),
            Property(name: "orrery:signer", value: package.signer.hex),
            Property(name: "orrery:is-under-development", value: "\(package.isUnderDevelopment)"),
        ]
        component.components = parts(files, below: reference)
        return component
    }

    /// Files by path.
    static func parts(_ files: [String: [UInt8]], below reference: String) -> [Component]? {
        let list = files.sorted { $0.key < $1.key }.map { path, bytes in
            var file = Component(.file, path, reference: "\(reference)/\(path)", sha256: sha256(bytes).hex)
            let libraries = LinkedLibrary.find(in: bytes)
            file.components = libraries.isEmpty ? nil : libraries.map { $0.component(below: file.reference) }
            return file
        }
        return list.isEmpty ? nil : list
    }
}

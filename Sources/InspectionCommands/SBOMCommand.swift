import ArgumentParser
import BillsOfMaterials
import CommandSupport
import Formats
import Foundation
import Lab
import RunFiles

/// What something consists of.
struct SBOMCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sbom", abstract: "Print a software bill of materials (CycloneDX 1.6).",
        discussion: """
              orrery sbom                 of Orrery itself: executables, packages, libraries of this system
              orrery sbom RUN/DEVICE      of a device of a run: the images in its flash as it is now, files and libraries in them
              orrery sbom FILE            of an image package
            Versions, suppliers and libraries are there where they are known; what is not known is left out.
            """)

    @Argument(help: "An image package, or a run's folder and a device's name.") var subject: String?

    @Option(help: "Who made the image package.") var supplier: String?

    func run() async throws {
        guard let subject else { return try Console.printJSON(try await OrreryParts.bill()) }
        if let bytes = FileManager.default.contents(atPath: subject) {
            return try Console.printJSON(try image(Array(bytes), subject))
        }
        let parts = subject.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let name = parts.last, !name.isEmpty else { Console.fail("'\(subject)' is no file and no RUN/DEVICE", 64) }
        let folder = RunFolder(existing: parts.dropLast().joined(separator: "/"))
        try Console.printJSON(try device(name, folder))
    }

    private func image(_ bytes: [UInt8], _ path: String) throws -> BillOfMaterials {
        do {
            return try BillOfMaterials(of: try BillOfMaterials.component(of: bytes, supplier: supplier))
        } catch let error as ImageError {
            Console.fail("\(path) is no image package: \(error)", 64)
        }
    }

    private func device(_ name: String, _ folder: RunFolder) throws -> BillOfMaterials {
        guard let stored = try StoredImages(configurationPath: folder.configuration(of: name)) else {
            Console.fail("\(folder.path) has no device '\(name)'", 64)
        }
        let plan = try folder.readPlan()
        guard let images = stored.images else { Console.fail("the flash of \(name) has no table that can be read", 1) }
        return try BillOfMaterials(
            ofDevice: name, product: stored.product, in: plan, images.map { .init(index: $0.index, type: $0.type, bytes: $0.bytes) })
    }
}

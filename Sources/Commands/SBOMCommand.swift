import ArgumentParser
import Configuration
import Formats
import Foundation
import Lab
import Planning
import RunFiles
import SecureChannel
import Wire

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
        guard let subject else { return print(try JSON.pretty(try await OrreryParts.bill()), terminator: "") }
        if let bytes = FileManager.default.contents(atPath: subject) {
            return print(try JSON.pretty(try image(Array(bytes), subject)), terminator: "")
        }
        let parts = subject.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let name = parts.last, !name.isEmpty else { Orrery.fail("'\(subject)' is no file and no RUN/DEVICE", 64) }
        let folder = RunFolder(existing: parts.dropLast().joined(separator: "/"))
        print(try JSON.pretty(try device(name, folder)), terminator: "")
    }

    private func image(_ bytes: [UInt8], _ path: String) throws -> BillOfMaterials {
        do {
            let component = try BillOfMaterials.component(of: bytes, supplier: supplier)
            return try BillOfMaterials(of: component, [])
        } catch let error as ImageError {
            Orrery.fail("\(path) is no image package: \(error)", 64)
        }
    }

    private func device(_ name: String, _ folder: RunFolder) throws -> BillOfMaterials {
        guard let data = FileManager.default.contents(atPath: folder.configuration(of: name)),
            let configuration = try? JSONDecoder().decode(DeviceConfiguration.self, from: data)
        else { Orrery.fail("\(folder.path) has no device '\(name)'", 64) }
        let plan = try folder.readPlan()
        let chip = try FlashClip(configuration)
        guard let table = chip.table else {
            Orrery.fail("the flash of \(name) has no table that can be read", 1)
        }
        var components: [BillOfMaterials.Component] = []
        for (index, entry) in table.entries.enumerated() where entry.slot == .primary {
            let bytes = chip.read(Int(entry.offset)..<Int(entry.offset) + Int(entry.length))
            let isApp = entry.type == ImageType.applications.rawValue
            if let component = try? BillOfMaterials.component(
                of: bytes, supplier: isApp ? plan.catalog : BillOfMaterials.ours, place: "flash:\(index)/")
            {
                components.append(component)
            } else {
                // What lies there is no image any more: it is of the device all the same.
                components.append(
                    .init(
                        .firmware, ImageType(rawValue: entry.type)?.name ?? "type \(entry.type)", reference: "flash:\(index)",
                        sha256: sha256(bytes).hex))
            }
        }
        var subject = BillOfMaterials.Component(.device, name, reference: "device:\(name)", supplier: plan.catalog, version: plan.osVersion)
        subject.description =
            "Device of product \(configuration.product), on \(SiliconModel.name); the version is its OS's from the factory"
        return try BillOfMaterials(of: subject, components)
    }
}

import ArgumentParser
import CommandSupport
import Formats
import Foundation
import RunFiles

/// What one builds apps with.
struct SDKCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sdk", abstract: "Build apps for devices.", subcommands: [Toolchain.self, Toolset.self, Environment.self, Header.self])

    /// A definition and what it imports: beside it, or in one of the folders, the SDK's among them.
    static func definition(_ file: String, in folders: [String]) throws -> HardwareDefinition {
        let own =
            file.contains("/") ? [file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")] : ["."]
        let all = own + folders + ["\(folder)/HardwareDefinitions"]
        func load(_ name: String) -> [UInt8]? {
            let base = name.split(separator: "/").last.map(String.init) ?? name
            for folder in all { if let data = FileManager.default.contents(atPath: "\(folder)/\(base)") { return Array(data) } }
            return nil
        }
        guard let bytes = load(file) else {
            throw HardwareDefinitionMissing(description: "cannot find \(file) in \(all.joined(separator: ", "))")
        }
        return try HardwareDefinition(bytes, file: file, load: load)
    }

    struct HardwareDefinitionMissing: Error, CustomStringConvertible { var description: String }

    /// Where `scripts/guest --sdk` has put it: beside the other guest code.
    static var folder: String { Installation.guestFolder(above: executableFolder) + "/sdk" }
    private static var executableFolder: String {
        (Bundle.main.executablePath ?? "").split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    private static func file(_ path: String) -> String {
        let full = "\(folder)/\(path)"
        guard FileManager.default.fileExists(atPath: full) else {
            Console.fail("the SDK is not built: run scripts/guest --sdk (looked for \(full))", 64)
        }
        return full
    }

    /// The path of a toolchain file, which from now on takes the program that was asked as its packer.
    static func toolchain(isRealTime: Bool) throws -> String {
        let path = file("CMakeFiles/\(isRealTime ? "AzureSphereRTCoreToolchain" : "AzureSphereToolchain").cmake")
        try RunFolder.write(
            Array("set(ORRERY \"\(Bundle.main.executablePath ?? "orrery")\")\n".utf8), "\(folder)/CMakeFiles/Orrery.cmake")
        return path
    }

    struct Toolchain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the path of the CMake toolchain file.",
            discussion: "cmake -S app -B build -DCMAKE_TOOLCHAIN_FILE=\"$(orrery sdk toolchain)\" && cmake --build build")
        @Flag(help: "That for real-time cores.") var realTime = false

        func run() throws { print(try SDKCommand.toolchain(isRealTime: realTime)) }
    }

    struct Toolset: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the path of the toolset for Swift packages.",
            discussion: "swift build -c release --triple armv7-none-none-eabi --toolset \"$(orrery sdk toolset)\"")
        @Flag(help: "That for real-time cores: --triple armv7em-none-none-eabi.") var realTime = false

        func run() { print(SDKCommand.file("Swift/toolset-\(realTime ? "m4" : "a7").json")) }
    }

    struct Header: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write the C header of a hardware definition.")
        @Argument(help: "The definition.") var definition: String
        @Option(help: "A folder with definitions that it imports; again for each.") var definitions: [String] = []
        @Option(name: .shortAndLong, help: "The header; without it, inc/hw beside the definition.") var output: String?

        func run() throws {
            let name = definition.split(separator: "/").last.map { $0.replacing(".json", with: "") } ?? ""
            let folder = definition.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            let place = output ?? (folder.isEmpty ? "" : folder + "/") + "inc/hw/\(name).h"
            do {
                let header = try SDKCommand.definition(definition, in: definitions).header
                try RunFolder.make(place.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
                try RunFolder.write(Array(header.utf8), place)
                print(place)
            } catch {
                Console.fail("\(error)", 64)
            }
        }
    }
}

import ArgumentParser
import BillsOfMaterials
import CommandSupport
import Factory
import Formats
import Foundation
import RunFiles
import SecureChannel

/// Image packages: what devices are given to run.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Pack apps into image packages, and look into them.",
        subcommands: [Pack.self, Show.self, Verify.self, Unpack.self])

    /// Without SOURCE_DATE_EPOCH, packages say that they were built on 1 January 2026.
    private static let builtAt = 1_767_225_600

    private static func read(_ path: String) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { Console.fail("cannot read \(path)", 64) }
        return Array(data)
    }

    private static func parse(_ path: String) -> (package: ImagePackage, signedPart: [UInt8], signature: [UInt8]) {
        do { return try ImagePackage.parse(read(path)) } catch { Console.fail("\(path) is no image package: \(error)", 64) }
    }

    struct Pack: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Pack a program with its manifest.",
            discussion: "The same files give the same package. A software bill of materials (CycloneDX) is written beside it.")

        @Option(help: "The program, as bin/app.") var program: String
        @Option(help: "The app's manifest; names of a hardware definition are replaced.") var manifest: String
        @Option(help: "A hardware definition, by its file name.") var hardwareDefinition: String?
        @Option(help: "A folder with hardware definitions; again for each.") var definitions: [String] = []
        @Option(help: "A file to go with it: PATH-IN-PACKAGE=FILE; again for each.") var resource: [String] = []
        @Option(name: .shortAndLong, help: "The package.") var output: String

        func run() throws {
            var files: [String: [UInt8]] = [:]
            for text in resource {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, !parts[0].hasPrefix("/"), !parts[0].contains("..") else {
                    throw ValidationError("--resource: '\(text)' is not PATH-IN-PACKAGE=FILE")
                }
                files[parts[0]] = ImageCommand.read(parts[1])
            }
            do {
                let definition = try hardwareDefinition.map { try SDKCommand.definition($0, in: definitions) }
                var json = try AppManifest.resolve(ImageCommand.read(manifest), definition)
                if let changed = AppManifest.givenComponentID(json, id: ImagePacker.component) {
                    json = changed.json
                    Console.warn("\(manifest): ComponentId is no GUID: this package has \(changed.id); write it there to keep it")
                }
                let app = try AppManifest(json: json)
                for warning in app.warnings { Console.warn("\(manifest): \(warning)") }
                files["app_manifest.json"] = json
                files[String(app.entryPoint.dropFirst())] = try ELFImage(ImageCommand.read(program), mayMove: true).stripped
                let seconds = ProcessInfo.processInfo.environment["SOURCE_DATE_EPOCH"].flatMap(Int64.init) ?? Int64(ImageCommand.builtAt)
                // A signature needs a random number: what is signed gives it, so that the package is the same each time.
                var seed = sha256(files.sorted { $0.key < $1.key }.flatMap { sha256(Array($0.key.utf8)) + sha256($0.value) })
                Randomness.replace { count in
                    var bytes: [UInt8] = []
                    while bytes.count < count {
                        seed = sha256(seed)
                        bytes += seed
                    }
                    return Array(bytes.prefix(count))
                }
                let package = try ImagePacker.pack(files, manifest: app, builtAt: seconds)
                try RunFolder.write(package, output)
                try RunFolder.writeJSON(
                    try BillOfMaterials(of: try BillOfMaterials.component(of: package, supplier: nil)), output + ".cdx.json")
                print("\(output): \(package.count) bytes")
            } catch let refusal as AppManifest.Refusal {
                Console.fail("\(manifest): \(refusal.code): \(refusal.reason)", 64)
            } catch {
                Console.fail("\(error)", 64)
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print what a package says of itself, and its files.")
        @Argument var package: String

        func run() throws {
            let (package, _, _) = ImageCommand.parse(package)
            let built = Date(timeIntervalSince1970: TimeInterval(package.builtAt)).formatted(.iso8601)
            print("name            \(package.name)\ntype            \(package.type.name)\ncomponent       \(package.component)")
            print("image           \(package.image)\nbuilt           \(built)\nsigner          \(package.signer.hex)")
            print("security        version \(package.securityVersion)\(package.isUnderDevelopment ? ", under development" : "")")
            if let files = try? CompressedROM.unpack(package.body) {
                for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
                    print("  \(path)  \(bytes.count) bytes, sha256 \(sha256(bytes).hex)")
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a package's signature.", discussion: "Without a key: that of the SDK, which everybody has.")
        @Argument var package: String
        @Option(help: "The signer's public key: 64 bytes, X and Y.") var key: String?

        func run() throws {
            let (_, signedPart, signature) = ImageCommand.parse(package)
            let signer: P256PublicKey
            do {
                signer = try key.map { try P256PublicKey(ImageCommand.read($0)) } ?? ImagePacker.developmentKey().publicKey
            } catch {
                Console.fail("\(key ?? "the SDK's key"): \(error)", 64)
            }
            let isGood = signer.isValid(signature: signature, digest: sha256(signedPart))
            print(
                "\(package): \(isGood ? "good signature" : "BAD signature")\(key == nil && isGood ? " of the SDK, which proves nothing" : "")"
            )
            if !isGood { throw ExitCode(1) }
        }
    }

    struct Unpack: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write a package's files into a folder.")
        @Argument var package: String
        @Option(name: .shortAndLong, help: "The folder.") var output: String

        func run() throws {
            let (package, _, _) = ImageCommand.parse(package)
            do {
                for (path, bytes) in try CompressedROM.unpack(package.body).sorted(by: { $0.key < $1.key }) {
                    guard !path.split(separator: "/").contains("..") else { Console.fail("'\(path)' leads out of the folder", 64) }
                    let place = "\(output)/\(path)"
                    try RunFolder.make(place.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
                    try RunFolder.write(bytes, place)
                }
            } catch {
                Console.fail("\(error)", 64)
            }
        }
    }
}

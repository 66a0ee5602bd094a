import Foundation
import Runtime
import SecureChannel
import Subprocess
import SystemPackage
import Version

/// What Orrery itself consists of: its executables, the packages that they were built with, and this system's libraries that
/// they are linked with.
public struct OrreryParts {
    private typealias Component = BillOfMaterials.Component

    /// `Package.resolved`, version 2 or 3.
    private struct Resolved: Decodable {
        struct Pin: Decodable {
            struct State: Decodable { var revision, version: String? }
            var identity: String
            var location: String
            var state: State
        }
        var pins: [Pin]
    }

    public static func bill() async throws -> BillOfMaterials {
        let subject = Component(.application, "orrery", reference: "orrery", supplier: BillOfMaterials.ours, version: Version.described)
        let packages = try self.packages()
        var executables: [Component] = []
        var needed: [String: [String]] = [:]
        for name in ["orrery", "orrery-device", "orrery-gateway", "orrery-service", "orrery-threat"] {
            let path = "\(Machine.executableFolder)/\(name)"
            guard let hash = hash(path) else { continue }
            let executable = Component(
                .application, name, reference: "executable:\(name)", supplier: BillOfMaterials.ours, version: Version.described,
                sha256: hash)
            executables.append(executable)
            needed[executable.reference] = await linked(path)
        }
        let system = await libraries(Set(needed.values.joined()).sorted())
        let used = needed.sorted { $0.key < $1.key }.map { executable, files in
            BillOfMaterials.Dependency(ref: executable, dependsOn: Set(files.map { "library:\($0)" }).sorted())
        }
        let own = BillOfMaterials.Dependency(ref: subject.reference, dependsOn: (executables + packages).map(\.reference))
        return try BillOfMaterials(of: subject, executables + packages + system, dependencies: [own] + used)
    }

    /// From `https://github.com/apple/swift-nio`: a package URL of type `swift`.
    private static func packages() throws -> [Component] {
        let resolved = try JSONDecoder().decode(Resolved.self, from: Data(Version.resolvedPackages.utf8))
        return resolved.pins.sorted { $0.identity < $1.identity }.map { pin in
            let path = pin.location.replacing(/^https?:\/\//, with: "").replacing(/\.git$/, with: "")
            let version = pin.state.version ?? pin.state.revision
            let owner = path.split(separator: "/").dropLast().last.map(String.init)
            var component = Component(.library, pin.identity, reference: "package:\(pin.identity)", supplier: owner, version: version)
            component.purl = "pkg:swift/\(path)\(version.map { "@\($0)" } ?? "")"
            component.properties = pin.state.revision.map { [.init(name: "orrery:revision", value: $0)] }
            return component
        }
    }

    /// Files of the shared libraries that a program is loaded with, by the system's own loader: `libz.so.1 => /lib/… (0x…)`.
    private static func linked(_ path: String) async -> [String] {
        await output("ldd", [path]).split(separator: "\n").compactMap { line in
            line.split { $0 == " " || $0 == "\t" }.first { $0.hasPrefix("/") }.map(String.init)
        }
    }

    /// With the Debian packages that they are of, where they are of one.
    private static func libraries(_ paths: [String]) async -> [Component] {
        // Debian's lists may know a file by where it was before /usr was merged, or by what a link leads to.
        func places(_ path: String) -> [String] {
            let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
            return [path, real, "/usr" + path, real.replacing(/^\/usr/, with: "")]
        }
        // Lines such as `libssl3:amd64: /usr/lib/…`; what is nobody's is left out.
        var owners: [String: String] = [:]
        for line in await output("dpkg-query", ["-S"] + paths.flatMap(places)).split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2 { owners[String(parts[1])] = String(parts[0].dropLast()) }
        }
        let format = "-f=${binary:Package} ${Package} ${Version} ${Architecture}\n"
        var packages: [String: [Substring]] = [:]
        for line in await output("dpkg-query", ["-W", format] + Set(owners.values).sorted()).split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 4 { packages[String(fields[0])] = Array(fields[1...]) }
        }
        return paths.map { path in
            var component = Component(
                .library, path.split(separator: "/").last.map(String.init) ?? path, reference: "library:\(path)", sha256: hash(path))
            guard let owner = places(path).lazy.compactMap({ owners[$0] }).first, let package = packages[owner] else { return component }
            component.version = String(package[1])
            component.supplier = .init(name: "Debian")
            let version = package[1].addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: ".-~"))) ?? ""
            component.purl = "pkg:deb/debian/\(package[0])@\(version)?arch=\(package[2])"
            return component
        }
    }

    /// What a tool says, whether or not it found all that was asked for; nothing if there is no such tool.
    private static func output(_ tool: String, _ arguments: [String]) async -> String {
        let result = try? await run(
            .name(tool), arguments: Arguments(arguments), output: .string(limit: 1 << 20), error: .discarded)
        return result?.standardOutput ?? ""
    }

    private static func hash(_ path: String) -> String? { FileManager.default.contents(atPath: path).map { sha256(Array($0)).hex } }
}

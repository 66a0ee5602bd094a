import ArgumentParser
import CommandSupport
import Foundation
import RunFiles

/// An app to begin with, from the SDK's templates.
struct New: ParsableCommand {
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case app, rtapp
        case cApp = "c-app"

        /// What to do next, in the new folder.
        func steps(_ name: String) -> [String] {
            switch self {
            case .cApp:
                ["cmake -S . -B build -G Ninja -DCMAKE_TOOLCHAIN_FILE=\"$(orrery sdk toolchain)\"", "cmake --build build"]
            case .app, .rtapp:
                [
                    "swift build -c release --triple \(self == .app ? "armv7" : "armv7em")-none-none-eabi --toolset \"$(orrery sdk toolset\(self == .app ? "" : " --real-time"))\"",
                    "orrery image pack --manifest app_manifest.json --program .build/\(self == .app ? "armv7" : "armv7em")-none-none-eabi/release/\(name) -o \(name).imagepackage",
                ]
            }
        }
    }

    static let configuration = CommandConfiguration(
        abstract: "Begin an app: in Swift for the A7 (app) or a real-time core (rtapp), or in C (c-app).")

    @Argument(help: "app, rtapp or c-app.") var kind: Kind
    @Argument(help: "Its name; a folder of this name is made.") var name: String
    @Option(help: "Its component ID; a new one without it.") var componentID: String = UUID().uuidString.lowercased()
    @Option(help: "The catalog whose certificate it may show.") var tenant: String = UUID().uuidString.lowercased()

    mutating func validate() throws {
        let isGood = name.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) }
        guard isGood, let first = name.utf8.first, first > 57, name.utf8.count <= 31 else {
            throw ValidationError("'\(name)': a name begins with a letter, and has up to 31 letters and digits")
        }
        for id in [componentID, tenant] where UUID(uuidString: id) == nil { throw ValidationError("'\(id)' is no GUID") }
    }

    func run() throws {
        let files = FileManager.default
        let template = "\(SDKCommand.folder)/Templates/\(kind.rawValue)"
        guard let paths = files.subpaths(atPath: template)?.sorted() else {
            Console.fail("the SDK is not built: run scripts/guest --sdk (looked for \(template))", 64)
        }
        guard !files.fileExists(atPath: name) else { Console.fail("\(name) is there already", 64) }
        let words = [("COMPONENT_ID", componentID), ("TENANT_ID", tenant), ("SDK_FOLDER", SDKCommand.folder), ("NAME", name)]
        for path in paths {
            guard let data = files.contents(atPath: "\(template)/\(path)") else { continue }
            let text = words.reduce(String(decoding: data, as: UTF8.self)) { $0.replacing($1.0, with: $1.1) }
            let place = "\(name)/\(path.replacing("NAME", with: name))"
            try RunFolder.make(place.split(separator: "/").dropLast().joined(separator: "/"))
            try RunFolder.write(Array(text.utf8), place)
        }
        print("made \(name); next:\n  cd \(name)\n" + kind.steps(name).map { "  \($0)" }.joined(separator: "\n"))
    }
}

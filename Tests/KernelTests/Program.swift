import Emulator
import Formats
import Foundation
import Kernel
import Silicon
import Testing

/// A program for ARM Linux and what came of it. Those of ours are built by `scripts/guest --tests`; BusyBox and Bash are Debian's,
/// fetched by `scripts/install --tests`.
struct Program {
    var output = ""
    var errors = ""
    /// What happened on pins: virtual seconds, place and text.
    var pins: [(at: Double, place: String, text: String)] = []
    var end: ProgramEmulation.End
    var seconds: Double
    var events: [Kernel.Event] = []
    var mutableFile: [UInt8]?

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    private final class Log {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var pins: [(Double, String, String)] = []
        var events: [Kernel.Event] = []
        var counter: UInt8 = 0
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    static func bytes(_ path: String, madeBy script: String) throws -> [UInt8] {
        Array(try #require(FileManager.default.contents(atPath: "\(root)/\(path)"), "run \(script) first"))
    }

    /// One of Debian's, by its name.
    static func debian(_ name: String, _ arguments: String..., input: String = "", seconds: Double = 10) throws -> Program {
        try Program(
            try bytes(".build/armhf/root/bin/\(name)", madeBy: "scripts/install --tests"), name: name, arguments, input: input,
            seconds: seconds)
    }

    /// One of ours.
    static func own(_ name: String, _ arguments: String..., weaknesses: Set<Weakness> = [], seconds: Double = 10) throws -> Program {
        try Program(
            try bytes(".build/guest/tests/\(name).elf", madeBy: "scripts/guest --tests"), name: name, arguments, weaknesses: weaknesses,
            seconds: seconds)
    }

    static func own(_ name: String, _ arguments: String..., in around: Surroundings, seconds: Double = 10) throws -> Program {
        try Program(
            try bytes(".build/guest/tests/\(name).elf", madeBy: "scripts/guest --tests"), name: name, arguments, in: around,
            seconds: seconds)
    }

    init(
        _ program: [UInt8], name: String, _ arguments: [String], input: String = "", weaknesses: Set<Weakness> = [],
        in surroundings: Surroundings = Surroundings(), seconds: Double = 10
    ) throws {
        let log = Log()
        var around = surroundings
        around.weaknesses.formUnion(weaknesses)
        let emulation = try ProgramEmulation(
            program, name: name, arguments: arguments, epoch: 1_767_225_600_000_000_000, in: around,
            random: { Program.random(log, $0) }
        ) { stream, bytes in if stream == 2 { log.errors += bytes } else { log.output += bytes } }
        self.init(emulation, log, input: Array(input.utf8), seconds: seconds)
    }

    /// An app of `Sources/Guest/Tests/apps`, packed as CMake would.
    /// - Parameter change: Another text in its manifest.
    init(
        app name: String, attach: [String] = [], mutable: [UInt8]? = nil, weaknesses: Set<Weakness> = [],
        change: (from: String, to: String)? = nil, seconds: Double = 10
    )
        throws
    {
        let folder = "Sources/Guest/Tests/apps/\(name)"
        let definitions = "\(Program.root)/Sources/Guest/SDK/HardwareDefinitions/"
        let definition = try HardwareDefinition(
            try Program.bytes("Sources/Guest/SDK/HardwareDefinitions/sample_appliance.json", madeBy: "git"), file: "sample_appliance.json"
        ) { FileManager.default.contents(atPath: definitions + $0).map { Array($0) } }
        var text = String(decoding: try Program.bytes("\(folder)/app_manifest.json", madeBy: "git"), as: UTF8.self)
        if let change {
            #expect(text.contains(change.from))
            text = text.replacing(change.from, with: change.to)
        }
        let manifest = try AppManifest(json: try AppManifest.resolve(Array(text.utf8), definition))
        var files = ["bin/app": try Program.bytes(".build/guest/tests/\(name).elf", madeBy: "scripts/guest --tests")]
        for resource in FileManager.default.enumerator(atPath: "\(Program.root)/\(folder)/data")?.compactMap({ $0 as? String }) ?? [] {
            files["data/\(resource)"] = try Program.bytes("\(folder)/data/\(resource)", madeBy: "git")
        }
        try self.init(
            AppImage(files: files, manifest: manifest), attach: attach, mutable: mutable, weaknesses: weaknesses, seconds: seconds)
    }

    /// - Parameters:
    ///   - system: What the OS keeps from one run to the next.
    ///   - pluton: The device's; without one there is none.
    init(
        _ app: AppImage, attach: [String] = [], mutable: [UInt8]? = nil, weaknesses: Set<Weakness>, system: SystemState = SystemState(),
        pluton: PlutonMailbox? = nil, seconds: Double = 10
    ) throws {
        let log = Log()
        let emulation = try ProgramEmulation(
            app, mutable: mutable, attach: attach, epoch: 1_767_225_600_000_000_000, weaknesses: weaknesses, system: system,
            pluton: pluton, random: { Program.random(log, $0) }
        ) { stream, bytes in if stream == 2 { log.errors += bytes } else { log.output += bytes } }
        self.init(emulation, log, input: [], seconds: seconds)
    }

    private static func random(_ log: Log, _ count: Int) -> [UInt8] {
        (0..<count).map { _ in
            log.counter = log.counter &* 5 &+ 17
            return log.counter
        }
    }

    private init(_ emulation: ProgramEmulation, _ log: Log, input: [UInt8], seconds: Double) {
        emulation.board.onEvent = { log.pins.append((Double($0) / 1e9, $1, $2)) }
        emulation.kernel.onEvent = { log.events.append($1) }
        var left = input
        end = emulation.run(
            until: Int64(seconds * 1e9),
            input: {
                defer { left = [] }
                return left
            })
        self.seconds = Double(emulation.kernel.now) / 1e9
        (output, errors) = (String(decoding: log.output, as: UTF8.self), String(decoding: log.errors, as: UTF8.self))
        (pins, events, mutableFile) = (log.pins, log.events, emulation.kernel.mutableFile)
    }
}

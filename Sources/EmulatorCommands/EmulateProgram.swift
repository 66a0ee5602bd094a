import ArgumentParser
import CommandSupport
import Emulator
import EmulatorHost
import Formats
import Foundation
import Kernel
import Silicon

/// What only a program on the A7 has.
struct ProgramOptions: ParsableArguments {
    @Option(help: "A folder that is the root of its file system: FILE is then a path in it, or a name in its PATH.") var root: String?
    @Flag(help: "Nothing in that folder can be changed; without it what is written stays in memory.") var readOnly = false
    @Option(help: "How much memory it may touch, such as 256KiB or 4MiB; an app has 256KiB, a program 64MiB.") var memory: String?
    @Option(name: .customLong("env"), help: "NAME=VALUE of its environment, again for each.") var environment: [String] = []
    @Option(
        help: ArgumentHelp(
            "A name and a port that it can reach, and the port of this machine where they lead; again for each. Its time is then real.",
            valueName: "NAME:PORT=127.0.0.1:PORT"))
    var exit: [BenchNetwork.Exit] = []
    @Option(
        help: ArgumentHelp(
            "A port on which it listens, and the port of this machine that leads there; again for each. Its time is then real.",
            valueName: "PORT=127.0.0.1:PORT"))
    var port: [BenchNetwork.Port] = []
    @Flag(help: "There is an Ethernet adapter, eth0, at a private network in which nobody gives addresses.") var ethernet = false

    /// For a real-time core: none of them means anything there.
    func refuse() throws {
        let given = [
            readOnly ? "--read-only" : nil, memory.map { _ in "--memory" }, environment.isEmpty ? nil : "--env",
            exit.isEmpty ? nil : "--exit", port.isEmpty ? nil : "--port", ethernet ? "--ethernet" : nil,
        ].compactMap { $0 }
        if let option = given.first { throw ValidationError("\(option): for programs on the A7 only") }
    }

    func memoryBytes() throws -> Int? {
        guard let memory else { return nil }
        let units = ["KiB": 10, "MiB": 20]
        guard let unit = units.first(where: { memory.hasSuffix($0.key) }), let count = Int(memory.dropLast(unit.key.count)),
            (1...(512 << 20) >> unit.value).contains(count)
        else { throw ValidationError("--memory: '\(memory)' is no size up to 512MiB such as 256KiB or 4MiB") }
        return count << unit.value
    }
}

extension Emulate {
    /// - Parameter bytes: Of the file; nil if it is to be found in the root folder.
    func runProgram(_ bytes: [UInt8]?, _ nanoseconds: Int64, _ ports: [SerialPortName]) throws {
        try refuseForProgram(ports)
        var around = Surroundings()
        around.memoryBytes = try program.memoryBytes()
        around.weaknesses = Weakness.present(in: os)
        if let wrong = program.environment.first(where: { !$0.contains("=") || $0.hasPrefix("=") }) {
            throw ValidationError("--env: '\(wrong)' is not NAME=VALUE")
        }
        for (index, exit) in program.exit.enumerated()
        where program.exit[..<index].contains(where: { ($0.name, $0.port) == (exit.name, exit.port) }) {
            throw ValidationError("--exit: two lead from \(exit.name):\(exit.port)")
        }
        (around.environment, around.isReadOnly) = (program.environment, program.readOnly)
        // Who speaks to servers outside has their time, too: certificates have dates.
        let epoch = program.exit.isEmpty ? EmulatorDefaults.epochSeconds : Int64(Date().timeIntervalSince1970)
        var setting = ProgramTerminal.Setting(attach: attachments, epochSeconds: epoch)
        (setting.exits, setting.ports, setting.feedsPort) = (program.exit, ports, uart.contains("-"))
        (setting.openPorts, setting.hasEthernet) = (program.port, program.ethernet)
        (setting.hasTimes, setting.tracesCalls) = (timestamps, trace.contains(.calls))
        let terminal: ProgramTerminal
        do {
            terminal = try ProgramTerminal(subject(bytes, &around), in: around, setting)
        } catch {
            Console.fail("\(file): \(error)", 64)
        }
        throw ExitCode(terminal.run(for: nanoseconds))
    }

    /// What is for real-time cores only, and why.
    private func refuseForProgram(_ ports: [SerialPortName]) throws {
        if gdb != nil { throw ValidationError("--gdb: follows a real-time core; what a program on the A7 does is told by --trace calls") }
        if save != nil || restore != nil {
            throw ValidationError(
                "\(save != nil ? "--save" : "--restore"): the OS around a program on the A7, its files and sockets, is not kept")
        }
        if let other = trace.first(where: { $0 != .calls }) {
            throw ValidationError(
                "--trace \(other.rawValue): a program on the A7 has no \(other == .irq ? "interrupts" : "registers"), only calls")
        }
        if ports.contains(.debug) { throw ValidationError("--uart debug: is a real-time core's; a program on the A7 has standard output") }
        if uart.contains("-"), ports.isEmpty {
            throw ValidationError("--uart -: which UART gets standard input? A program on the A7 has that itself: give --uart isu0 too")
        }
        if program.readOnly, program.root == nil { throw ValidationError("--read-only: without --root there is nothing that it is about") }
    }

    /// A package brings its manifest; a program may be given one, and is an app then.
    private func subject(_ bytes: [UInt8]?, _ around: inout Surroundings) throws -> ProgramTerminal.Subject {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        if let root = program.root {
            guard manifest == nil else { throw ValidationError("--manifest: an app has its package for a file system, not a folder") }
            guard let folder = HostFolder(root) else { throw ValidationError("--root: \(root) is no folder") }
            around.root = folder
            // A path of this machine's that leads into the folder is meant so.
            if let inside = folder.inside(file), FileManager.default.fileExists(atPath: file) {
                return .program(nil, name: inside, arguments: arguments)
            }
            guard file.contains("/"), folder.content(of: file.hasPrefix("/") ? file : "/" + file) == nil,
                let own = FileManager.default.contents(atPath: file)
            else { return .program(nil, name: file, arguments: arguments) }
            return .program(Array(own), name: name, arguments: arguments)
        }
        let bytes = bytes ?? []
        var app = try? Firmware.app(bytes)
        if let manifest {
            let json = Array(try Data(contentsOf: URL(fileURLWithPath: manifest)))
            let own = try AppManifest(json: json)
            app = AppImage(files: app?.files ?? [String(own.entryPoint.dropFirst()): bytes], manifest: own)
        }
        guard var app else { return .program(bytes, name: name, arguments: arguments) }
        for warning in app.manifest.warnings { Console.warn("\(file): \(warning)") }
        app.manifest.arguments += arguments
        return .app(app)
    }
}

import ArgumentParser
import CommandSupport
import Emulator
import EmulatorHost
import Formats
import Foundation
import Kernel
import Silicon

/// One device, no network: for people who want to run firmware.
struct Emulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run firmware for the MT3620's real-time cores, or an ARM Linux program, on one emulated core.",
        discussion: """
            What its UARTs send goes to standard output, and what is attached to it is told there; faults, resets and registers \
            that are not modelled go to standard error. Ends with the program's exit code (by semihosting), 2 when time ran \
            out or nothing can wake the core any more, 3 if it locked up.

            Attachments:
            \(Attachments.help)
            \(Emulation.partnerHelp)
            """)

    enum Trace: String, ExpressibleByArgument, CaseIterable { case mmio, calls, irq }
    enum Clock: String, ExpressibleByArgument, CaseIterable { case virtual, wall }
    enum Core: String, ExpressibleByArgument, CaseIterable { case auto, m4, a7 }

    @Argument(help: "ELF programs or image packages: one, or one for each core of the chip (two real-time cores and the A7).")
    var files: [String]
    @Option(
        help: ArgumentHelp(
            "Another chip: \(Chip.names.joined(separator: ", ")), or a file that describes one ('orrery chips' writes one).",
            valueName: "NAME|FILE"))
    var chip = "mt3620"
    @Option(help: "Which core it is for.") var core: Core = .auto
    @Argument(parsing: .postTerminator, help: "For a program on the A7: its arguments, after --.") var arguments: [String] = []
    @Option(help: "The app's manifest: peripherals that it does not ask for are closed.") var manifest: String?
    @Option(help: "Tell on standard error: accesses to registers, calls of functions (on the A7: of the system), interrupts.") var trace:
        [Trace] = []
    @Option(name: .customLong("for"), help: "Virtual time to run, such as 500ms or 10s.") var length = "10s"
    @Option(
        help: """
            The UART that standard output shows, debug or isu0 … isu5; '-' gives it standard input too. isu0=PEER puts somebody at \
            it: pty, tcp:127.0.0.1:PORT, file:PATH, script:FILE.
            """)
    var uart: [String] = []
    @Option(help: "virtual, as fast as it goes; or wall, which a UART on pty or tcp needs, and gets if nothing is said.")
    var clock: Clock?
    @Flag(help: "Begin each line of a UART with its virtual time.") var timestamps = false
    @Option(help: "For the A7: the OS release, such as 20.06, with the published weaknesses that it still had.") var os =
        EmulatorDefaults.release
    @Option(help: "A sensor or actuator: KIND@PLACE, again for each.") var attach: [String] = []
    @Option(help: "Write the whole device to a file when the time is over.") var save: String?
    @Option(help: "Go on from such a file, with the attachments that it names.") var restore: String?

    @OptionGroup(title: "For a program on the A7") var program: ProgramOptions

    @Option(help: "Wait for GDB on this port of localhost (0: any) and let it say what runs.") var gdb: UInt16?

    var file: String { files.first ?? "" }
    /// With what `--uart` puts at UARTs.
    var attachments: [String] { attach + uart.compactMap(Emulate.peer) }

    /// `serial@isu0:pty` of `isu0=pty`.
    private static func peer(_ word: String) -> String? {
        let ends = word.split(separator: "=", maxSplits: 1).map(String.init)
        return ends.count == 2 ? "serial@\(ends[0]):\(ends[1])" : nil
    }

    func run() throws {
        guard let nanoseconds = EmulatorDefaults.nanoseconds(length), nanoseconds > 0 else {
            throw ValidationError("--for: '\(length)' is no time such as 500ms or 10s")
        }
        guard EmulatorDefaults.isRelease(os) else { throw ValidationError("--os: '\(os)' is no release, such as 20.06") }
        let chip = try chosenChip()
        let ports = try uart.filter { $0 != "-" && !$0.contains("=") }.map { try Emulate.port($0, chip) }
        if chip !== Chip.mt3620 { try refuseForOtherChip() }
        if files.count > 1 || clock == .wall || attachments.contains(where: Attachments.isOutside) {
            if program.root != nil { throw ValidationError("--root: is for one program, in virtual time") }
            return try runChip(nanoseconds, ports)
        }
        if program.root != nil {
            guard core != .m4 else { throw ValidationError("--root: is for a program on the A7, not for --core m4") }
            return try runProgram(nil, nanoseconds, ports)
        }
        guard let bytes = FileManager.default.contents(atPath: file) else { throw ValidationError("cannot read \(file)") }
        if core == .a7 || core == .auto && chip === Chip.mt3620 && Firmware.isForApplicationCore(Array(bytes)) {
            return try runProgram(Array(bytes), nanoseconds, ports)
        }
        try program.refuse()
        let output = EmulationOutput(ports: ports.isEmpty ? [chip.console ?? .debug] : ports, hasTimes: timestamps)
        let emulation: Emulation
        let symbols: ELFSymbols
        do {
            let firmware = try Firmware(Array(bytes), manifest: manifest.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) })
            for warning in firmware.manifest?.warnings ?? [] { Console.warn("\(file): \(warning)") }
            let (program, firewall) = (firmware.program, firmware.manifest.map { Firewall($0) } ?? .open)
            symbols = ELFSymbols(program.file)
            if let restore {
                guard attachments.isEmpty else { throw ValidationError("--attach: the snapshot has its own attachments") }
                emulation = try Emulation(program, chip: chip, firewall: firewall, Emulate.snapshot(restore), sink: output.take)
            } else {
                emulation = try Emulation(program, chip: chip, firewall: firewall, attach: attachments, sink: output.take)
            }
        } catch {
            Console.fail("\(file): \(error)", 64)
        }
        guard arguments.isEmpty else { throw ValidationError("arguments after -- are for a program on the A7") }
        if uart.contains("-") {
            emulation.board.send(Array(FileHandle.standardInput.readDataToEndOfFile()), to: ports.first ?? chip.console ?? .debug, at: 0)
        }
        if !trace.isEmpty { follow(emulation.core, symbols, output) }
        if let gdb {
            guard let server = DebugServer(port: gdb) else { Console.fail("port \(gdb) is taken", 70) }
            Console.note("waiting for GDB: target remote localhost:\(server.port)")
            return server.serve(emulation) { output.flush() }
        }
        let end = emulation.run(until: emulation.core.now + nanoseconds) {
            output.flush()
            return output.isClosed
        }
        emulation.board.finish(at: emulation.core.now)
        output.close(end, emulation.core)
        if let save { try Console.saveJSON(emulation.snapshot, save) }
        switch end {
        case .exited(let code): throw ExitCode(code)
        case .outOfTime, .asleepForEver, .breakpoint: throw ExitCode(2)
        case .lockedUp: throw ExitCode(3)
        }
    }

    /// Several cores, or a world outside that keeps its own time.
    private func runChip(_ nanoseconds: Int64, _ ports: [SerialPortName]) throws {
        let what = files.count > 1 ? "several programs" : "the wall clock"
        for (isAsked, option) in [
            (!trace.isEmpty, "--trace"), (gdb != nil, "--gdb"), (save != nil, "--save"), (restore != nil, "--restore"),
            (uart.contains("-"), "--uart -"), (core != .auto, "--core"), (manifest != nil && files.count > 1, "--manifest"),
            (program.memory != nil, "--memory"), (!program.environment.isEmpty, "--env"), (!program.exit.isEmpty, "--exit"),
            (program.readOnly, "--read-only"), (!program.port.isEmpty, "--port"), (program.ethernet, "--ethernet"),
        ] where isAsked { throw ValidationError("\(option) is for one program in virtual time, not for \(what)") }
        if clock == .virtual, attachments.contains(where: Attachments.isOutside) { throw ValidationError(OutsideEnd.needsWallClock) }
        let options = ChipRun.Options(
            nanoseconds: nanoseconds, attach: attachments, weaknesses: Weakness.present(in: os), arguments: arguments,
            ports: ports.isEmpty ? [.debug] : Set(ports), hasTimes: timestamps,
            isOnWallClock: clock == .wall || attachments.contains(where: Attachments.isOutside))
        let json = try manifest.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
        let run: ChipRun
        do {
            run = try ChipRun(
                files.map { path in
                    guard let bytes = FileManager.default.contents(atPath: path) else { throw ChipRun.Refusal("cannot read \(path)") }
                    return (path, Array(bytes), json)
                }, options)
        } catch {
            Console.fail("\(error)", 64)
        }
        throw ExitCode(run.run())
    }

    private static func snapshot(_ path: String) throws -> Emulation.Snapshot {
        guard let data = FileManager.default.contents(atPath: path) else { throw ValidationError("cannot read \(path)") }
        do { return try JSONDecoder().decode(Emulation.Snapshot.self, from: data) } catch {
            throw ValidationError("\(path) is no snapshot of an emulation: \(Console.words(error))")
        }
    }

    private func follow(_ core: RealTimeCore, _ symbols: ELFSymbols, _ output: EmulationOutput) {
        let wanted = Set(trace.map(\.rawValue))
        core.onTrace = { now, event in
            switch event {
            case .access: if wanted.contains("mmio") { output.trace(now, event, symbols) }
            case .entered, .left: if wanted.contains("irq") { output.trace(now, event, symbols) }
            case .called: output.trace(now, event, symbols)
            }
        }
        if wanted.contains("calls") { core.traceCalls(Set(symbols.functions.map(\.address))) }
    }

    private static func port(_ word: String, _ chip: Chip) throws -> SerialPortName {
        if let port = AttachmentPlace(word)?.port, chip.ports.contains(port) { return port }
        let names = chip.ports.map { "\(AttachmentPlace($0))" }.joined(separator: ", ")
        throw ValidationError("--uart: '\(word)' is none of \(names) and -")
    }
}

import ArgumentParser
import Emulator
import Formats
import Foundation
import Silicon

/// One device, no network: for people who want to run firmware.
struct Emulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run real-time firmware for the MT3620 on one emulated core.",
        discussion: """
            What its UARTs send goes to standard output, and what is attached to it is told there; faults, resets and registers \
            that are not modelled go to standard error. Ends with the program's exit code (by semihosting), 2 when time ran \
            out or nothing can wake the core any more, 3 if it locked up.

            Attachments:
            \(Attachments.help)
            \(Emulation.partnerHelp)
            """)

    @Argument(help: "An ELF program.") var file: String
    @Option(name: .customLong("for"), help: "Virtual time to run, such as 500ms or 10s.") var length = "10s"
    @Option(help: "The UART that standard output shows, debug or isu0 … isu5; '-' gives it standard input too.") var uart: [String] = []
    @Option(help: "A sensor or actuator: KIND@PLACE, again for each.") var attach: [String] = []
    @Option(help: "Write the whole device to a file when the time is over.") var save: String?
    @Option(help: "Go on from such a file, with the attachments that it names.") var restore: String?

    func run() throws {
        guard let nanoseconds = Emulate.nanoseconds(length) else {
            throw ValidationError("--for: '\(length)' is no time such as 500ms or 10s")
        }
        let ports = try uart.filter { $0 != "-" }.map(Emulate.port)
        guard let bytes = FileManager.default.contents(atPath: file) else { throw ValidationError("cannot read \(file)") }
        let output = EmulationOutput(ports: ports.isEmpty ? [.debug] : ports)
        let emulation: Emulation
        do {
            let program = try ELFImage(Array(bytes))
            if let restore {
                guard attach.isEmpty else { throw ValidationError("--attach: the snapshot has its own attachments") }
                let snapshot = try JSONDecoder().decode(Emulation.Snapshot.self, from: Data(contentsOf: URL(fileURLWithPath: restore)))
                emulation = try Emulation(program, snapshot, sink: output.take)
            } else {
                emulation = try Emulation(program, attach: attach, sink: output.take)
            }
        } catch {
            Orrery.fail("\(file): \(error)", 64)
        }
        if uart.contains("-") {
            emulation.board.send(Array(FileHandle.standardInput.readDataToEndOfFile()), to: ports.first ?? .debug, at: 0)
        }
        let end = emulation.run(until: emulation.core.now + nanoseconds) {
            output.flush()
            return output.isClosed
        }
        output.close(end, emulation.core)
        if let save { try RunFolder.writeJSON(emulation.snapshot, save) }
        switch end {
        case .exited(let code): throw ExitCode(code)
        case .outOfTime, .asleepForEver: throw ExitCode(2)
        case .lockedUp: throw ExitCode(3)
        }
    }

    static func nanoseconds(_ text: String) -> Int64? {
        for (unit, scale) in [("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)] where text.hasSuffix(unit) {
            if let value = Double(text.dropLast(unit.count)), value > 0, value < 1e6 { return Int64(value * scale) }
        }
        return nil
    }

    private static func port(_ word: String) throws -> SerialPortName {
        if word == "debug" { return .debug }
        if word.hasPrefix("isu"), let unit = Int(word.dropFirst(3)), (0...5).contains(unit) { return .isu(unit) }
        throw ValidationError("--uart: '\(word)' is none of debug, isu0 … isu5 and -")
    }
}

public import Emulator
import Foundation
public import Kernel
import Runtime
public import Silicon

/// Runs a program for the A7 at a terminal: its streams are ours.
public final class ProgramTerminal {
    private let emulation: ProgramEmulation
    private let setting: Setting
    private var network: BenchNetwork?
    /// Of standard output.
    private var isAtLineStart = true
    /// Why standard output takes no more: what write(2) said.
    private var lost: Int32?

    /// What is to be run: a program, one that the root folder has, or an app with its manifest.
    public enum Subject {
        case program([UInt8]?, name: String, arguments: [String])
        case app(AppImage)
    }

    /// How it is run, beside what it finds around itself.
    public struct Setting {
        public var attach: [String] = []
        public var epochSeconds: Int64
        public var exits: [BenchNetwork.Exit] = []
        public var openPorts: [BenchNetwork.Port] = []
        /// There is an eth0.
        public var hasEthernet = false
        /// UARTs that standard output shows too.
        public var ports: [SerialPortName] = []
        /// Standard input goes to the first of them, not to the program.
        public var feedsPort = false
        /// Lines of standard output begin with the virtual time of their first byte.
        public var hasTimes = false
        /// System calls are told on standard error.
        public var tracesCalls = false

        public init(attach: [String], epochSeconds: Int64) { (self.attach, self.epochSeconds) = (attach, epochSeconds) }
    }

    public init(_ subject: Subject, in around: Surroundings, _ setting: Setting) throws {
        self.setting = setting
        let random = EmulatorDefaults.random()
        let epoch = setting.epochSeconds * 1_000_000_000
        emulation =
            switch subject {
            case .program(let program, let name, let arguments):
                try ProgramEmulation(
                    program, name: name, arguments: arguments, attach: setting.attach, epoch: epoch, in: around, random: random,
                    sink: { _, _ in })
            case .app(let app):
                try ProgramEmulation(
                    app, attach: setting.attach, epoch: epoch, weaknesses: around.weaknesses, memoryBytes: around.memoryBytes,
                    environment: around.environment, random: random, sink: { _, _ in })
            }
        emulation.kernel.console.output = { [unowned self] stream, bytes in stream == 2 ? note(bytes) : write(bytes) }
        emulation.board.onEvent = { [unowned self] now, place, text in
            write(Array("\(isAtLineStart ? "" : "\n")[\(seconds(now))] \(place): \(text)\n".utf8), isOurs: true)
        }
        emulation.board.onSerial = { [unowned self] _, port, byte in if setting.ports.contains(port) { write([byte]) } }
        emulation.kernel.onEvent = { [unowned self] now, event in note("[\(seconds(now))] \(event.text)\n") }
        if setting.tracesCalls {
            emulation.kernel.onCall = { [unowned self] now, call in note("[\(seconds(now))] \(call.text)\n") }
        }
        let isOnAir = !setting.exits.isEmpty || !setting.openPorts.isEmpty
        if isOnAir || setting.hasEthernet {
            let network = BenchNetwork(setting.exits, ports: setting.openPorts) { [unowned self] in
                note("[\(seconds(emulation.kernel.now))] network: \($0)\n")
            }
            self.network = network
            emulation.connect(network, isOnAir: isOnAir, hasEthernet: setting.hasEthernet)
        }
    }

    private func write(_ bytes: [UInt8], isOurs: Bool = false) {
        guard let last = bytes.last else { return }
        var lines = bytes
        if setting.hasTimes, !isOurs {
            let time = Array("[\(seconds(emulation.kernel.now))] ".utf8)
            lines = isAtLineStart ? time : []
            for (index, byte) in bytes.enumerated() {
                lines.append(byte)
                if byte == 0x0A, index + 1 < bytes.count { lines += time }
            }
        }
        isAtLineStart = last == 0x0A
        guard lost == nil else { return }
        do { try FileHandle.standardOutput.write(contentsOf: Data(lines)) } catch { lost = errno }
    }

    private func note(_ bytes: [UInt8]) { Terminal.write(bytes) }
    private func note(_ text: String) { note(Array(text.utf8)) }

    /// The exit code for our own caller: the program's, 128 and the signal as shells have it, 2 when time ran out.
    public func run(for nanoseconds: Int64) -> Int32 {
        if setting.feedsPort, let port = setting.ports.first {
            emulation.board.send(Array(FileHandle.standardInput.readDataToEndOfFile()), to: port, at: 0)
        }
        let end = emulation.run(
            until: nanoseconds, input: { self.setting.feedsPort ? [] : Array(FileHandle.standardInput.availableData) },
            isStopped: { self.lost != nil })
        network?.finish()
        emulation.board.finish(at: emulation.kernel.now)
        if let lost {
            // Who reads has gone: that ends a program in a pipe by SIGPIPE.
            guard lost != EPIPE else { return 128 + SIGPIPE }
            Terminal.note("cannot write standard output: \(Machine.words(for: lost))")
            return Startup.cannotWrite
        }
        switch end {
        case .exited(let code): return code
        case .killed(let signal): return 128 + Int32(signal)
        case .outOfTime: return 2
        case .asleepForEver:
            note("asleep for ever: nothing can wake the program\n")
            return 2
        case .rebooted:
            note("[\(seconds(emulation.kernel.now))] the app reboots the device\n")
            return 0
        case .poweredDown(let length):
            note("[\(seconds(emulation.kernel.now))] the app powers the device down for \(length) s\n")
            return 0
        }
    }
}

extension Kernel.Event {
    /// For a person.
    public var text: String {
        switch self {
        case .unknownCall(let number, let program): "\(program): there is no system call \(CallNames.name(of: number)) (\(number))"
        case .denied(let target, let program): "\(program): kept from \(target) by its manifest"
        case .crashed(let program, let record): "\(program): \(record.text)"
        case .tampered(let what): what
        case .panic(let reason): "kernel panic: \(reason)"
        case .secured(let secured): "TLS with \(secured.host): \(secured.failure?.words ?? "open")"
        case .notStarted(let obstacle): obstacle.text
        case .outOfMemory(let program, let used, let limit): "\(program): killed, with \(used) KiB of memory touched of \(limit) KiB"
        }
    }
}

import Emulator
import Foundation
import Kernel
import Silicon
import Wire

/// Runs a program for the A7 at a terminal: its streams are ours.
struct ProgramTerminal {
    let emulation: ProgramEmulation

    /// What is to be run: a program, or an app with its manifest.
    enum Subject {
        case program([UInt8], name: String, arguments: [String])
        case app(AppImage)
    }

    init(_ subject: Subject, attach: [String], weaknesses: Set<Weakness>, epochSeconds: Int64) throws {
        var generator = SeedStream(seed: 1, node: "emulate", purpose: "random")
        let random: (Int) -> [UInt8] = { generator.bytes($0) }
        let sink: (Int, [UInt8]) -> Void = { stream, bytes in
            (stream == 2 ? FileHandle.standardError : .standardOutput).write(Data(bytes))
        }
        let epoch = epochSeconds * 1_000_000_000
        emulation =
            switch subject {
            case .program(let program, let name, let arguments):
                try ProgramEmulation(
                    program, name: name, arguments: arguments, attach: attach, epoch: epoch, weaknesses: weaknesses, random: random,
                    sink: sink)
            case .app(let app): try ProgramEmulation(app, attach: attach, epoch: epoch, weaknesses: weaknesses, random: random, sink: sink)
            }
        emulation.board.onEvent = { now, place, text in sink(1, Array("[\(seconds(now))] \(place): \(text)\n".utf8)) }
        emulation.kernel.onEvent = { now, event in sink(2, Array("[\(seconds(now))] \(event.text)\n".utf8)) }
    }

    /// The exit code for our own caller: the program's, 128 and the signal as shells have it, 2 when time ran out.
    func run(for nanoseconds: Int64) -> Int32 {
        let end = emulation.run(until: nanoseconds, input: { Array(FileHandle.standardInput.availableData) })
        emulation.board.finish(at: emulation.kernel.now)
        switch end {
        case .exited(let code): return code
        case .killed(let signal): return 128 + Int32(signal)
        case .outOfTime: return 2
        case .asleepForEver:
            FileHandle.standardError.write(Data("asleep for ever: nothing can wake the program\n".utf8))
            return 2
        }
    }
}

extension Kernel.Event {
    /// For a person.
    var text: String {
        switch self {
        case .unknownCall(let number, let program): "\(program): system call \(number) is not there"
        case .denied(let target, let program): "\(program): kept from \(target) by its manifest"
        case .crashed(let program, let record): "\(program): \(record.text)"
        case .tampered(let what): what
        case .panic(let reason): "kernel panic: \(reason)"
        case .secured(let secured): "TLS with \(secured.host): \(secured.failure?.words ?? "open")"
        }
    }
}

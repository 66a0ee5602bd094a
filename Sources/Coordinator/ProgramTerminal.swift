import Emulator
import Foundation
import Kernel

/// Runs a program for the A7 at a terminal: its streams are ours.
struct ProgramTerminal {
    let emulation: ProgramEmulation

    init(_ program: [UInt8], name: String, arguments: [String], epochSeconds: Int64) throws {
        var generator = SplitMix(state: 1)
        emulation = try ProgramEmulation(
            program, name: name, arguments: arguments, policy: Policy(), epoch: epochSeconds * 1_000_000_000,
            random: { count in (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) } }
        ) { stream, bytes in
            (stream == 2 ? FileHandle.standardError : .standardOutput).write(Data(bytes))
        }
        emulation.kernel.onEvent = { now, event in
            let text =
                switch event {
                case .unknownCall(let number, let program): "\(program): system call \(number) is not there"
                case .crashed(let program, let signal, let pc, let lr, let sp, let address):
                    "\(program): signal \(signal) at 0x\(String(address, radix: 16)); pc 0x\(String(pc, radix: 16)) lr 0x\(String(lr, radix: 16)) sp 0x\(String(sp, radix: 16))"
                }
            FileHandle.standardError.write(Data("[\(Double(now) / 1e9)] \(text)\n".utf8))
        }
    }

    /// The exit code for our own caller: the program's, 128 and the signal as shells have it, 2 when time ran out.
    func run(for nanoseconds: Int64) -> Int32 {
        let end = emulation.run(until: nanoseconds, input: { Array(FileHandle.standardInput.availableData) })
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

/// Steele, Lea and Flood 2014: the same numbers in every run.
private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

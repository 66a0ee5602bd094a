import Emulator
import EmulatorHost
import Formats
import Foundation
import Kernel
import Silicon

/// Several programs on the cores of one chip, or any that somebody outside talks to: `orrery emulate` with more than one file,
/// or with a UART on a terminal or on TCP.
struct ChipRun {
    struct Options {
        /// Virtual time to run.
        var nanoseconds: Int64
        var attach: [String] = []
        var weaknesses: Set<Weakness> = []
        /// What programs on the A7 are given.
        var arguments: [String] = []
        /// Real-time cores' UARTs that are shown.
        var ports: Set<SerialPortName> = [.debug]
        var hasTimes = false
        var isOnWallClock = false
    }

    /// What cannot be run, in words for the person at the terminal.
    struct Refusal: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    private let options: Options
    private let chip: ChipEmulation
    private let output: ChipOutput
    private let cables: SerialCables

    /// - Parameter files: By their paths, each with the manifest that it is given, if any.
    init(_ files: [(path: String, bytes: [UInt8], manifest: [UInt8]?)], _ options: Options) throws {
        self.options = options
        let names = ChipRun.names(files.map(\.path))
        let output = ChipOutput(width: files.count > 1 ? names.map(\.count).max() ?? 0 : 0, hasTimes: options.hasTimes)
        self.output = output
        chip = try ChipEmulation(
            zip(files, names).map { file, name in
                do { return try ChipRun.part(file.bytes, name, file.manifest, options, output) } catch let error as AttachmentError {
                    throw error
                } catch { throw Refusal("\(file.path): \(error)") }
            })
        let apps = chip.parts.compactMap { part in part.manifest.map { (name: part.name, manifest: $0) } }
        if let conflict = AppManifest.conflict(apps) { throw Refusal(conflict) }
        let boards = chip.parts.map(\.board)
        guard options.isOnWallClock || boards.allSatisfy(\.outside.isEmpty) else { throw Refusal(OutsideEnd.needsWallClock) }
        cables = try SerialCables(boards)
    }

    /// Files' names without their folders, and numbered where two are the same.
    private static func names(_ paths: [String]) -> [String] {
        let short = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        return short.enumerated().map { index, name in
            short.filter { $0 == name }.count > 1 ? "\(name)-\(short[...index].filter { $0 == name }.count)" : name
        }
    }

    private static func part(
        _ bytes: [UInt8], _ name: String, _ manifest: [UInt8]?, _ options: Options, _ output: ChipOutput
    ) throws -> ChipEmulation.Part {
        var own = try manifest.map { try AppManifest(json: $0) }
        let attach = { (manifest: AppManifest?) in options.attach.filter { Attachments.isReached($0, from: manifest) } }
        if own.map({ !$0.isRealTime }) ?? Firmware.isForApplicationCore(bytes) {
            var app = try? Firmware.app(bytes)
            if let own { app = AppImage(files: app?.files ?? [String(own.entryPoint.dropFirst()): bytes], manifest: own) }
            app?.manifest.arguments += options.arguments
            let random = EmulatorDefaults.random()
            let epoch = EmulatorDefaults.epochSeconds * 1_000_000_000
            let sink: (Int, [UInt8]) -> Void = { stream, bytes in output.write(bytes, of: name, isError: stream == 2, at: nil) }
            let emulation =
                if let app {
                    try ProgramEmulation(
                        app, attach: attach(app.manifest), epoch: epoch, weaknesses: options.weaknesses, random: random, sink: sink)
                } else {
                    try ProgramEmulation(
                        bytes, name: name, arguments: options.arguments, attach: attach(nil), epoch: epoch,
                        weaknesses: options.weaknesses, random: random, sink: sink)
                }
            emulation.board.onEvent = { now, place, text in output.line("\(place): \(text)", of: name, at: now) }
            emulation.kernel.onEvent = { now, event in output.note(event.text, of: name, at: now) }
            return ChipEmulation.Part(.highLevel(emulation), name: name, manifest: app?.manifest)
        }
        let firmware = try Firmware(bytes, manifest: manifest)
        own = firmware.manifest
        let emulation = try Emulation(firmware.program, firewall: own.map { Firewall($0) } ?? .open, attach: attach(own)) {
            now, event in
            switch event {
            case .serial(let port, let bytes): if options.ports.contains(port) { output.write(bytes, of: name, isError: false, at: now) }
            case .console(let bytes): output.write(bytes, of: name, isError: false, at: nil)
            case .attachment(let place, let text): output.line("\(place): \(text)", of: name, at: now)
            case .fault(let fault): output.note("fault: \(fault.text)", of: name, at: now)
            case .reset(let reason): output.note("core reset: \(reason)", of: name, at: now)
            }
        }
        return ChipEmulation.Part(.realTime(emulation), name: name, manifest: own)
    }

    // MARK: Running

    /// The exit code: the A7 program's; else the first real-time program's that is not 0; 2 when time ran out, 3 for one
    /// that locked up.
    func run() -> Int32 {
        let stop = options.isOnWallClock ? onWallClock() : chip.run(until: options.nanoseconds) { output.isClosed }
        chip.finish()
        cables.close()
        output.finish()
        for part in chip.parts {
            if let core = part.core { for access in core.unmodelled.all { output.note(access.text, of: part.name, at: nil) } }
        }
        switch stop {
        case .appEnded(let end): return ChipRun.code(end)
        case .outOfTime: return 2
        case .allAtRest:
            let ends = chip.parts.compactMap(\.end)
            if ends.count < chip.parts.count { output.note("asleep for ever: nothing can wake any core", of: "", at: nil) }
            return ends.map(ChipRun.code).first { $0 != 0 } ?? (ends.count < chip.parts.count ? 2 : 0)
        }
    }

    private static func code(_ end: ChipEmulation.End) -> Int32 {
        switch end {
        case .exited(let code): code
        case .killed(let signal): 128 + Int32(signal)
        case .lockedUp: 3
        }
    }

    /// Virtual time goes as the wall clock does; a program that is slower than that falls behind, and loses nothing.
    private func onWallClock() -> ChipEmulation.Stop {
        let start = ContinuousClock.now
        var now: Int64 = 0
        while now < options.nanoseconds, !output.isClosed {
            cables.carry(at: now)
            let passed = (ContinuousClock.now - start).components
            let due = min(options.nanoseconds, passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000)
            guard due > now else {
                cables.wait(milliseconds: 1)
                continue
            }
            // What comes in meanwhile waits for no more than this.
            now = min(due, now + 20_000_000)
            switch chip.run(until: now) {
            case .appEnded(let end): return .appEnded(end)
            case .outOfTime: break
            // Somebody outside may still say something.
            case .allAtRest: if chip.parts.allSatisfy({ $0.end != nil }) || cables.isEmpty { return .allAtRest }
            }
            output.flush()
            if now == due { cables.wait(milliseconds: 2) }
        }
        return .outOfTime
    }
}

extension UnmodelledAccesses.Access {
    /// For a person.
    var text: String {
        "unmodelled \(isWrite ? "write" : "read") 0x\(String(address, radix: 16)), first at pc 0x\(String(firstPC, radix: 16)), \(count)×"
    }
}

public import Formats
public import Silicon

/// What a fault at each instruction of a boot leads to.
public struct GlitchMap: Sendable, Codable {
    public enum Outcome: String, Sendable, Codable, CaseIterable {
        /// The image that was meant to start has started.
        case normal
        /// The backup copy has started.
        case fallback
        /// The boot code has refused to go on.
        case refused
        /// Nothing comes of it.
        case hang
        /// The core is locked up.
        case crash
        /// Code that nobody has signed has run.
        case unsignedCode = "unsigned code ran"
    }

    public struct Trial: Sendable, Codable {
        public var glitch: Glitch
        /// Where it hit.
        public var address: UInt32
        /// That address by name.
        public var place: String
        public var outcome: Outcome
        /// The stages of which something was measured, each with whether that is what was genuine: all that a verifier sees.
        public var evidence: String
        /// The fault as a bench takes it, such as `1234:skip`.
        public var glitchText: String { glitch.text }
    }

    public var build: String
    /// Without any fault.
    public var baseline: Outcome
    public var instructions: Int
    public var trials: [Trial]
    /// Functions of the boot code, for a picture of it: name, address, length in bytes.
    public var functions: [Function]

    public struct Function: Sendable, Codable {
        public var name: String
        public var address: UInt32
        public var bytes: UInt32
    }

    public func count(_ outcome: Outcome) -> Int { trials.count { $0.outcome == outcome } }
    public var compromised: [Trial] { trials.filter { $0.outcome == .unsignedCode } }
}

/// Tries faults at every instruction of a boot, one boot for each.
public struct GlitchSearch {
    public enum Model: String, Sendable, CaseIterable { case skip, flip, register, bus }

    private let build: String
    private let core: SecurityCore
    private let surroundings: BootSurroundings
    private let symbols: [ELFSymbols]
    /// SHA-256 of the genuine image of each stage.
    private let genuine: [UInt32: [UInt8]]
    /// What the implant sends to the POST code register.
    private static let implantPostcode: UInt32 = 0xBAD

    /// - Parameters:
    ///   - programs: The ROM and 1BL, for their symbols.
    ///   - genuine: SHA-256 of the genuine image by image type.
    public init(
        build: String, rom: ELFImage, programs: [ELFImage], surroundings: BootSurroundings, genuine: [UInt32: [UInt8]]
    ) throws {
        self.build = build
        self.surroundings = surroundings
        self.genuine = genuine
        core = try SecurityCore(rom: rom)
        symbols = programs.map { ELFSymbols($0.file) }
    }

    /// - Parameter window: Instructions to try, counted from reset; all without it.
    public func run(
        _ model: Model, window: Range<Int>? = nil, progress: (Int, Int) -> Void = { _, _ in }, isStopped: () -> Bool = { false }
    ) -> GlitchMap {
        let (baseline, steps) = core.traceBoot(surroundings, reads: model == .bus)
        let positions = (window ?? steps.indices).clamped(to: 0..<steps.count)
        // What hangs is told by its being ten times as long.
        let budget = Int64(steps.count) * 10
        var map = GlitchMap(build: build, baseline: outcome(baseline), instructions: steps.count, trials: [], functions: functions)
        for position in positions where !isStopped() {
            for change in GlitchSearch.changes(model, steps[position]) {
                let glitch = Glitch(instruction: Int64(position), model: change)
                let run = core.boot(surroundings, glitch: glitch, budget: budget)
                let address = run.hit ?? steps[position].address
                map.trials.append(
                    .init(glitch: glitch, address: address, place: name(address), outcome: outcome(run), evidence: evidence(run)))
            }
            progress(position - positions.lowerBound + 1, positions.count)
        }
        return map
    }

    /// The first instruction that, when it is skipped, lets the implant run without anybody having measured it: as the
    /// implant itself says on the console, which is all that somebody on the bench sees.
    public static func firstUnnoticed(rom: ELFImage, _ surroundings: BootSurroundings) throws(SiliconError) -> Glitch? {
        let core = try SecurityCore(rom: rom)
        let (_, steps) = core.traceBoot(surroundings)
        for position in steps.indices {
            let glitch = Glitch(instruction: Int64(position), model: .skip)
            let console = core.boot(surroundings, glitch: glitch, budget: Int64(steps.count) * 10).console
            if String(decoding: console, as: UTF8.self).contains("nobody has measured it") { return glitch }
        }
        return nil
    }

    private static func changes(_ model: Model, _ step: SecurityCore.Step) -> [Glitch.Model] {
        // Flags, small numbers, an address within what a copy covers, a sign.
        let bits = [0, 1, 7, 14, 31]
        return switch model {
        case .skip: [.skip]
        case .flip: (0..<8 * step.bytes).map { .flip(bit: $0) }
        case .register: (0..<13).flatMap { number in bits.map { .register(number, bit: $0) } }
        case .bus:
            step.reads.enumerated().flatMap { read, bytes in bits.filter { $0 < 8 * bytes }.map { .bus(read: read, bit: $0) } }
        }
    }

    private var functions: [GlitchMap.Function] {
        symbols.flatMap(\.functions).map { .init(name: $0.name, address: $0.address, bytes: $0.bytes) }
    }

    private func name(_ address: UInt32) -> String {
        symbols.first { $0.function(at: address) != nil }?.name(of: address) ?? "0x" + String(address, radix: 16)
    }

    private func outcome(_ run: SecurityCore.Run) -> GlitchMap.Outcome {
        if run.postcodes.contains(GlitchSearch.implantPostcode) { return .unsignedCode }
        return switch run.end {
        case .handedOver: run.reports.contains { $0.slot == 1 && $0.result == .accepted } ? .fallback : .normal
        case .halted: .refused
        case .hung: .hang
        case .crashed: .crash
        }
    }

    private func evidence(_ run: SecurityCore.Run) -> String {
        let words = run.measurements.map { measurement in
            // The whole number: a fault may have made any of it.
            let type = UInt16(exactly: measurement.type).flatMap { ImageType(rawValue: $0) }
            guard let name = type?.name else { return "something of no known type" }
            return genuine[measurement.type] == measurement.digest ? name : "changed \(name)"
        }
        return words.isEmpty ? "nothing" : words.joined(separator: ", ")
    }
}

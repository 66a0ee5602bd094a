import Emulator
import Factory
import Formats
import Foundation
import Lab
import SecureChannel
import Silicon
import Testing

/// A flash chip from the factory on the bench, with boot code of one build.
struct BootBench {
    var rom: ELFImage
    var loader: ELFImage
    var builder: FlashBuilder
    var flash: [UInt8]
    var genuine: [UInt32: [UInt8]] = [:]
    var counters = [Int](repeating: 0, count: 12)
    var isSecure = true

    static func program(_ name: String) throws -> ELFImage {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent(".build/guest/\(name).elf").path
        return try ELFImage(Array(try #require(FileManager.default.contents(atPath: path), "run scripts/guest first")))
    }

    init(_ build: String) throws {
        rom = try BootBench.program("rom-\(build)")
        loader = try BootBench.program("onebl-\(build)")
        builder = FlashBuilder(osVersion: "26.11", unixSeconds: 0, loader: loader.flat(from: FlashLayout.loaderAddress))
        let product = try builder.build(apps: [], trust: Trust(roots: [], policy: []))
        flash = product.flash
        for (type, digest) in product.measurements { genuine[type] = digest }
    }

    mutating func implant() throws {
        let place = try #require(Implant.place(in: flash))
        let code = try BootBench.program("onebl-implant").flat(from: FlashLayout.loaderAddress)
        let package = try #require(Implant.package(replacing: Array(flash[place]), digest: genuine[1] ?? [], code: code))
        #expect(package.count == place.count)
        flash.replaceSubrange(place, with: package)
    }

    var surroundings: BootSurroundings {
        let flash = flash
        return BootSurroundings(
            bootKeyHash: builder.bootKeyHash, counters: counters, isSecure: isSecure, refusesOldVersions: true,
            verifyNanoseconds: 9_000_000, random: { 5 },
            readFlash: { $0 >= 0 && $1 >= 0 && $0 <= flash.count - $1 ? Array(flash[$0..<$0 + $1]) : nil })
    }

    func boot(_ glitch: Glitch? = nil) throws -> SecurityCore.Run { try SecurityCore(rom: rom).boot(surroundings, glitch: glitch) }
}

@Suite struct BootCodeTests {
    @Test(arguments: ["plain", "hardened"]) func aGoodChipBoots(build: String) throws {
        let bench = try BootBench(build)
        let run = try bench.boot()
        #expect(run.end == .handedOver)
        #expect(run.reports.map(\.stage) == [1, 19, 2] && run.reports.allSatisfy { $0.result == .accepted && $0.slot == 0 })
        #expect(run.measurements.map(\.type) == [1, 19, 2])
        #expect(run.measurements.allSatisfy { bench.genuine[$0.type] == $0.digest })
        #expect(run.measurements[0].signer == bench.builder.bootKeyHash)
        #expect(run.nanoseconds > 27_000_000)
    }

    @Test(arguments: ["plain", "hardened"]) func whatIsWrongIsRefusedWithItsReason(build: String) throws {
        func results(_ change: (inout BootBench) throws -> Void) throws -> [BootReport.Result?] {
            var bench = try BootBench(build)
            try change(&bench)
            return try bench.boot().reports.map(\.result)
        }
        let rest: [BootReport.Result?] = [.accepted, .accepted, .accepted]
        #expect(try results { try $0.implant() } == [.badSignature] + rest)
        #expect(try results { $0.flash[65_536] ^= 1 } == [.untrustedSigner] + rest)
        #expect(try results { bench in bench.flash.replaceSubrange(0..<4, with: [0, 0, 0, 0]) } == [.badTable] + rest)
        #expect(try results { $0.counters[0] = 2 } == [.rolledBack, .rolledBack])
        // Both copies of the keystore: 1BL stops there.
        var bench = try BootBench(build)
        for copy in bench.flash.indices.dropFirst(65_536)
        where copy % 4096 == 0 && Array(bench.flash[copy..<copy + 4]) == Array(bench.flash[73_728..<73_732]) {
            bench.flash[copy + 70] ^= 1
        }
        let run = try bench.boot()
        #expect(run.end == .halted(8) && run.reports.map(\.result) == [.accepted, .badSignature, .badSignature])
    }

    @Test(arguments: ["plain", "hardened"]) func withoutSecureBootTheImplantRuns(build: String) throws {
        var bench = try BootBench(build)
        try bench.implant()
        bench.isSecure = false
        let run = try bench.boot()
        #expect(String(decoding: run.console, as: UTF8.self) == "implant\n" && run.end == .handedOver)
        #expect(run.measurements.first.map { $0.digest != bench.genuine[1] } == true)
    }

    /// Flash that is anything: refused, never a hang of the process.
    @Test(arguments: ["plain", "hardened"]) func fuzzedFlashIsRefused(build: String) throws {
        var bench = try BootBench(build)
        let good = bench.flash
        let core = try SecurityCore(rom: bench.rom)
        var state: UInt64 = 7
        for _ in 0..<150 {
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let index = Int(state >> 33) % 3 == 0 ? Int(state >> 40) % 400 : 65_536 + Int(state >> 40) % 6000
                bench.flash[index] = UInt8(truncatingIfNeeded: state >> 20)
            }
            let run = core.boot(bench.surroundings)
            #expect(run.postcodes.first == 1)
            bench.flash = good
        }
    }

    /// The point of it all: one instruction that is not executed starts unsigned code on the plain build, and on the
    /// hardened one none does.
    @Test func oneSkippedInstructionIsEnoughForThePlainBuildOnly() throws {
        func map(_ build: String) throws -> GlitchMap {
            var bench = try BootBench(build)
            try bench.implant()
            let search = try GlitchSearch(
                build: build, rom: bench.rom, programs: [bench.rom, bench.loader], surroundings: bench.surroundings, genuine: bench.genuine)
            return search.run(.skip)
        }
        let plain = try map("plain")
        #expect(plain.baseline == .fallback && plain.trials.count == plain.instructions)
        #expect(plain.compromised.allSatisfy { $0.place.hasPrefix("start") || $0.place.hasPrefix("check") })
        // Where the branch after the check is skipped, the ROM still measures what it starts; where the whole check is, not.
        let evidence = Set(plain.compromised.map { $0.evidence.hasPrefix("changed 1BL") })
        #expect(evidence == [true, false])
        let hardened = try map("hardened")
        #expect(hardened.compromised.isEmpty)
        #expect(hardened.count(.fallback) > 0 && hardened.count(.refused) > 0)
    }

    /// The same fault has the same outcome, whatever was tried before on the same core.
    @Test func trialsDoNotDependOnEachOther() throws {
        var bench = try BootBench("plain")
        try bench.implant()
        let used = try SecurityCore(rom: bench.rom)
        for instruction in stride(from: Int64(0), to: 1200, by: 7) {
            for model in [Glitch.Model.skip, .flip(bit: 9), .register(3, bit: 1)] {
                _ = used.boot(bench.surroundings, glitch: Glitch(instruction: instruction, model: model), budget: 40_000)
            }
        }
        for instruction in stride(from: Int64(100), to: 1200, by: 100) {
            let glitch = Glitch(instruction: instruction, model: .flip(bit: 3))
            let (one, other) = (used.boot(bench.surroundings, glitch: glitch), try bench.boot(glitch))
            #expect(one.end == other.end && one.reports == other.reports && one.measurements == other.measurements)
            #expect(one.instructions == other.instructions && one.hit == other.hit)
        }
    }

    /// A fault may have the good copy checked at another address: code of the bad one still lies at the usual one.
    @Test func whatARefusedCopyLeavesInMemoryIsNotRun() throws {
        var bench = try BootBench("hardened")
        try bench.implant()
        let core = try SecurityCore(rom: bench.rom)
        let check = try #require(ELFSymbols(bench.rom.file).functions.first { $0.name == "check" })
        let steps = core.traceBoot(bench.surroundings).steps
        let calls = steps.indices.filter { steps[$0].address == check.address }
        #expect(calls.count == 2)
        var moved = 0
        for position in calls[1]..<calls[1] + 40 {
            for register in 0..<13 {
                let glitch = Glitch(instruction: Int64(position), model: .register(register, bit: 14))
                let run = core.boot(bench.surroundings, glitch: glitch, budget: 100_000)
                #expect(!run.postcodes.contains(0xBAD), "\(glitch.text)")
                moved += run.measurements.first.map { $0.digest == bench.genuine[1] } == true && run.end != .handedOver ? 1 : 0
            }
        }
        #expect(moved > 0)
    }

    /// A watched boot is the same boot, whatever is watched; and a fault is over when it is over.
    @Test func readsThatGoWrongChangeNothingElse() throws {
        var bench = try BootBench("plain")
        try bench.implant()
        let core = try SecurityCore(rom: bench.rom)
        let (unwatched, steps) = core.traceBoot(bench.surroundings)
        let (watched, withReads) = core.traceBoot(bench.surroundings, reads: true)
        #expect(watched.end == unwatched.end && watched.reports == unwatched.reports && watched.instructions == unwatched.instructions)
        #expect(withReads.map(\.address) == steps.map(\.address) && withReads.contains { $0.reads.count > 1 })
        var outcomes: Set<String> = []
        for (index, step) in withReads.enumerated().filter({ !$0.element.reads.isEmpty }).prefix(150) {
            let run = core.boot(bench.surroundings, glitch: Glitch(instruction: Int64(index), model: .bus(read: 0, bit: 1)), budget: 40_000)
            #expect(run.hit == step.address)
            outcomes.insert("\(run.end)")
        }
        #expect(outcomes.count > 2)
        #expect(core.boot(bench.surroundings).reports == unwatched.reports)
    }

    @Test(arguments: ["5:skip", "12:flip:31", "0:r12:0", "7:bus15:31"]) func glitchesAreWrittenAsTheyAreRead(text: String) {
        #expect(Glitch(text)?.text == text)
    }

    @Test(arguments: [
        "", "5", "x:skip", "-1:skip", "5:flip", "5:flip:32", "5:r13:0", "5:bus16:0", "5:bus:0", "5:x1:0", "5:r:1", "5:skip:1", "5:hop",
    ])
    func whatIsNoGlitchIsRefused(text: String) { #expect(Glitch(text) == nil) }
}

import Factory
import Formats
import SecureChannel
import Silicon
import Testing

/// A flash chip that recovery writes.
final class RecoveryChip {
    var bytes: [UInt8]
    private(set) var changes = 0
    /// Power goes during this operation, if at all.
    var cutAt: Int?
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(_ offset: Int, _ count: Int) -> [UInt8]? {
        offset >= 0 && count >= 0 && offset <= bytes.count - count ? Array(bytes[offset..<offset + count]) : nil
    }

    func change(_ change: BootSurroundings.FlashChange) -> Bool {
        changes += 1
        if let cutAt, changes >= cutAt { return false }
        switch change {
        case .erase(let sector):
            bytes.replaceSubrange(sector * 4096..<(sector + 1) * 4096, with: [UInt8](repeating: 0xFF, count: 4096))
        case .program(let offset, let data):
            guard offset <= bytes.count - data.count else { return false }
            for (index, byte) in data.enumerated() { bytes[offset + index] &= byte }
        }
        return true
    }
}

struct RecoveryBench {
    var bench: BootBench
    let chip: RecoveryChip
    var files: [[UInt8]]
    let core: SecurityCore

    init(_ build: String = "hardened") throws {
        bench = try BootBench(build)
        let loader = try BootBench.program("recovery").flat(from: FlashLayout.loaderAddress)
        files = bench.builder.recoveryFiles(loader: loader, flash: bench.flash).map(\.content)
        // All of flash is worn out or wiped.
        chip = RecoveryChip([UInt8](repeating: 0, count: FlashLayout.totalBytes))
        core = try SecurityCore(rom: bench.rom)
    }

    var surroundings: BootSurroundings {
        var surroundings = bench.surroundings
        surroundings.readFlash = chip.read
        surroundings.changeFlash = chip.change
        return surroundings
    }

    func recover() -> (outcome: RecoveryHost.Outcome, nanoseconds: Int64) {
        var host = RecoveryHost(files: files)
        return host.recover(core, surroundings)
    }

    /// A file with other content, signed again or not.
    mutating func replace(_ index: Int, _ change: (inout [UInt8]) -> Void) {
        var package = Array(files[index].dropFirst(4))
        change(&package)
        files[index] = UInt32(package.count).littleEndianBytes + package
    }

    static func error(_ number: Int) -> RecoveryHost.Outcome { .failed("recovery error \(39 << 20 + number)") }
}

@Suite struct RecoveryTests {
    @Test(arguments: ["plain", "hardened"]) func aWipedChipBootsAgain(build: String) throws {
        let bench = try RecoveryBench(build)
        #expect(bench.core.boot(bench.surroundings).end != .handedOver)
        let (outcome, nanoseconds) = bench.recover()
        #expect(outcome == .complete)
        // Some 220 KB at 115,200 baud, and sectors of flash to erase.
        #expect((20_000_000_000..<60_000_000_000).contains(nanoseconds), "\(nanoseconds)")
        let run = bench.core.boot(bench.surroundings)
        #expect(run.end == .handedOver && run.measurements.allSatisfy { bench.bench.genuine[$0.type] == $0.digest })
        let layout = try FlashLayout(sector: Array(bench.chip.bytes[0..<4096]))
        #expect(layout.entries.count == 2 * (bench.files.count - 2))
        for entry in layout.entries {
            let image = Array(bench.chip.bytes[Int(entry.offset)..<Int(entry.offset + entry.length)])
            #expect(sha256(image) == bench.bench.genuine[UInt32(entry.type)])
        }
        #expect(bench.chip.bytes[FlashLayout.settingsOffset...].allSatisfy { $0 == 0xFF })
    }

    @Test func whatIsNotTheVendorsIsRefusedWithTheOriginalsNumbers() throws {
        func outcome(_ change: (inout RecoveryBench) throws -> Void) throws -> (RecoveryHost.Outcome, changes: Int) {
            var bench = try RecoveryBench()
            try change(&bench)
            return (bench.recover().outcome, bench.chip.changes)
        }
        func expect(_ number: Int, changes: ClosedRange<Int> = 0...0, _ change: (inout RecoveryBench) throws -> Void) throws {
            let (outcome, count) = try outcome(change)
            #expect(outcome == RecoveryBench.error(number))
            #expect(changes.contains(count), "\(number): \(count)")
        }
        // The loader, the list, and the fourth file, which is the keystore.
        try expect(5) { $0.replace(0) { $0[100] ^= 1 } }
        try expect(4) { $0.replace(0) { $0[3] ^= 1 } }
        try expect(9) { $0.replace(0) { $0 = [UInt8](repeating: 7, count: 500) } }
        try expect(8) { $0.files[0] = [255, 255, 255, 0] + $0.files[0].dropFirst(4) }
        try expect(8) { $0.files[0] += [UInt8](repeating: 0, count: 40_000) }
        try expect(5) { $0.replace(1) { $0[4] ^= 1 } }
        try expect(9) { $0.files[1] = $0.files[3] }
        try expect(5, changes: 3...10) { $0.replace(3) { $0[4] ^= 1 } }
        try expect(8, changes: 2...2) { $0.files[2] = $0.files[3] }
        try expect(8, changes: 2...2) { $0.replace(2) { $0.removeLast() } }
        try expect(1000) { $0.bench.counters[1] = 2 }
        try expect(1000) { $0.bench.counters[7] = 2 }
        try expect(1000) { $0.bench.counters[0] = 2 }
        // The IDs in the metadata, which lie before the signature: the list has others.
        try expect(6, changes: 3...10) { bench in bench.replace(3) { try? flip(&$0, component: true) } }
        try expect(7, changes: 3...10) { bench in bench.replace(3) { try? flip(&$0, component: false) } }
    }

    private func flip(_ package: inout [UInt8], component: Bool) throws {
        let parsed = try ImagePackage.parse(package).package
        let id = component ? parsed.component.bytes : parsed.image.bytes
        package[try #require(package.firstRange(of: id)).lowerBound] ^= 1
    }

    /// What an attacker with a cable can do where nothing is checked, and only there.
    @Test func withoutSecureBootAnybodysImagesAreTaken() throws {
        var bench = try RecoveryBench()
        bench.bench.isSecure = false
        bench.replace(5) { $0[100] ^= 1 }
        #expect(bench.recover().outcome == .complete)
        bench.bench.isSecure = true
        #expect(bench.recover().outcome == RecoveryBench.error(5))
    }

    @Test func whoeverSaysNothingEndsItAfterTenMinutes() throws {
        let bench = try RecoveryBench()
        var pause = bench.core.recover(bench.surroundings)
        var (nanoseconds, said) = (pause.nanoseconds, pause.sent)
        while let wait = pause.waitNanoseconds {
            pause = bench.core.wake(received: [])
            nanoseconds += wait + pause.nanoseconds
            said += pause.sent
        }
        #expect(said.starts(with: Array("CCC".utf8)))
        #expect(String(decoding: said, as: UTF8.self).hasSuffix("recovery error \(39 << 20 + 205)\r\n"))
        #expect((590_000_000_000...610_000_000_000).contains(nanoseconds), "\(nanoseconds)")
        #expect(bench.chip.changes == 0)
    }

    /// A line that loses, doubles and changes bytes: blocks are asked for again, and what arrives is whole.
    @Test(arguments: [1, 2, 3]) func aBadLineIsOvercome(seed: UInt64) throws {
        let bench = try RecoveryBench()
        var state = seed
        func draw() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
        var host = RecoveryHost(files: bench.files)
        var pause = bench.core.recover(bench.surroundings)
        while host.outcome == nil, pause.waitNanoseconds != nil {
            var answer = host.receive(pause.sent)
            if !answer.isEmpty, draw() % 20 == 0 {
                let index = Int(draw()) % answer.count
                switch draw() % 3 {
                case 0: answer[index] ^= 1 << UInt8(draw() % 8)
                case 1: answer.remove(at: index)
                default: answer.insert(UInt8(draw() & 0xFF), at: index)
                }
            }
            pause = bench.core.wake(received: answer)
        }
        _ = host.receive(pause.sent)
        #expect(host.outcome == .complete)
        #expect(bench.core.boot(bench.surroundings).end == .handedOver)
    }

    /// Anything at all from the line: no trap, no hang, no change of flash.
    @Test(arguments: [1, 2, 3, 4]) func noiseIsNoRecovery(seed: UInt64) throws {
        let bench = try RecoveryBench()
        var state = seed
        var pause = bench.core.recover(bench.surroundings)
        for _ in 0..<3000 where pause.waitNanoseconds != nil {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let count = Int(state >> 60)
            let often: [UInt8] = [1, 2, 4, 24, 1, 254, 255, 0]
            pause = bench.core.wake(
                received: (0..<count).map { $0 % 2 == 0 ? often[Int(state >> 40) % 8] : UInt8(state >> (8 * UInt64($0 % 7)) & 0xFF) })
        }
        #expect(pause.end == nil || pause.end == .halted(8))
        #expect(bench.chip.changes == 0)
    }

    /// Power may go at any operation: the device then asks again, or boots.
    @Test func powerMayGoInBetween() throws {
        for cut in [1, 3, 60, 199] {
            let bench = try RecoveryBench()
            bench.chip.bytes = bench.bench.flash
            bench.chip.cutAt = cut
            _ = bench.recover()
            bench.chip.cutAt = nil
            #expect(bench.recover().outcome == .complete, "\(cut)")
            #expect(bench.core.boot(bench.surroundings).end == .handedOver)
        }
    }
}

import Formats
import Foundation
import SecureChannel
import Silicon
import Testing

/// A folder that is gone when the test is over.
final class Scratch {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "orrery-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func flash() throws -> Flash {
        let base = path + "/base.flash"
        if !FileManager.default.fileExists(atPath: base) {
            try Data(repeating: 0xFF, count: Flash.totalBytes).write(to: URL(fileURLWithPath: base))
        }
        return try Flash(basePath: base, overlayPath: path + "/flash.bin")
    }
    func fuses() throws -> FuseBank { try FuseBank(path: path + "/fuses.bin") }
}

@Suite struct FlashTests {
    @Test func programmingClearsAndErasingSets() throws {
        let scratch = try Scratch()
        let flash = try scratch.flash()
        try flash.program(4090, [0xF0, 0x0F, 1, 2, 3, 4, 5, 6])  // over a sector's edge
        try flash.program(4090, [0x3F])
        #expect(try flash.read(4089, 10) == [0xFF, 0x30, 0x0F, 1, 2, 3, 4, 5, 6, 0xFF])
        try flash.erase(sector: 1)
        #expect(try flash.read(4094, 4) == [3, 4, 0xFF, 0xFF])
    }

    @Test func whatWasWrittenIsThereAfterwards() throws {
        let scratch = try Scratch()
        try scratch.flash().program(100, [1, 2, 3])
        #expect(try scratch.flash().read(99, 5) == [0xFF, 1, 2, 3, 0xFF])
    }

    /// Since this chip got power: what a power cut leaves half done has worn the chip, what came after it and what a clip writes has not.
    @Test func wearIsCountedByTheOperation() throws {
        let scratch = try Scratch()
        let flash = try scratch.flash()
        try flash.program(4090, [UInt8](repeating: 0, count: 10))
        try flash.erase(sector: 1)
        _ = try flash.read(0, 4096)
        flash.rewrite(0, [1, 2, 3])
        #expect(flash.wear == Flash.Wear(erasedSectors: 1, programmedBytes: 10))
        flash.cutPower(duringOperation: 1)
        #expect(throws: SiliconError.powerLost) { try flash.erase(sector: 2) }
        #expect(throws: SiliconError.powerLost) { try flash.erase(sector: 3) }
        #expect(flash.wear == Flash.Wear(erasedSectors: 2, programmedBytes: 10))
        #expect(try scratch.flash().wear == Flash.Wear())
    }

    /// Of each sector, over all lives of the chip; an operation that the power cuts short counts.
    @Test func erasuresAreCountedBySector() throws {
        let scratch = try Scratch()
        let flash = try scratch.flash()
        for sector in [1, 2, 2] { try flash.erase(sector: sector) }
        #expect(flash.mostErasures == 2)
        flash.cutPower(duringOperation: 1)
        #expect(throws: SiliconError.powerLost) { try flash.erase(sector: 2) }
        #expect(throws: SiliconError.powerLost) { try flash.erase(sector: 2) }
        #expect(throws: SiliconError.self) { try scratch.flash().erase(sector: 4096) }
        let next = try scratch.flash()
        #expect(next.mostErasures == 0)
        try next.erase(sector: 2)
        #expect(next.mostErasures == 4)
    }

    @Test func wrongFilesAreRefused() throws {
        let scratch = try Scratch()
        _ = try scratch.flash()
        let base = scratch.path + "/base.flash"
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: scratch.path + "/short"))
        #expect(throws: SiliconError.wrongSize(path: scratch.path + "/short", bytes: 3, expected: Flash.totalBytes)) {
            try Flash(basePath: scratch.path + "/short", overlayPath: scratch.path + "/o")
        }
        #expect(throws: SiliconError.self) { try Flash(basePath: base, overlayPath: scratch.path + "/short") }
        #expect(throws: SiliconError.self) { try Flash(basePath: scratch.path + "/none", overlayPath: scratch.path + "/o") }
        #expect(throws: SiliconError.outOfRange(offset: Flash.totalBytes - 1, count: 2)) {
            try scratch.flash().read(Flash.totalBytes - 1, 2)
        }
    }
}

@Suite struct PlutonTests {
    @Test func fusesAreOneWay() throws {
        let fuses = try Scratch().fuses()
        fuses.raiseCounter(2, to: 5)
        fuses.raiseCounter(2, to: 3)
        #expect(fuses.counter(2) == 5)
        #expect(fuses.counter(1) == 0)
        fuses.burnBootKeyHash([UInt8](repeating: 0x0F, count: 32))
        fuses.burnBootKeyHash([UInt8](repeating: 0xF0, count: 32))
        #expect(fuses.bootKeyHash == [UInt8](repeating: 0xFF, count: 32))
    }

    @Test func identityStaysAndDiffersBetweenChips() throws {
        let (one, other) = (try Scratch(), try Scratch())
        let first = try Pluton(fuses: one.fuses(), flash: one.flash(), storage: .fuses).deviceID
        #expect(first.count == 128)
        #expect(try Pluton(fuses: one.fuses(), flash: one.flash(), storage: .fuses).deviceID == first)
        #expect(try Pluton(fuses: other.fuses(), flash: other.flash(), storage: .fuses).deviceID != first)
    }

    /// The difference that `hardware-root-of-trust` makes: what a copied flash chip carries.
    @Test(arguments: [Pluton.KeyStorage.fuses, .flash]) func copiedFlash(storage: Pluton.KeyStorage) throws {
        let (victim, thief) = (try Scratch(), try Scratch())
        let original = try Pluton(fuses: victim.fuses(), flash: victim.flash(), storage: storage)
        _ = try thief.flash()
        try FileManager.default.removeItem(atPath: thief.path + "/flash.bin")
        if FileManager.default.fileExists(atPath: victim.path + "/flash.bin") {
            try FileManager.default.copyItem(atPath: victim.path + "/flash.bin", toPath: thief.path + "/flash.bin")
        }
        let copy = try Pluton(fuses: thief.fuses(), flash: thief.flash(), storage: storage)
        #expect((copy.deviceID == original.deviceID) == (storage == .flash))
        let seed = [UInt8](repeating: 1, count: 32)
        #expect(
            (copy.clientAuthKey(seed: seed).publicKey == original.clientAuthKey(seed: seed).publicKey) == (storage == .flash))
    }

    @Test func evidenceIsSignedAndBoundToTheNonce() throws {
        let scratch = try Scratch()
        let pluton = try Pluton(fuses: scratch.fuses(), flash: scratch.flash(), storage: .fuses)
        let digest = sha256([1])
        for index in 0..<20 { #expect(pluton.extend(type: UInt32(index), digest: digest, signer: digest)) }
        #expect(!pluton.extend(type: 20, digest: digest, signer: digest))
        let nonce = [UInt8](repeating: 9, count: 32)
        let message = try CoseSign1(pluton.attest(nonce: nonce))
        let token = try PSAToken(message.payload)
        #expect(token.nonce == nonce && token.components.count == 20)
        #expect(
            pluton.devicePublicKey.isValid(
                signature: message.signature, digest: sha256(CoseSign1.toBeSigned(message.payload))))
    }
}

/// Runs the real guest program, as `scripts/guest` builds it.
@Suite struct RealTimeCoreTests {
    final class Bench: World {
        var sample: UInt32 = 1280  // 5 °C
        var duties: [Double] = []
        var lines: [String] = []
        func analogInput(channel: Int, at nanoseconds: Int64) -> UInt32 { channel == 0 ? sample : 0 }
        func pulseWidth(controller: Int, channel: Int, duty: Double, at nanoseconds: Int64) { duties.append(duty) }
        var line = SerialLine()
        func transmitted(_ byte: UInt8, on port: SerialPortName, at nanoseconds: Int64) {
            if let text = line.add(byte) { lines.append(text) }
        }
    }

    private func compressor() throws -> ELFImage {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent(".build/guest/compressor.elf").path
        let bytes = try #require(FileManager.default.contents(atPath: path), "run scripts/guest first")
        return try ELFImage(Array(bytes))
    }

    @Test func controlLoopOverAnHour() throws {
        let bench = Bench()
        let core = try RealTimeCore(compressor(), world: bench, at: 0)
        let hour: Int64 = 3_600_000_000_000
        #expect(core.run(until: hour) == .reachedDeadline)
        #expect(bench.lines.first == "compressor 1.0")
        // Every 10 s the loop runs; every 10 minutes it logs.
        #expect((358...361).contains(bench.duties.count))
        #expect(bench.lines.count == 1 + 5)
        #expect(bench.duties.last == 1)
        bench.sample = 1024  // 0 °C
        _ = core.run(until: hour + 20_000_000_000)
        #expect(bench.duties.last == 0)
        // A core that waits executes nothing: an hour costs a few hundred thousand instructions.
        #expect(core.instructions < 2_000_000)
    }

    @Test func sliceLengthDoesNotChangeTheTrace() throws {
        func trace(_ slice: Int64) throws -> [String] {
            let bench = Bench()
            let core = try RealTimeCore(compressor(), world: bench, at: 0)
            var now: Int64 = 0
            while now < 1_400_000_000_000 {
                now += slice
                _ = core.run(until: now)
            }
            return bench.lines + ["\(bench.duties.count)"]
        }
        #expect(try trace(1_000_000_000) == trace(7_000_000_000))
    }

    @Test func guestCodeThatFaultsIsToldAndStopped() throws {
        // Vector table: stack, reset; then UDF.
        let code: [UInt8] = [0, 0, 0x13, 0, 0x09, 0, 0x10, 0, 0x00, 0xDE]
        let program = try ELFImage(Self.elf(code))
        let core = try RealTimeCore(program, world: Bench(), at: 0)
        // There is no handler for it either.
        guard case .lockedUp(let fault) = core.run(until: 1_000_000) else {
            Issue.record("an undefined instruction went unnoticed")
            return
        }
        #expect(fault.pc == 0x0010_0008)
        #expect(fault.sp == 0x0013_0000)
    }

    @Test func programsThatAreNoneAreRefused() throws {
        #expect(throws: ELFImage.Failure.notELF) { try ELFImage([1, 2, 3]) }
        let elf = Self.elf([0, 0, 0, 0])
        for length in 0..<elf.count { #expect(throws: ELFImage.Failure.self) { try ELFImage(Array(elf[..<length])) } }
        for index in elf.indices {
            var changed = elf
            changed[index] ^= 0xFF
            // An engine costs a good part of a second to make: run only some of the programs that parse.
            guard let program = try? ELFImage(changed), index % 12 == 0 else { continue }
            if let core = try? RealTimeCore(program, world: Bench(), at: 0) {
                _ = core.run(until: 10_000)
            }
        }
    }

    /// The least ELF32 for ARM with one segment at the start of TCM.
    static func elf(_ code: [UInt8]) -> [UInt8] {
        func le(_ value: UInt32, _ width: Int = 4) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
        let head: [UInt8] =
            [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9) + le(2, 2) + le(40, 2) + le(1)
            + le(0x0010_0000) + le(52) + le(0) + le(0) + le(52, 2) + le(32, 2) + le(1, 2) + le(0, 2) + le(0, 2) + le(0, 2)
        let segment = le(1) + le(84) + le(0x0010_0000) + le(0x0010_0000) + le(UInt32(code.count)) + le(UInt32(code.count)) + le(5) + le(4)
        return head + segment + code
    }
}

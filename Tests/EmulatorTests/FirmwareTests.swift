import Emulator
import Factory
import Formats
import Foundation
import Silicon
import Testing

@Suite struct FirmwareTests {
    private func manifest(_ capabilities: String, type: String = "RealTimeCapable") -> [UInt8] {
        Array(
            """
            {"SchemaVersion":1,"Name":"x","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app",
            "CmdArgs":[],"Capabilities":{\(capabilities)},"ApplicationType":"\(type)"}
            """.utf8)
    }

    /// HW-13: what the manifest does not ask for is not there.
    @Test(arguments: [
        ("\"Gpio\":[0,12]", true), ("\"Gpio\":[12]", false), ("\"Gpio\":[1,15]", true), ("\"Adc\":[\"ADC-CONTROLLER-0\"]", false),
        ("\"Pwm\":[\"PWM-CONTROLLER-0\"],\"Gpio\":[12]", true), ("", false),
    ]) func theManifestOpensPeripherals(_ test: (capabilities: String, works: Bool)) throws {
        let elf = try Ran.program("pins")
        var faults: [String] = []
        let emulation = try Emulation(
            elf, firewall: Firewall(try AppManifest(json: manifest(test.capabilities))), attach: ["button@gpio12:1ms/1ms"]
        ) { _, event in if case .fault(let fault) = event { faults.append(fault.cause) } }
        _ = emulation.run(until: 5_000_000)
        #expect(faults.isEmpty == test.works, "\(faults)")
    }

    @Test func packagesAreUnpacked() throws {
        let program = try Ran.program("tick").file
        let builder = FlashBuilder(osVersion: "1", unixSeconds: 0, loader: [])
        let package = builder.app(AppSource(name: "tick", manifest: manifest("\"Gpio\":[8]"), program: program), version: 3)
        let firmware = try Firmware(package, manifest: nil)
        #expect(firmware.program.file == program && firmware.manifest?.name == "x")
        #expect(try Firmware(program, manifest: nil).manifest == nil)
        #expect(throws: Firmware.Failure.notARealTimeApp("x")) { try Firmware(program, manifest: manifest("", type: "Default")) }
        #expect(throws: AppManifest.Refusal.self) { try Firmware(program, manifest: [1, 2]) }
        for length in stride(from: 0, to: package.count, by: 97) {
            #expect(throws: (any Error).self) { try Firmware(Array(package[..<length]), manifest: nil) }
        }
    }

    /// Each field of a program header changed: what is refused, and why.
    @Test func programsThatDoNotFitAreRefused() throws {
        let good = try Ran.program("tick").file
        func changed(_ offset: Int, _ value: UInt32) -> [UInt8] {
            var bytes = good
            let headers = Int(good[28])
            for index in 0..<4 { bytes[headers + offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
            return bytes
        }
        #expect(throws: ELFImage.Failure.hugeSegment(address: 0x0010_0000)) { try ELFImage(changed(20, 0x7FFF_FFFF)) }
        #expect(throws: ELFImage.Failure.hugeSegment(address: 0xFFFF_FF00)) { try ELFImage(changed(8, 0xFFFF_FF00)) }
        #expect(throws: ELFImage.Failure.truncated) { try ELFImage(changed(16, 0x7FFF_FFFF)) }
        #expect(throws: ELFImage.Failure.entryOutside(0x0010_0000)) { try ELFImage(changed(8, 0x2200_0000)) }
        var wide = good
        wide[4] = 2
        #expect(throws: ELFImage.Failure.architecture("ARM of 64 bits")) { try ELFImage(wide) }
        var foreign = good
        foreign[18] = 62
        #expect(throws: ELFImage.Failure.architecture("x86-64")) { try ELFImage(foreign) }
        var big = good
        (big[5], big[18], big[19]) = (2, 0, 8)
        #expect(throws: ELFImage.Failure.architecture("MIPS, big-endian")) { try ELFImage(big) }
        var library = good
        library[16] = 1
        #expect(throws: ELFImage.Failure.notARMExecutable) { try ELFImage(library) }
        // Inside the address space, and outside of the core's memory.
        let outside = try ELFImage(changed(20, 193 << 10))
        #expect(throws: SiliconError.self) { try Emulation(outside, attach: []) { _, _ in } }
        // The same segment twice.
        var twice = good
        twice[44] = 2
        let headers = Int(good[28])
        let first = Array(good[headers..<headers + 32])
        twice.replaceSubrange(headers + 32..<headers + 64, with: first)
        #expect(throws: ELFImage.Failure.overlappingSegments(address: 0x0010_0000)) { try ELFImage(twice) }
    }

    /// Programs of random bytes: a named fault or nothing, in the time that they were given.
    @Test func garbageRunsAndHarmsNobody() throws {
        var state: UInt64 = 11
        var ends: [String: Int] = [:]
        for _ in 0..<60 {
            var code: [UInt8] = [0, 0, 0x13, 0, 0x41, 0, 0x10, 0]
            for _ in 0..<400 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                code.append(UInt8(truncatingIfNeeded: state >> 33))
            }
            // Handlers of faults lie in the garbage too.
            for exception in 2..<16 {
                code.replaceSubrange(4 * exception..<4 * exception + 4, with: [UInt8(65 + 8 * exception), 0, 0x10, 0])
            }
            let emulation = try Emulation(try ELFImage(FirmwareTests.elf(code)), attach: []) { _, _ in }
            let end = emulation.run(until: 2_000_000)
            ends["\(end)".prefix { $0 != "(" }.description, default: 0] += 1
        }
        #expect(ends.values.reduce(0, +) == 60 && ends["lockedUp", default: 0] > 10, "\(ends)")
    }

    /// The least ELF32 for ARM with one segment at the start of TCM.
    static func elf(_ code: [UInt8]) -> [UInt8] {
        func le(_ value: UInt32, _ width: Int = 4) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
        let head: [UInt8] =
            [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9) + le(2, 2) + le(40, 2) + le(1) + le(0x0010_0000) + le(52)
            + le(0) + le(0) + le(52, 2) + le(32, 2) + le(1, 2) + le(0, 2) + le(0, 2) + le(0, 2)
        let size = le(UInt32(code.count))
        return head + le(1) + le(84) + le(0x0010_0000) + le(0x0010_0000) + size + size + le(5) + le(4) + code
    }
}

@Suite struct DebugTests {
    private func session() throws -> (DebugSession, Emulation) {
        let emulation = try Emulation(Ran.program("tick"), attach: []) { _, _ in }
        return (DebugSession(emulation), emulation)
    }

    @Test func breakpointsAndStepsStopWhereTheyShould() throws {
        let (session, emulation) = try session()
        let symbols = ELFSymbols(try Ran.program("tick").file)
        let timer = try #require(symbols.functions.first { $0.name == "timer" }).address
        #expect(session.answer("Z0,\(String(timer, radix: 16)),2") == "OK")
        #expect(session.answer("c") == nil && session.state == .running)
        #expect(session.run(for: 2_000_000_000) == "T05thread:1;")
        #expect(emulation.core.debugRegisters[15] == timer)
        #expect((1_000_000_000...1_000_100_000).contains(emulation.core.now))
        let cycle = emulation.core.now
        for count in 1...3 {
            #expect(session.answer("s") == "T05thread:1;")
            #expect(emulation.core.debugRegisters[15] == timer + UInt32(2 * count))
        }
        // Three instructions are three cycles of the 26 MHz clock.
        #expect((114...117).contains(emulation.core.now - cycle))
        #expect(session.answer("z0,\(String(timer, radix: 16)),2") == "OK")
        _ = session.answer("c")
        #expect(session.run(for: 1_500_000_000) == nil && session.state == .running)
    }

    @Test func memoryAndRegistersAreReadAndWritten() throws {
        let (session, _) = try session()
        #expect(session.answer("m100000,4") == "00001300")
        #expect(session.answer("M12f000,2:beef") == "OK" && session.answer("m12f000,2") == "beef")
        #expect(session.answer("P3=78563412") == "OK" && session.answer("p3") == "78563412")
        #expect(session.answer("g")?.count == 136)
        for bad in ["m40000000,4", "m100000,ffffffff", "m", "M100000,2:b", "P63=00000000", "pzz", "G00", "Z0,zz,2"] {
            #expect(["E01", ""].contains(session.answer(bad)), "\(bad)")
        }
    }

    /// Whatever comes in on the port.
    @Test func garbageOnTheWireIsAnswered() throws {
        let (session, _) = try session()
        var wire = DebugProtocol()
        #expect(wire.take(Array("$g#67".utf8)).commands == [.packet("g")])
        #expect(wire.take(Array("+$?#".utf8)).commands.isEmpty && wire.take(Array("3f\u{3}".utf8)).commands == [.packet("?"), .interrupt])
        #expect(wire.take(Array("$g#00".utf8)).answers == [UInt8(ascii: "-")])
        var state: UInt64 = 3
        for _ in 0..<2000 {
            var bytes = Array("$".utf8)
            for _ in 0..<Int(state % 12) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(Array("qXfer:mMpPgGzZ,;=0123456789abcdefvCont".utf8)[Int(state >> 40) % 38])
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
            guard !text.hasPrefix("c"), !text.hasPrefix("s"), !text.hasPrefix("vCont") else { continue }
            for case .packet(let packet) in wire.take(DebugProtocol.frame(text)).commands { _ = session.answer(packet) }
        }
    }
}

import Foundation
import Testing

/// A second chip, beside QEMU's model of the same board: the same file prints the same.
@Suite(.serialized) struct ChipTestsSerial {
    private func program(_ name: String) -> String { Testbed.root + "/.build/guest/tests/\(name).elf" }

    /// - Parameter input: What its UART hears. Without any, each instruction takes 32 ns, and waiting takes no time: the same each
    ///   time. With some, the clock is the wall's, since the bytes' is; and the UART stays open until the program ends.
    private func qemu(_ testbed: Testbed, _ name: String, input: String = "") async throws -> String {
        let clock = input.isEmpty ? "-icount shift=5,align=off,sleep=off" : ""
        let emulator = "qemu-system-arm -M mps2-an386 -display none -monitor none -serial stdio -semihosting \(clock)"
        return try await testbed.tool(
            "/bin/sh",
            ["-c", "(printf '\(input)'; sleep 3) | timeout 100 \(emulator) -kernel '\(program(name))' 2>&1 | grep -v 'delta zero'"])
    }

    private func ours(_ testbed: Testbed, _ name: String, _ options: [String] = []) async throws -> String {
        let run = try await testbed.orrery(["emulate", "--chip", "mps2-an386", program(name), "--for", "100s"] + options)
        #expect(run.code == 0, "\(run.errors)")
        return run.output
    }

    @Test func eachBlockDoesWhatQEMUsDoes() async throws {
        let testbed = try Testbed()
        #expect(try await ours(testbed, "mps2-ssp") == qemu(testbed, "mps2-ssp"))
        let (theirs, ours) = (try await qemu(testbed, "mps2-blocks"), try await ours(testbed, "mps2-blocks"))
        #expect(ours == theirs)
        #expect(!ours.contains("NO") && ours.contains("the watchdog has reset the board: 1"), "\(ours)")
    }

    @Test func bytesComeInByInterrupt() async throws {
        let testbed = try Testbed()
        let theirs = try await qemu(testbed, "mps2-echo", input: "hello q")
        let script = try testbed.write("send \"hello q\"\n", "hello.txt")
        let ours = try await ours(testbed, "mps2-echo", ["--attach", "serial@uart0:script:\(script)"])
        #expect(ours.hasPrefix("echo\r\nifmmp!") && ours.hasSuffix("bytes 7\r\n"), "\(ours)")
        #expect(ours == theirs)
    }

    /// A kernel like FreeRTOS and work like CoreMark's: on both chips, and on QEMU.
    @Test(arguments: ["scheduler", "compute"]) func bothChipsPrintTheSame(name: String) async throws {
        let testbed = try Testbed()
        let theirs = try await qemu(testbed, "mps2-\(name)")
        let second = try await ours(testbed, "mps2-\(name)")
        let first = try await testbed.orrery(["emulate", program(name), "--for", "100s"])
        #expect(second == theirs && first.code == 0 && first.output == second)
        #expect(second.contains(name == "compute" ? "float 9c3c81cb" : "12: 3103210 1028710416"))
    }

    /// Saved at any instant and carried on, the rest is what it would have been.
    @Test(arguments: ["7ms", "150ms", "374ms"]) func aSavedChipGoesOn(cut: String) async throws {
        let testbed = try Testbed()
        let (file, blocks) = (testbed.folder + "/chip.json", program("mps2-blocks"))
        let first = try await testbed.orrery(["emulate", "--chip", "mps2-an386", blocks, "--for", cut, "--save", file])
        let second = try await testbed.orrery(["emulate", "--chip", "mps2-an386", blocks, "--restore", file])
        // A line that was cut is ended.
        let lines = { (text: String) in text.utf8.filter { $0 != 0x0A && $0 != 0x0D } }
        #expect(try await lines(first.output + second.output) == lines(ours(testbed, "mps2-blocks")) && second.code == 0)
        let other = try await testbed.orrery(["emulate", program("tick"), "--restore", file])
        #expect(other.code == 64 && other.errors.contains("otherChip"), "\(other.errors)")
    }

    /// What QEMU has no model of.
    @Test func pinsAreThere() async throws {
        let testbed = try Testbed()
        let run = try await testbed.orrery([
            "emulate", "--chip", "mps2-an386", program("mps2-gpio"), "--attach", "button@gpio4:100ms/50ms,300ms/50ms", "--attach",
            "led@gpio2",
        ])
        #expect(run.code == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }.map(String.init)
        for wanted in [
            "DATA 0000ffff", "OUTEN 00000f0f", "DATAOUT 00000005", "DATAOUT 00000a05", "low byte behind a mask 00000011",
            "high byte behind a mask 0000fa00", "OUTEN 0000000f", "falling edges 2", "INTSTATUS 00000000", "interrupts of a level 3",
        ] { #expect(lines.contains(wanted), "\(wanted) in \(run.output)") }
        #expect(run.output.contains("gpio2: on"))
    }

    /// A chip of somebody else's: our own as a file, changed.
    @Test func aFileIsAChip() async throws {
        let testbed = try Testbed()
        let text = try await testbed.orrery(["chips", "mps2-an386"])
        #expect(text.code == 0)
        let file = try testbed.write(text.output.replacing("name: mps2-an386", with: "name: mine"), "mine.yaml")
        let run = try await testbed.orrery(["emulate", "--chip", file, program("mps2-scheduler")])
        #expect(run.code == 0 && run.output.contains("12: 3103210 1028710416"))
        let broken = try testbed.write(text.output.replacing("base: 0x40001000", with: "base: 0x40000800"), "broken.yaml")
        let refused = try await testbed.orrery(["emulate", "--chip", broken, program("mps2-scheduler")])
        #expect(refused.code == 64)
        #expect(refused.errors.contains("broken.yaml:13:42: 'timer1' overlaps 'timer0' at 0x40000800"), "\(refused.errors)")
        for (arguments, words) in [
            (["--chip", "mps2"], "unknown chip 'mps2'"), (["--chip", "mps2-an386", "--uart", "isu0"], "is none of uart0"),
            (["--chip", "mps2-an386", "--attach", "led@gpio60"], "the mps2-an386 has no gpio60"),
            (["--chip", "mps2-an386", "--core", "a7"], "for the mt3620 only"),
        ] {
            let answer = try await testbed.orrery(["emulate", program("mps2-compute")] + arguments)
            #expect(answer.code == 64 && answer.errors.contains(words), "\(answer.errors)")
        }
    }
}

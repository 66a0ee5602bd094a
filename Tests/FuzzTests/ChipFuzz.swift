import Emulator
import Formats
import Planning
import Silicon
import Testing

/// Descriptions of chips that strangers have written, and programs on the chips that they describe.
@Suite struct ChipFuzz {
    private static let small = """
        name: mine
        core: { clock: 25MHz, interrupts: 32, priority-bits: 3, vectors: 0x0 }
        memory:
          ram: { base: 0x0, size: 64KiB, access: rwx }
        windows:
          - { base: 0x4000_0000, size: 64KiB }
        console: uart0
        blocks:
          timer0: { type: cmsdk-apb-timer, base: 0x40000000, size: 0x1000, interrupts: { irq: 8 }, clock: 25MHz }
          uart0: { type: cmsdk-apb-uart, base: 0x40004000, size: 4KiB, interrupts: { tx: 1, rx: 0 }, clock: 12.5MHz, unit: 0 }
          dma: { type: mt3620-dma, base: 0x40008000, size: 32KiB, interrupts: { dma: 9 } }

        """
    private static let samples = [small, small, small] + Chip.names.compactMap { Chip.named($0).map { ChipFile.text(of: $0.description) } }

    private static let words =
        [
            "-1", "0", "1", "3", "0x0", "0x1000", "0x40000000", "0xFFFFF000", "0xFFFFFFFF", "0x100000000", "4294967295",
            "9223372036854775807",
            "0x7fffffffffffffff", "4095MiB", "4GiB", "1e400", "1Hz", "10GHz", "0.1Hz", "nanMHz", "-5MHz", "nmi", "111", "112", "8", "256",
            "1023",
            "0-1023", "5-3", "-", "[0-3, 0-3]", "[]", "{}", "rwx", "rx", "yes", "program-file", "uart0", "dma", "{ sends: [0-29] }",
            "{ value: 0xFFFFFFFF }", "{ offset: 0xFFFFFFFC, size: 8 }", "~", "all", "x", "\"\"", "\t", "# x",
        ] + Chip.blockTypes.map(\.name)

    /// A vector table and random code, wherever there is memory for it.
    private static func program(_ fuzz: inout Fuzz, on chip: ChipDescription) -> [UInt8] {
        let base = chip.memory.first { $0.access == .readWriteExecute }?.base ?? 0
        func le(_ value: UInt32, _ width: Int = 4) -> [UInt8] { (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
        var code: [UInt8] = []
        for exception in 0..<48 { code += le(exception == 0 ? base &+ 0x800 : base &+ 0xC1) }
        // Loads from and stores to where registers are, from random code's point of view.
        code += fuzz.bytes(upTo: 600)
        let size = le(UInt32(code.count))
        let head: [UInt8] =
            [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9) + le(2, 2) + le(40, 2) + le(1) + le(base) + le(52) + le(0)
            + le(0) + le(52, 2) + le(32, 2) + le(1, 2) + le(0, 2) + le(0, 2) + le(0, 2)
        return head + le(1) + le(84) + le(base) + le(base) + size + size + le(7) + le(4) + code
    }

    @Test func descriptions() throws {
        #expect(Self.samples.count == 5)
        var made = 0
        try Fuzz.run("chip") { fuzz in
            let text = String(decoding: fuzz.mutatedText(Self.samples, words: Self.words), as: UTF8.self)
            let description: ChipDescription
            do throws(PlanProblems) { description = try ChipFile.read(file: "x.yaml", text: text, types: Chip.blockTypes) } catch {
                #expect(!error.problems.isEmpty && error.problems.allSatisfy { $0.line > 0 && !$0.message.isEmpty })
                return
            }
            // What is accepted is a chip, says the same when it is written, and runs.
            let chip = try Chip(description)
            #expect(try ChipFile.read(file: "x.yaml", text: ChipFile.text(of: description), types: Chip.blockTypes) == description)
            guard let program = try? ELFImage(Self.program(&fuzz, on: description)) else { return }
            guard let emulation = try? Emulation(program, chip: chip, attach: [], sink: { _, _ in }) else { return }
            _ = emulation.run(until: 300_000)
            made += 1
        }
        #expect(made > 0 || Fuzz.seed != 1)
    }
}

import Formats
import Planning
import Silicon
import Testing

@Suite struct ChipFileTests {
    @Test(arguments: Chip.names) func whatIsBuiltInIsAFile(name: String) throws {
        let chip = try #require(Chip.named(name))
        let text = ChipFile.text(of: chip.description)
        #expect(try ChipFile.read(file: "x.yaml", text: text, types: Chip.blockTypes) == chip.description)
    }

    private static let sound = """
        name: mine
        core: { clock: 25MHz, interrupts: 32, priority-bits: 3, vectors: 0x0 }
        memory:
          ram: { base: 0x0, size: 4MiB, access: rwx }
        windows:
          - { base: 0x4000_0000, size: 64KiB }
        console: uart0
        blocks:
          timer0: { type: cmsdk-apb-timer, base: 0x40000000, size: 0x1000, interrupts: { irq: 8 }, clock: 25MHz }
          uart0: { type: cmsdk-apb-uart, base: 0x40004000, size: 4KiB, interrupts: { tx: 1, rx: 0 }, clock: 12.5MHz, unit: 0 }
          gpio0: { type: cmsdk-ahb-gpio, base: 0x40008000, size: 4096, pins: [0-3, 9], interrupts: { combined: nmi } }

        """

    @Test func aFileIsADescription() throws {
        let chip = try ChipFile.read(file: "mine.yaml", text: Self.sound, types: Chip.blockTypes)
        #expect(chip.name == "mine" && chip.core.clockHertz == 25_000_000 && chip.core.vectors == 0)
        #expect(chip.blocks[1].clockHertz == 12_500_000 && chip.blocks[1].line("rx") == 0 && chip.blocks[1].size == 4096)
        #expect(chip.blocks[2].pins == [0, 1, 2, 3, 9] && chip.blocks[2].line("combined") == .nonMaskable)
        #expect(try Chip(chip).ports == [.uart(0)])
    }

    /// What is changed in the file, the line and the column of what is said, and what is said.
    @Test(arguments: [
        ("base: 0x40004000, size: 4KiB", "base: 0x40000800, size: 4KiB", 10, 40, "'uart0' overlaps 'timer0' at 0x40000800"),
        ("{ tx: 1, rx: 0 }", "{ tx: 8, rx: 0 }", 10, 76, "line 8 is used twice, by 'irq' of 'timer0' and by 'tx' of 'uart0'"),
        ("type: cmsdk-apb-timer", "type: cmsdk-apb-tmer", 9, 19, "unknown type 'cmsdk-apb-tmer'; did you mean 'cmsdk-apb-timer'?"),
        ("size: 0x1000,", "size: 0,", 9, 60, "a size of 0 is nothing"),
        ("base: 0x40008000, size: 4096", "base: 0xFFFFF000, size: 8192", 11, 58, "lead beyond the end of the address space"),
        ("base: 0x40008000", "base: 0x1_4000_8000", 11, 40, "base: expected a word of 32 bits"),
        ("  uart0: {", "  timer0: {", 9, 3, "duplicate name 'timer0'"), ("unit: 0", "unit: -1", 10, 116, "unit: expected a whole number"),
        ("irq: 8", "irg: 8", 9, 82, "unknown key 'irg' in interrupts of a cmsdk-apb-timer; did you mean 'irq'?"),
        ("interrupts: 32", "interrupts: 200", 2, 35, "an interrupt controller has 1 to 112 lines here"),
        ("clock: 25MHz, interrupts: 32", "clock: 25, interrupts: 32", 2, 16, "clock: expected a clock from 1Hz to 10GHz with its unit"),
        ("clock: 25MHz, interrupts: 32", "clock: 99GHz, interrupts: 32", 2, 16, "clock: expected a clock from 1Hz to 10GHz"),
        ("pins: [0-3, 9]", "pins: [0-99999999999, 9]", 11, 71, "pins: expected numbers below 1024"),
        ("pins: [0-3, 9]", "pins: [0-3, 3]", 11, 70, "pin 3 is 'gpio0''s"),
        ("console: uart0", "console: uart1", 7, 10, "there is no block 'uart1'"),
        ("access: rwx", "access: rxw", 4, 41, "unknown access 'rxw'; did you mean"),
        ("name: mine", "nam: mine", 1, 1, "unknown key 'nam' in the chip"),
        ("size: 4MiB", "size: 4095MiB", 4, 3, "4095 MiB of memory are more than 256"),
        ("- { base: 0x4000_0000, size: 64KiB }", "- 7", 6, 5, "a window: expected a mapping"),
    ]) func mistakesHaveALineAndAReason(_ test: (old: String, new: String, line: Int, column: Int, said: String)) throws {
        try #require(Self.sound.contains(test.old) as Bool)
        let text = Self.sound.replacing(test.old, with: test.new, maxReplacements: 1)
        let problems = try #require(throws: PlanProblems.self) {
            try ChipFile.read(file: "mine.yaml", text: text, types: Chip.blockTypes)
        }.problems
        let found = problems.first { $0.message.contains(test.said) }
        #expect(found?.file == "mine.yaml" && found?.line == test.line, "\(problems)")
        #expect(found?.column == test.column, "\(problems)")
    }

    @Test func tenThousandBlocksAreRefused() throws {
        let blocks = (0..<10_000).map { "  t\($0): { type: cmsdk-apb-timer, base: 0x40000000, size: 4, clock: 1MHz }\n" }.joined()
        let problems = try #require(throws: PlanProblems.self) {
            try ChipFile.read(file: "x.yaml", text: Self.sound + blocks, types: Chip.blockTypes)
        }.problems
        #expect(problems.contains { $0.line == 9 && $0.message == "10003 blocks are more than 256" }, "\(problems)")
        #expect(throws: PlanProblems.self) { try ChipFile.read(file: "x.yaml", text: nil, types: Chip.blockTypes) }
    }
}

import Formats
import Foundation
import Testing

@testable import Silicon

@Suite struct ChipTests {
    @Test(arguments: Chip.names) func whatIsBuiltInHasNoMistakes(name: String) throws {
        let chip = try #require(Chip.named(name))
        #expect(chip.description.mistakes(Chip.blockTypes) == [])
        #expect(chip.console != nil && chip.ports.count > 1)
        #expect(chip.description.name == name)
    }

    /// Each address is its block's, with the offset that the block expects.
    @Test func addressesLeadToBlocks() {
        let parts = Chip.mt3620.parts
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.last < $1.first })
        func block(_ address: UInt32) -> String? {
            parts.first { $0.first <= address && address <= $0.last }.map { Chip.mt3620.description.blocks[$0.block].name }
        }
        #expect(block(0x3801_0000) == "counter-0" && block(0x3801_0004) == "gpio-0" && block(0x3801_0100) == "counter-0")
        #expect(block(0x3801_1000) == "pwm0" && block(0x3804_1000) == "counter-3" && block(0x3807_0400) == nil)
        #expect(block(0x380C_0514) == "isu5-uart" && block(0x3009_0194) == nil && block(0x2104_0100) == nil)
    }

    /// A description that is changed in one place, and what is said of it.
    @Test(arguments: [
        ("a block's size is 0", "size of 0"), ("a block over the end", "beyond the end"), ("blocks overlap", "'timer1' overlaps 'timer0'"),
        ("a line twice", "line 8 is used twice"), ("a line too many", "there is no line 32"), ("no such type", "there is no type 'x'"),
        ("no such output", "no output 'x'"), ("a name twice", "'timer0' is there already"), ("no clock", "'clock' is missing"),
        ("a pin twice", "pin 0 is 'gpio0''s"), ("a unit twice", "'uart0' is cmsdk-apb-uart 0 already"), ("in no window", "in no window"),
        ("memory overlaps a window", "overlaps"), ("memory for ever", "MiB of memory"), ("no console", "there is no block 'x'"),
        ("a console that is none", "is no UART"), ("a setting too large", "cfg4 is from"),
        ("a channel of nobody", "no DMA channel can serve"),
        ("the core's own", "core's own registers"), ("ten thousand", "10000 blocks are more than 256"), ("no memory", "without memory"),
        ("shared lines that are none", "there is no line 99"), ("a part outside", "no words inside"), ("two shared is fine", ""),
    ]) func mistakesAreNamed(_ test: (change: String, said: String)) {
        var chip = Chip.mps2AN386.description
        let gpio = chip.blocks.firstIndex { $0.name == "gpio0" }!
        let uarts = chip.blocks.indices.filter { chip.blocks[$0].type == "cmsdk-apb-uart" }
        switch test.change {
        case "a block's size is 0": chip.blocks[0].size = 0
        case "a block over the end": (chip.blocks[0].base, chip.blocks[0].size) = (0xFFFF_F000, 0x2000)
        case "blocks overlap": chip.blocks[0].size = 0x1004
        case "a line twice": chip.blocks[1].interrupts[0].line = 8
        case "a line too many": chip.blocks[1].interrupts[0].line = 32
        case "no such type": chip.blocks[1].type = "x"
        case "no such output": chip.blocks[1].interrupts[0].name = "x"
        case "a name twice": chip.blocks[1].name = "timer0"
        case "no clock": chip.blocks[1].clockHertz = nil
        case "a pin twice": chip.blocks[gpio + 1].pins[3] = 0
        case "a unit twice": chip.blocks[uarts[1]].unit = 0
        case "in no window": chip.blocks[0].base = 0x5000_0000
        case "memory overlaps a window": chip.memory[0] = .init("x", base: 0x3FFF_F000, size: 0x2000, access: .readWrite)
        case "memory for ever": chip.memory[3].size = 0x1000_0000
        case "no console": chip.console = "x"
        case "a console that is none": chip.console = "timer0"
        case "a setting too large": chip.blocks[chip.blocks.count - 1].settings[2].value = -1
        case "a channel of nobody": chip.blocks[0].sendChannels = [3]
        case "the core's own": chip.windows.append(.init(base: 0xE000_0000, size: 0x1000))
        case "ten thousand": chip.blocks = [Block](repeating: chip.blocks[0], count: 10_000)
        case "no memory": chip.memory = []
        case "shared lines that are none": chip.core.sharedInterrupts.append(99)
        case "a part outside": chip.blocks[0].parts = [.init(offset: 0xFFC, size: 8)]
        default: chip.core.sharedInterrupts.append(8)
        }
        let mistakes = chip.mistakes(Chip.blockTypes)
        if test.said.isEmpty {
            #expect(mistakes == [])
        } else {
            #expect(mistakes.contains { $0.description.contains(test.said) }, "\(mistakes)")
        }
        if !mistakes.isEmpty { #expect(throws: ChipDescription.Mistake.self) { try Chip(chip) } }
    }

    /// What one chip has saved means nothing on another.
    @Test func aSnapshotIsOfItsChip() throws {
        let file = try JSONEncoder().encode(PeripheralState(Peripherals(.mps2AN386)))
        let state = try JSONDecoder().decode(PeripheralState.self, from: file)
        #expect(state.peripherals(of: .mps2AN386) != nil && state.peripherals(of: .mt3620) == nil)
        let other = Data(String(decoding: file, as: UTF8.self).replacing("cmsdk-apb-watchdog", with: "cmsdk-apb-cat").utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(PeripheralState.self, from: other) }
    }
}

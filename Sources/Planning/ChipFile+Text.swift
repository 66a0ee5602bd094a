public import Formats

extension ChipFile {
    /// A description as a file that reads back to it.
    public static func text(of chip: ChipDescription) -> String {
        var core = ["clock: \(hertz(chip.core.clockHertz))"]
        if let reference = chip.core.referenceHertz { core.append("systick-reference: \(hertz(reference))") }
        core.append("interrupts: \(chip.core.interrupts)")
        if !chip.core.sharedInterrupts.isEmpty { core.append("shared-interrupts: \(list(chip.core.sharedInterrupts))") }
        core += ["priority-bits: \(chip.core.priorityBits)", "cpuid: \(hex(chip.core.identification))"]
        if let vectors = chip.core.vectors { core.append("vectors: \(hex(vectors))") }
        var lines = ["name: \(chip.name)", "core: { \(core.joined(separator: ", ")) }", "memory:"]
        for memory in chip.memory {
            var words = ["base: \(hex(memory.base))", "size: \(size(memory.size))", "access: \(memory.access.rawValue)"]
            if memory.isReachedByDMA { words.append("dma: yes") }
            if memory.showsFile { words.append("shows: program-file") }
            lines.append("  \(memory.name): { \(words.joined(separator: ", ")) }")
        }
        lines.append(chip.windows.isEmpty ? "windows: []" : "windows:")
        for window in chip.windows {
            let firewall = window.isGuarded ? ", firewall: yes" : ""
            lines.append("  - { base: \(hex(window.base)), size: \(size(window.size))\(firewall) }")
        }
        lines += ["console: \(chip.console)", chip.blocks.isEmpty ? "blocks: {}" : "blocks:"]
        return (lines + chip.blocks.map(block)).joined(separator: "\n") + "\n"
    }

    private static func block(_ block: ChipDescription.Block) -> String {
        var words = ["type: \(block.type)", "base: \(hex(block.base))", "size: \(size(block.size))"]
        if !block.parts.isEmpty {
            let parts = block.parts.map { "{ offset: \(hex($0.offset)), size: \(size($0.size)) }" }
            words.append("parts: [\(parts.joined(separator: ", "))]")
        }
        if !block.interrupts.isEmpty {
            words.append("interrupts: { \(block.interrupts.map { "\($0.name): \($0.line)" }.joined(separator: ", ")) }")
        }
        if let clock = block.clockHertz { words.append("clock: \(hertz(clock))") }
        if !block.pins.isEmpty { words.append("pins: \(list(block.pins))") }
        if let unit = block.unit { words.append("unit: \(unit)") }
        let channels = [("sends", block.sendChannels), ("receives", block.receiveChannels)].filter { !$0.1.isEmpty }
        if !channels.isEmpty { words.append("dma: { \(channels.map { "\($0.0): \(list($0.1))" }.joined(separator: ", ")) }") }
        if !block.settings.isEmpty {
            words.append("settings: { \(block.settings.map { "\($0.name): \(number($0.value))" }.joined(separator: ", ")) }")
        }
        return "  \(block.name): { \(words.joined(separator: ", ")) }"
    }

    private static func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
    private static func number(_ value: Int) -> String { value < 10 ? "\(value)" : hex(value) }

    private static func size(_ bytes: UInt32) -> String {
        if bytes > 0, bytes % (1 << 20) == 0 { return "\(bytes >> 20)MiB" }
        return bytes >= 64 << 10 && bytes % 1024 == 0 ? "\(bytes >> 10)KiB" : hex(bytes)
    }

    private static func hertz(_ value: Int64) -> String {
        if value > 0, value % 1_000_000 == 0 { return "\(value / 1_000_000)MHz" }
        return "\(value)Hz"
    }

    /// `[0-15, 24]`.
    private static func list(_ numbers: [Int]) -> String {
        var runs: [(first: Int, last: Int)] = []
        for number in numbers {
            if let last = runs.last, last.last + 1 == number { runs[runs.count - 1].last = number } else { runs.append((number, number)) }
        }
        return "[\(runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ", "))]"
    }
}

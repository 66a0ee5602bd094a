extension ChipDescription {
    /// Lines that an interrupt controller can have here.
    public static let mostInterrupts = 112
    /// So many blocks, memories and windows are enough for every chip, and do not keep a reader busy.
    public static let mostBlocks = 256
    public static let mostMemories = 64
    /// Bytes of all memories together.
    public static let mostMemoryBytes: UInt64 = 256 << 20
    public static let clocks: ClosedRange<Int64> = 1...10_000_000_000
    /// Memory is given to code in pages.
    private static let pageBytes: UInt32 = 4096
    /// The core's own registers (ARM DDI 0403E B3.1).
    private static let own: Range<UInt64> = 0xE000_0000..<0xE010_0000

    /// What is wrong with a description, where in it, and why.
    public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        public enum Place: Equatable, Sendable {
            case chip(key: String)
            case core(key: String)
            case memory(Int, key: String)
            case window(Int, key: String)
            case block(Int, key: String)
        }
        public var place: Place
        public var description: String
        public init(_ place: Place, _ description: String) { (self.place, self.description) = (place, description) }
    }

    /// Everything that keeps a chip from being made of a description; empty if nothing does.
    public func mistakes(_ types: [BlockType]) -> [Mistake] {
        var found = Mistakes()
        checkCounts(&found)
        // Whatever else is said of too much of it would be too much, too.
        guard found.all.isEmpty else { return found.all }
        checkCore(&found)
        checkMemory(&found)
        checkWindows(&found)
        checkNames(&found)
        for (index, block) in blocks.enumerated() { check(block, index, types.first { $0.name == block.type }, &found) }
        guard found.all.isEmpty else { return found.all }
        checkVectors(&found)
        checkOverlaps(&found)
        checkInterrupts(&found)
        checkPins(types, &found)
        checkUnits(types, &found)
        checkChannels(types, &found)
        return found.all
    }

    private struct Mistakes {
        var all: [Mistake] = []
        mutating func note(_ place: Mistake.Place, _ text: String) { all.append(Mistake(place, text)) }
    }

    private static func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

    private func checkCounts(_ found: inout Mistakes) {
        if blocks.count > Self.mostBlocks { found.note(.chip(key: "blocks"), "\(blocks.count) blocks are more than \(Self.mostBlocks)") }
        if memory.count > Self.mostMemories {
            found.note(.chip(key: "memory"), "\(memory.count) memories are more than \(Self.mostMemories)")
        }
        if windows.count > Self.mostMemories {
            found.note(.chip(key: "windows"), "\(windows.count) windows are more than \(Self.mostMemories)")
        }
        if memory.isEmpty { found.note(.chip(key: "memory"), "a chip without memory runs nothing") }
    }

    private func checkCore(_ found: inout Mistakes) {
        if !Self.clocks.contains(core.clockHertz) { found.note(.core(key: "clock"), "a clock is from 1 Hz to 10 GHz") }
        if let reference = core.referenceHertz, !Self.clocks.contains(reference) || reference > core.clockHertz {
            found.note(.core(key: "systick-reference"), "SysTick's reference is no faster than the core's clock")
        }
        if !(1...Self.mostInterrupts).contains(core.interrupts) {
            found.note(.core(key: "interrupts"), "an interrupt controller has 1 to \(Self.mostInterrupts) lines here")
        }
        if !(3...8).contains(core.priorityBits) { found.note(.core(key: "priority-bits"), "a priority has 3 to 8 bits") }
        for line in core.sharedInterrupts where !(0..<core.interrupts).contains(line) {
            found.note(.core(key: "shared-interrupts"), "there is no line \(line): the core has \(core.interrupts)")
        }
        if let vectors = core.vectors, vectors % 128 != 0 {
            found.note(.core(key: "vectors"), "a vector table begins at a multiple of 128")
        }
    }

    private func checkVectors(_ found: inout Mistakes) {
        guard let vectors = core.vectors, !memory.contains(where: { ($0.base...$0.base + ($0.size - 1)).contains(vectors) }) else { return }
        found.note(.core(key: "vectors"), "there is no memory at \(Self.hex(vectors))")
    }

    /// Where it is, if that is anywhere; `key` tells what is wrong if it is not.
    private func range(
        _ base: UInt32, _ size: UInt32, step: UInt32, _ found: inout Mistakes, _ place: (String) -> Mistake.Place
    ) -> Range<UInt64>? {
        guard size > 0 else {
            found.note(place("size"), "a size of 0 is nothing")
            return nil
        }
        guard base % step == 0 else {
            found.note(place("base"), "\(Self.hex(base)) is no multiple of \(step)")
            return nil
        }
        guard size % step == 0 else {
            found.note(place("size"), "\(Self.hex(size)) is no multiple of \(step)")
            return nil
        }
        let end = UInt64(base) + UInt64(size)
        guard end <= 1 << 32 else {
            found.note(place("size"), "\(Self.hex(size)) bytes from \(Self.hex(base)) on lead beyond the end of the address space")
            return nil
        }
        return UInt64(base)..<end
    }

    private func checkMemory(_ found: inout Mistakes) {
        var bytes: UInt64 = 0
        for (index, one) in memory.enumerated() {
            guard
                let range = range(one.base, one.size, step: Self.pageBytes, &found, { .memory(index, key: $0) })
            else { continue }
            if range.overlaps(Self.own) { found.note(.memory(index, key: "base"), "the core's own registers are there") }
            bytes += UInt64(one.size)
        }
        if bytes > Self.mostMemoryBytes {
            found.note(.chip(key: "memory"), "\(bytes >> 20) MiB of memory are more than \(Self.mostMemoryBytes >> 20)")
        }
        let files = memory.indices.filter { memory[$0].showsFile }
        for index in files.dropFirst() { found.note(.memory(index, key: "shows"), "'\(memory[files[0]].name)' shows the program's file") }
    }

    private func checkWindows(_ found: inout Mistakes) {
        for (index, one) in windows.enumerated() {
            guard
                let range = range(one.base, one.size, step: Self.pageBytes, &found, { .window(index, key: $0) })
            else { continue }
            if range.overlaps(Self.own) { found.note(.window(index, key: "base"), "the core's own registers are there") }
            // Each 64 KiB are one for the engine, which has room for so many.
            if one.size > 32 << 20 { found.note(.window(index, key: "size"), "a window has at most 32 MiB") }
        }
        let size = windows.reduce(UInt64(0)) { $0 + UInt64($1.size) }
        if size > 32 << 20 { found.note(.chip(key: "windows"), "\(size >> 20) MiB of windows are more than 32") }
    }

    private func checkNames(_ found: inout Mistakes) {
        for (index, one) in memory.enumerated() where memory[..<index].contains(where: { $0.name == one.name }) {
            found.note(.memory(index, key: ""), "'\(one.name)' is there already")
        }
        var names: Set<String> = []
        for (index, block) in blocks.enumerated() where !names.insert(block.name).inserted {
            found.note(.block(index, key: ""), "'\(block.name)' is there already")
        }
        if !blocks.contains(where: { $0.name == console }) { found.note(.chip(key: "console"), "there is no block '\(console)'") }
    }

    // MARK: One block

    private func check(_ block: Block, _ index: Int, _ type: BlockType?, _ found: inout Mistakes) {
        let place = { (key: String) in Mistake.Place.block(index, key: key) }
        guard let type else { return found.note(place("type"), "there is no type '\(block.type)'") }
        if range(block.base, block.size, step: 4, &found, place) != nil { checkParts(block, place, &found) }
        for (number, output) in block.interrupts.enumerated() {
            if !type.interrupts.contains(output.name) {
                let outputs = type.interrupts.isEmpty ? "none" : type.interrupts.joined(separator: ", ")
                found.note(place("interrupts"), "a \(type.name) has no output '\(output.name)'; it has \(outputs)")
            }
            if block.interrupts[..<number].contains(where: { $0.name == output.name }) {
                found.note(place("interrupts"), "'\(output.name)' is there already")
            }
            if case .interrupt(let line) = output.line, !(0..<core.interrupts).contains(line) {
                found.note(place("interrupts"), "there is no line \(line): the core has \(core.interrupts)")
            }
        }
        if let clock = block.clockHertz {
            if !type.hasClock { found.note(place("clock"), "a \(type.name) has no clock of its own") }
            if !Self.clocks.contains(clock) { found.note(place("clock"), "a clock is from 1 Hz to 10 GHz") }
        } else if type.hasClock {
            found.note(place(""), "a \(type.name) counts with a clock: 'clock' is missing")
        }
        if let pins = type.pins {
            if !pins.contains(block.pins.count) {
                found.note(place("pins"), "a \(type.name) has \(pins.lowerBound) to \(pins.upperBound) pins, not \(block.pins.count)")
            }
        } else if !block.pins.isEmpty {
            found.note(place("pins"), "a \(type.name) has no pins")
        }
        checkSettings(block, type, place, &found)
    }

    private func checkParts(_ block: Block, _ place: (String) -> Mistake.Place, _ found: inout Mistakes) {
        if block.parts.count > 16 { return found.note(place("parts"), "more than 16 parts") }
        for part in block.parts {
            if part.size == 0 || part.size % 4 != 0 || part.offset % 4 != 0
                || UInt64(part.offset) + UInt64(part.size) > UInt64(block.size)
            {
                found.note(
                    place("parts"),
                    "\(Self.hex(part.size)) bytes at offset \(Self.hex(part.offset)) are no words inside of its \(Self.hex(block.size))")
            }
        }
    }

    private func checkSettings(_ block: Block, _ type: BlockType, _ place: (String) -> Mistake.Place, _ found: inout Mistakes) {
        if let units = type.units {
            if let unit = block.unit, units.contains(unit) {
            } else {
                found.note(
                    place(block.unit == nil ? "" : "unit"), "a \(type.name) has a 'unit' from \(units.lowerBound) to \(units.upperBound)")
            }
        } else if block.unit != nil {
            found.note(place("unit"), "nothing is attached to a \(type.name): it has no number")
        }
        for setting in block.settings {
            guard let known = type.settings.first(where: { $0.name == setting.name }) else {
                found.note(place("settings"), "a \(type.name) has no setting '\(setting.name)'")
                continue
            }
            if !known.range.contains(setting.value) {
                found.note(place("settings"), "\(setting.name) is from \(known.range.lowerBound) to \(known.range.upperBound)")
            }
        }
        for setting in type.settings where setting.isRequired && block[setting.name] == nil {
            found.note(place(""), "a \(type.name) needs the setting '\(setting.name)'")
        }
        if !type.usesDMA, !(block.sendChannels + block.receiveChannels).isEmpty {
            found.note(place("dma"), "no DMA channel can serve a \(type.name)")
        }
    }

    // MARK: Between blocks

    private func checkOverlaps(_ found: inout Mistakes) {
        typealias Stretch = (range: Range<UInt64>, name: String, place: Mistake.Place)
        func compare(_ stretches: [Stretch]) {
            var before: Stretch?
            for one in stretches.sorted(by: { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }) {
                if let last = before, one.range.lowerBound < last.range.upperBound {
                    found.note(one.place, "\(one.name) overlaps \(last.name) at \(Self.hex(one.range.lowerBound))")
                }
                if before.map({ one.range.upperBound > $0.range.upperBound }) ?? true { before = one }
            }
        }
        func range(_ base: UInt32, _ size: UInt32) -> Range<UInt64> { UInt64(base)..<UInt64(base) + UInt64(size) }
        compare(
            memory.enumerated().map { (range($1.base, $1.size), "memory '\($1.name)'", .memory($0, key: "base")) }
                + windows.enumerated().map { (range($1.base, $1.size), "the window at \(Self.hex($1.base))", .window($0, key: "base")) })
        compare(blocks.enumerated().flatMap { index, block in block.ranges.map { ($0, "'\(block.name)'", .block(index, key: "base")) } })
        for (index, block) in blocks.enumerated() {
            for part in block.ranges
            where !windows.contains(where: {
                range($0.base, $0.size).lowerBound <= part.lowerBound && part.upperBound <= range($0.base, $0.size).upperBound
            }) {
                found.note(.block(index, key: "base"), "'\(block.name)' is in no window: its registers at \(Self.hex(part.lowerBound))")
            }
        }
    }

    private func checkInterrupts(_ found: inout Mistakes) {
        var users: [Int: String] = [:]
        for (index, block) in blocks.enumerated() {
            for output in block.interrupts {
                // The non-maskable one has no line of the controller.
                let number: Int
                if case .interrupt(let line) = output.line { number = line } else { number = -1 }
                let user = "'\(output.name)' of '\(block.name)'"
                if let other = users[number], !core.sharedInterrupts.contains(number) {
                    found.note(
                        .block(index, key: "interrupts"),
                        "line \(output.line) is used twice, by \(other) and by \(user); lines that blocks share are in 'shared-interrupts'")
                }
                users[number] = user
            }
        }
    }

    /// A type whose pins are others' has them from the blocks that own them.
    private func checkPins(_ types: [BlockType], _ found: inout Mistakes) {
        var owners: [Int: String] = [:]
        let watches = Set(types.filter(\.watchesPins).map(\.name))
        for (index, block) in blocks.enumerated() where !watches.contains(block.type) {
            for pin in block.pins {
                if !(0...1023).contains(pin) { found.note(.block(index, key: "pins"), "there is no pin \(pin)") }
                if let other = owners[pin] { found.note(.block(index, key: "pins"), "pin \(pin) is '\(other)''s") }
                owners[pin] = block.name
            }
        }
        for (index, block) in blocks.enumerated() where watches.contains(block.type) {
            for pin in block.pins where owners[pin] == nil {
                found.note(.block(index, key: "pins"), "pin \(pin) is no block's")
            }
        }
    }

    private func checkUnits(_ types: [BlockType], _ found: inout Mistakes) {
        var users: [String: String] = [:]
        for (index, block) in blocks.enumerated() {
            guard let unit = block.unit else { continue }
            if let other = users.updateValue(block.name, forKey: "\(block.type) \(unit)") {
                found.note(.block(index, key: "unit"), "'\(other)' is \(block.type) \(unit) already")
            }
        }
        if let block = blocks.first(where: { $0.name == console }), types.first(where: { $0.name == block.type })?.isSerial != true {
            found.note(.chip(key: "console"), "'\(console)' is no UART")
        }
    }

    private func checkChannels(_ types: [BlockType], _ found: inout Mistakes) {
        let controllers = blocks.indices.filter { index in types.contains { $0.name == blocks[index].type && $0.channels > 0 } }
        for index in controllers.dropFirst() { found.note(.block(index, key: "type"), "a core has one DMA controller here") }
        let gates = blocks.indices.filter { index in types.contains { $0.name == blocks[index].type && $0.gatesInterrupts } }
        for index in gates.dropFirst() {
            found.note(.block(index, key: "type"), "'\(blocks[gates[0]].name)' stands before the core already")
        }
        let channels = controllers.first.flatMap { index in types.first { $0.name == blocks[index].type } }?.channels ?? 0
        for (index, block) in blocks.enumerated() {
            for channel in block.sendChannels + block.receiveChannels where !(0..<channels).contains(channel) {
                found.note(.block(index, key: "dma"), "there is no DMA channel \(channel): the chip has \(channels)")
            }
        }
    }
}

public import Formats
import Yams

/// A file that describes a chip: `orrery emulate --chip FILE.yaml`. `ChipFile.text` writes one.
///
/// ```yaml
/// name: mine
/// core: { clock: 25MHz, interrupts: 32, priority-bits: 3, vectors: 0x0 }
/// memory:
///   ram: { base: 0x0, size: 4MiB, access: rwx }
/// windows:
///   - { base: 0x40000000, size: 64KiB }
/// blocks:
///   uart0: { type: cmsdk-apb-uart, base: 0x40004000, size: 0x1000, interrupts: { rx: 0, tx: 1 }, clock: 25MHz, unit: 0 }
/// console: uart0
/// ```
public struct ChipFile {
    private let document: Document
    private let types: [BlockType]
    /// Where things stand, for what is only wrong beside others.
    private var chip: Section?
    private var core: Section?
    private var memory: [(key: YAMLNode, section: Section)] = []
    private var windows: [Section] = []
    private var blocks: [(key: YAMLNode, section: Section)] = []

    /// - Parameters:
    ///   - types: What blocks there are.
    ///   - text: Of the file; nil if it cannot be read.
    public static func read(file: String, text: String?, types: [BlockType]) throws(PlanProblems) -> ChipDescription {
        guard let text else { throw PlanProblems(file: file, "cannot be read") }
        var reader = ChipFile(document: Document(file: file, text: text), types: types)
        let description = reader.read()
        guard let description, reader.document.problems.isEmpty else { throw PlanProblems(problems: reader.document.problems) }
        for mistake in description.mistakes(types) { reader.report(mistake) }
        guard reader.document.problems.isEmpty else { throw PlanProblems(problems: reader.document.problems) }
        return description
    }

    private init(document: Document, types: [BlockType]) { (self.document, self.types) = (document, types) }

    private func report(_ mistake: ChipDescription.Mistake) {
        let node: YAMLNode?
        switch mistake.place {
        case .chip(let key): node = chip?.fields[key] ?? chip?.node
        case .core(let key): node = core?.fields[key] ?? core?.node
        case .memory(let index, let key): node = memory[index].section.fields[key] ?? memory[index].key
        case .window(let index, let key): node = windows[index].fields[key] ?? windows[index].node
        case .block(let index, let key): node = blocks[index].section.fields[key] ?? blocks[index].key
        }
        document.report(node, mistake.description)
    }

    // MARK: Sections

    private mutating func read() -> ChipDescription? {
        chip = document.section(document.root, "the chip", keys: ["name", "core", "memory", "windows", "blocks", "console"])
        guard let chip else { return nil }
        let name = chip.text("name", isRequired: true)
        if let name, let node = chip.fields["name"] { document.isName(node, name) }
        let core = readCore(chip)
        let memory = readMemory(chip)
        let windows = readWindows(chip)
        let blocks = readBlocks(chip)
        guard let name, let core, let console = chip.text("console", isRequired: true) else { return nil }
        return ChipDescription(name: name, core: core, memory: memory, windows: windows, blocks: blocks, console: console)
    }

    private mutating func readCore(_ chip: Section) -> ChipDescription.Core? {
        let keys = ["clock", "systick-reference", "interrupts", "shared-interrupts", "priority-bits", "cpuid", "vectors"]
        guard let section = chip.required("core").flatMap({ document.section($0, "core", keys: keys) }) else { return nil }
        core = section
        guard let clock = clock(section, "clock", isRequired: true), let interrupts = number(section, "interrupts", isRequired: true),
            let bits = number(section, "priority-bits", isRequired: true)
        else { return nil }
        var core = ChipDescription.Core(clockHertz: clock, interrupts: interrupts, priorityBits: bits)
        core.referenceHertz = self.clock(section, "systick-reference")
        core.sharedInterrupts = numbers(section, "shared-interrupts")
        if let identification = word(section, "cpuid") { core.identification = identification }
        core.vectors = word(section, "vectors")
        return core
    }

    /// Entries under names; nothing of more than there may be.
    private func entries(_ chip: Section, _ key: String, most: Int) -> [(name: String, key: YAMLNode, value: YAMLNode)] {
        guard let node = chip.required(key) else { return [] }
        if let mapping = node.mapping, mapping.count > most {
            document.report(node, "\(mapping.count) \(key) are more than \(most)")
            return []
        }
        return document.named(node, key)
    }

    private mutating func readMemory(_ chip: Section) -> [ChipDescription.Memory] {
        var all: [ChipDescription.Memory] = []
        for (name, key, value) in entries(chip, "memory", most: ChipDescription.mostMemories) {
            guard let section = document.section(value, "memory \(name)", keys: ["base", "size", "access", "dma", "shows"]),
                let base = word(section, "base", isRequired: true), let size = size(section, "size")
            else { continue }
            let access = section.required("access").flatMap { _ in section.word("access", of: ChipDescription.Access.self) }
            let reach = section.word("dma", among: ["yes", "no"])
            let shown = section.word("shows", among: ["program-file"])
            memory.append((key, section))
            all.append(
                .init(
                    name, base: base, size: size, access: access ?? .read, isReachedByDMA: reach == "yes", showsFile: shown != nil))
        }
        return all
    }

    private mutating func readWindows(_ chip: Section) -> [ChipDescription.Window] {
        guard let node = chip.required("windows") else { return [] }
        guard let list = node.sequence, list.count <= ChipDescription.mostMemories else {
            document.report(node, "windows: expected a list of at most \(ChipDescription.mostMemories)")
            return []
        }
        var all: [ChipDescription.Window] = []
        for item in list {
            guard let section = document.section(item, "a window", keys: ["base", "size", "firewall"]),
                let base = word(section, "base", isRequired: true), let size = size(section, "size")
            else { continue }
            windows.append(section)
            all.append(.init(base: base, size: size, isGuarded: section.word("firewall", among: ["yes", "no"]) == "yes"))
        }
        return all
    }

    private mutating func readBlocks(_ chip: Section) -> [ChipDescription.Block] {
        let keys = ["type", "base", "size", "parts", "interrupts", "clock", "pins", "unit", "dma", "settings"]
        var all: [ChipDescription.Block] = []
        for (name, key, value) in entries(chip, "blocks", most: ChipDescription.mostBlocks) {
            guard let section = document.section(value, "block \(name)", keys: keys), section.required("type") != nil,
                let word = section.word("type", among: types.map(\.name)), let type = types.first(where: { $0.name == word }),
                let base = self.word(section, "base", isRequired: true), let size = size(section, "size")
            else { continue }
            var block = ChipDescription.Block(name, type: type.name, base: base, size: size)
            block.parts = readParts(section)
            block.interrupts = readInterrupts(section, type)
            block.clockHertz = clock(section, "clock")
            block.pins = numbers(section, "pins")
            block.unit = number(section, "unit")
            if let dma = document.section(section.fields["dma"], "dma", keys: ["sends", "receives"]) {
                (block.sendChannels, block.receiveChannels) = (numbers(dma, "sends"), numbers(dma, "receives"))
            }
            if let settings = document.section(section.fields["settings"], "settings", keys: type.settings.map(\.name)) {
                for one in type.settings { if let value = number(settings, one.name) { block.settings.append(.init(one.name, value)) } }
            }
            blocks.append((key, section))
            all.append(block)
        }
        return all
    }

    private func readParts(_ section: Section) -> [ChipDescription.Block.Part] {
        guard let node = section.fields["parts"] else { return [] }
        guard let list = node.sequence, list.count <= 16 else {
            document.report(node, "parts: expected a list of at most 16 with 'offset' and 'size'")
            return []
        }
        return list.compactMap { item in
            guard let part = document.section(item, "a part", keys: ["offset", "size"]),
                let offset = word(part, "offset", isRequired: true), let size = size(part, "size")
            else { return nil }
            return .init(offset: offset, size: size)
        }
    }

    private func readInterrupts(_ section: Section, _ type: BlockType) -> [ChipDescription.Block.Output] {
        guard let lines = document.section(section.fields["interrupts"], "interrupts of a \(type.name)", keys: type.interrupts) else {
            return []
        }
        return type.interrupts.compactMap { name in
            guard lines.has(name) else { return nil }
            if lines.fields[name]?.scalar?.string == "nmi" { return .init(name, .nonMaskable) }
            return number(lines, name).map { .init(name, .interrupt($0)) }
        }
    }

    // MARK: Numbers

    /// `16`, `0x10`, `0x4000_0000`.
    private static func integer(_ text: some StringProtocol) -> Int? {
        let digits = String(text.filter { $0 != "_" })
        return digits.hasPrefix("0x") ? Int(digits.dropFirst(2), radix: 16).flatMap { $0 < 0 ? nil : $0 } : Int(digits)
    }

    private func read<T>(_ section: Section, _ key: String, isRequired: Bool, _ what: String, _ parse: (String) -> T?) -> T? {
        guard let field = isRequired ? section.required(key) : section.fields[key] else { return nil }
        if let text = field.scalar?.string, let value = parse(text) { return value }
        document.report(field, "\(key): expected \(what)")
        return nil
    }

    private func number(_ section: Section, _ key: String, isRequired: Bool = false) -> Int? {
        read(section, key, isRequired: isRequired, "a whole number, such as 3 or 0x10") { text in
            ChipFile.integer(text).flatMap { (0...0xFFFF_FFFF).contains($0) ? $0 : nil }
        }
    }

    private func word(_ section: Section, _ key: String, isRequired: Bool = false) -> UInt32? {
        read(section, key, isRequired: isRequired, "a word of 32 bits, such as 0x40000000") {
            ChipFile.integer($0).flatMap { UInt32(exactly: $0) }
        }
    }

    private func size(_ section: Section, _ key: String) -> UInt32? {
        read(section, key, isRequired: true, "a size below 4 GiB, such as 0x1000, 64KiB or 4MiB") { text in
            let units = [("KiB", 10), ("MiB", 20)]
            let unit = units.first { text.hasSuffix($0.0) }
            guard let count = ChipFile.integer(text.dropLast(unit?.0.count ?? 0)), (0...0xFFFF_FFFF).contains(count) else { return nil }
            return UInt32(exactly: count << (unit?.1 ?? 0))
        }
    }

    private static let clockUnits = [("GHz", 1_000_000_000.0), ("MHz", 1_000_000), ("kHz", 1000), ("Hz", 1)]

    private func clock(_ section: Section, _ key: String, isRequired: Bool = false) -> Int64? {
        read(section, key, isRequired: isRequired, "a clock from 1Hz to 10GHz with its unit, such as 25MHz") { text in
            guard let unit = ChipFile.clockUnits.first(where: { text.hasSuffix($0.0) }), text.first?.isNumber == true,
                let number = Double(text.dropLast(unit.0.count)), number.isFinite, (1...1e10).contains(number * unit.1)
            else { return nil }
            return Int64((number * unit.1).rounded())
        }
    }

    /// `[1, 2, 5-9]`: at most as many as there are pins of anything.
    private func numbers(_ section: Section, _ key: String) -> [Int] {
        var all: [Int] = []
        for (text, node) in section.words(key) {
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).compactMap { ChipFile.integer($0) }
            guard let first = ends.first, let last = ends.last,
                ends.count == text.split(separator: "-", omittingEmptySubsequences: false).count,
                ends.count <= 2, first <= last, last < 1024, all.count + last - first < 1024
            else {
                document.report(node, "\(key): expected numbers below 1024, such as 3 or 0-15")
                return []
            }
            all += first...last
        }
        return all
    }
}

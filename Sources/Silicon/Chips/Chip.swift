public import Formats

/// A chip as its description has it: with the types of its blocks, and tables of what is looked up often.
public final class Chip: Sendable {
    public let description: ChipDescription
    /// Of each block, in the order of the description.
    let types: [any Peripheral.Type]

    /// A stretch of addresses that is one block's.
    struct Part {
        var first: UInt32
        var last: UInt32
        /// Of the block.
        var base: UInt32
        var block: Int
    }
    /// In the order of addresses.
    let parts: [Part]
    /// Of each block: the exception for each of its outputs; nil for one that leads nowhere.
    let exceptions: [[Int?]]
    /// The block between the others' lines and the core.
    let gate: Int?
    /// Blocks that act on others, and DMA controllers, which do so after every write.
    let actors: [Int]
    let movers: [Int]
    /// Of each block: whether it is one of the former.
    let acts: [Bool]
    let serialPorts: [SerialPortName: Int]
    let mailboxes: [Mailbox.Partner: Int]
    /// Blocks that watch pins, and where each pin's level comes from.
    struct Watcher {
        var block: Int
        var sources: [(block: Int, bit: UInt32)]
    }
    let watchers: [Watcher]
    /// Of each block: whether somebody watches its pins.
    let isWatched: [Bool]
    /// Of each DMA channel: the blocks that it serves.
    let senders: [[Int]]
    let receivers: [[Int]]

    /// The types of `types` go with the description's blocks.
    init(_ description: ChipDescription, _ types: [any Peripheral.Type]) {
        (self.description, self.types) = (description, types)
        let blocks = description.blocks
        parts = blocks.enumerated().flatMap { index, block in
            block.ranges.map { Part(first: UInt32($0.lowerBound), last: UInt32($0.upperBound - 1), base: block.base, block: index) }
        }.sorted { $0.first < $1.first }
        exceptions = zip(blocks, types).map { block, type in
            type.type.interrupts.map { name in
                switch block.line(name) {
                case .interrupt(let number): CoreException.interrupts + number
                case .nonMaskable: CoreException.nonMaskable
                case nil: nil
                }
            }
        }
        gate = types.firstIndex { $0.type.gatesInterrupts }
        movers = types.indices.filter { types[$0].type.channels > 0 }
        actors = types.indices.filter { types[$0].actsOnOthers && types[$0].type.channels == 0 }
        acts = types.map { $0.actsOnOthers }
        var ports: [SerialPortName: Int] = [:]
        for (index, block) in blocks.enumerated() { if let port = types[index].port(of: block) { ports[port] = index } }
        serialPorts = ports
        var mailboxes: [Mailbox.Partner: Int] = [:]
        for index in types.indices where types[index] == Mailbox.self { mailboxes[Mailbox(blocks[index]).partner] = index }
        self.mailboxes = mailboxes
        let watchers = types.indices.filter { types[$0].type.watchesPins }.map { index in
            Watcher(block: index, sources: blocks[index].pins.map { Chip.source(of: $0, blocks, types) })
        }
        self.watchers = watchers
        isWatched = blocks.indices.map { index in watchers.contains { $0.sources.contains { $0.block == index } } }
        let channels = types.map { $0.type.channels }.max() ?? 0
        senders = (0..<channels).map { channel in blocks.indices.filter { blocks[$0].sendChannels.contains(channel) } }
        receivers = (0..<channels).map { channel in blocks.indices.filter { blocks[$0].receiveChannels.contains(channel) } }
    }

    private static func source(
        of pin: Int, _ blocks: [Block], _ types: [any Peripheral.Type]
    ) -> (block: Int, bit: UInt32) {
        for (index, block) in blocks.enumerated() where !types[index].type.watchesPins {
            if let bit = block.pins.firstIndex(of: pin) { return (index, UInt32(bit)) }
        }
        // Checked before: `ChipDescription.mistakes`.
        return (0, 0)
    }

    /// A chip that somebody else has described.
    public convenience init(_ description: ChipDescription) throws(ChipDescription.Mistake) {
        if let mistake = description.mistakes(Chip.blockTypes).first { throw mistake }
        let types = description.blocks.compactMap { block in Chip.knownTypes.first { $0.type.name == block.type } }
        self.init(description, types)
    }

    // MARK: What there is

    static let all: [Chip] = [.mt3620, .mps2AN386]
    public static var names: [String] { all.map(\.description.name) }
    public static func named(_ name: String) -> Chip? { all.first { $0.description.name == name } }

    /// All types of blocks that some chip here has: what is in none of them is for nobody to describe with.
    static let knownTypes: [any Peripheral.Type] = all.flatMap(\.types).reduce(into: []) { known, type in
        if !known.contains(where: { $0 == type }) { known.append(type) }
    }
    public static let blockTypes: [BlockType] = knownTypes.map { $0.type }

    /// The UART that is shown where no other is asked for.
    public var console: SerialPortName? {
        description.blocks.firstIndex { $0.name == description.console }.flatMap { types[$0].port(of: description.blocks[$0]) }
    }
    /// Its UARTs, in the order of its description.
    public var ports: [SerialPortName] { zip(description.blocks, types).compactMap { $1.port(of: $0) } }

    /// Whether something can be attached there.
    func has(_ place: AttachmentPlace) -> Bool {
        if let port = place.port { return ports.contains(port) }
        if case .gpio(let pin) = place { return description.blocks.contains { $0.pins.contains(pin) } }
        return zip(description.blocks, types).contains { block, type in
            type.type.place == place.kind && (block.unit == nil || block.unit == place.unit)
        }
    }

    /// Whether code of a program may lie in a stretch of memory.
    public func hasRoomForCode(at address: UInt32, count: UInt32) -> Bool {
        description.memory.contains { memory in
            guard memory.access == .readExecute || memory.access == .readWriteExecute, address >= memory.base else { return false }
            return UInt64(address - memory.base) + UInt64(max(1, count)) <= UInt64(memory.size)
        }
    }
}

/// A block of a chip that is built in, with its type: whoever adds a type adds it here, and it is known by its name everywhere.
struct PlacedBlock {
    var block: Block
    var type: any Peripheral.Type

    init(
        _ type: any Peripheral.Type, _ name: String, base: UInt32, size: UInt32, parts: KeyValuePairs<UInt32, UInt32> = [:],
        interrupts: KeyValuePairs<String, ChipDescription.InterruptLine> = [:], clock: Int64? = nil, pins: [Int] = [], unit: Int? = nil,
        sends: [Int] = [], receives: [Int] = [], settings: KeyValuePairs<String, Int> = [:]
    ) {
        self.type = type
        block = Block(name, type: type.type.name, base: base, size: size)
        block.parts = parts.map { .init(offset: $0.key, size: $0.value) }
        block.interrupts = interrupts.map { .init($0.key, $0.value) }
        (block.clockHertz, block.pins, block.unit) = (clock, pins, unit)
        (block.sendChannels, block.receiveChannels) = (sends, receives)
        block.settings = settings.map { .init($0.key, $0.value) }
    }
}

extension Chip {
    convenience init(
        _ name: String, core: ChipDescription.Core, memory: [ChipDescription.Memory], windows: [ChipDescription.Window],
        blocks: [PlacedBlock], console: String
    ) {
        self.init(
            ChipDescription(name: name, core: core, memory: memory, windows: windows, blocks: blocks.map(\.block), console: console),
            blocks.map(\.type))
    }
}

import Formats

/// The blocks of one core at their addresses, their interrupt lines, and what leads from one to another. Which blocks there are
/// is the chip's description's to say. A register that is not modelled reads 0, ignores writes, and is told of.
struct Peripherals {
    let chip: Chip
    private(set) var blocks: [any Peripheral]
    private let parts: [Chip.Part]
    /// Where the last access went: the next mostly goes there too.
    private var lastPart = 0
    /// When each block's next event is and which of its outputs are high, as of the last look; and blocks that have been touched
    /// since.
    private var due: [Int64]
    private var outputs: [UInt32]
    private var isTouched: [Bool]
    private var touched: [Int]
    private var next = Int64.max
    private var high = ExceptionSet()
    /// Of each block's pins, as those who watch them know.
    private var levels: [UInt32?]

    init(_ chip: Chip) {
        self.chip = chip
        parts = chip.parts
        blocks = zip(chip.description.blocks, chip.types).map { block, type in type.init(block) }
        due = blocks.map { _ in .max }
        outputs = blocks.map { _ in 0 }
        isTouched = blocks.map { _ in true }
        touched = Array(blocks.indices)
        levels = blocks.map(\.pinLevels)
    }

    // MARK: Registers

    private func part(of address: UInt32) -> Int? {
        var (low, high) = (0, parts.count)
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].last < address { low = middle + 1 } else { high = middle }
        }
        return low < parts.count && parts[low].first <= address ? low : nil
    }

    @inline(__always) private mutating func find(_ address: UInt32) -> Chip.Part? {
        let last = parts[lastPart]
        if address >= last.first, address <= last.last { return last }
        guard let index = part(of: address) else { return nil }
        lastPart = index
        return parts[index]
    }

    @inline(__always) private mutating func touch(_ index: Int) {
        guard !isTouched[index] else { return }
        isTouched[index] = true
        touched.append(index)
    }

    private mutating func touchAll() { for index in blocks.indices { touch(index) } }

    mutating func read(_ address: UInt32, _ bus: Bus) -> UInt32 {
        guard let part = find(address) else {
            bus.isUnmodelled = true
            return 0
        }
        touch(part.block)
        let value = blocks[part.block].read(address &- part.base, bus)
        if chip.acts[part.block], blocks[part.block].isWaiting { act(bus) }
        return value
    }

    /// Until when a read at an address gives the same, and has no effect.
    func stableUntil(_ address: UInt32, _ now: Int64) -> Int64 {
        guard let index = part(of: address) else { return .min }
        return blocks[parts[index].block].stableUntil(address &- parts[index].base, now)
    }

    mutating func write(_ address: UInt32, _ value: UInt32, _ bus: Bus) {
        if let part = find(address) {
            touch(part.block)
            blocks[part.block].write(address &- part.base, value, bus)
            if chip.isWatched[part.block] { pinsMoved(bus) }
            if chip.acts[part.block] { act(bus) }
        } else {
            bus.isUnmodelled = true
        }
        moveData(bus)
    }

    // MARK: Time

    /// Brings time-dependent state to `bus.now`.
    mutating func advance(_ bus: Bus) {
        look()
        for index in blocks.indices where due[index] <= bus.now {
            touch(index)
            blocks[index].advance(bus)
        }
        act(bus)
        moveData(bus)
    }

    /// When something will next happen by itself.
    var nextEvent: Int64 {
        mutating get {
            look()
            return next
        }
    }

    /// Which lines into the core are high.
    var lines: ExceptionSet {
        mutating get {
            look()
            return high
        }
    }

    /// Looks at what has been touched.
    private mutating func look() {
        guard !touched.isEmpty else { return }
        for index in touched {
            isTouched[index] = false
            due[index] = blocks[index].nextEvent
            outputs[index] = blocks[index].lines
        }
        touched.removeAll(keepingCapacity: true)
        next = due.reduce(.max, min)
        high = ExceptionSet()
        for index in outputs.indices where outputs[index] != 0 {
            for (bit, exception) in chip.exceptions[index].enumerated() where outputs[index] >> UInt32(bit) & 1 != 0 {
                if let exception { high[exception] = true }
            }
        }
        if let gate = chip.gate { blocks[gate].gate(&high) }
    }

    mutating func coreClockChanged(to hertz: Int64, at now: Int64) {
        for index in blocks.indices { blocks[index].coreClockChanged(to: hertz, at: now) }
        touchAll()
    }

    /// A reset of the core resets what belongs to it.
    mutating func reset() {
        for (index, block) in chip.description.blocks.enumerated() { blocks[index].reset(block) }
        // Whoever watches pins begins anew, and is told where they are at the next chance.
        for index in levels.indices { levels[index] = nil }
        touchAll()
    }

    // MARK: Inputs

    mutating func take(_ input: WorldInput, _ bus: Bus) {
        switch input {
        case .pin(let pin, _):
            for (index, block) in chip.description.blocks.enumerated() where block.pins.contains(pin) {
                touch(index)
                blocks[index].take(input, bus)
            }
            pinsMoved(bus)
        case .serial(let port, _), .wired(let port, _, _):
            guard let index = chip.serialPorts[port] else { return }
            touch(index)
            blocks[index].take(input, bus)
        }
    }

    /// Whether a UART has bytes that are not on the line yet.
    var isSending: Bool { blocks.contains { $0.isSending } }

    private mutating func pinsMoved(_ bus: Bus) {
        var hasMoved = false
        for index in blocks.indices where chip.isWatched[index] {
            let now = blocks[index].pinLevels
            hasMoved = hasMoved || levels[index] != now
            levels[index] = now
        }
        guard hasMoved else { return }
        for watcher in chip.watchers {
            var word: UInt32 = 0
            for (bit, source) in watcher.sources.enumerated() {
                word |= ((levels[source.block] ?? 0) >> source.bit & 1) << UInt32(bit)
            }
            touch(watcher.block)
            blocks[watcher.block].pinsAre(word, bus)
        }
    }

    // MARK: From block to block

    private mutating func act(_ bus: Bus) { for index in chip.actors { act(index, bus) } }

    private mutating func moveData(_ bus: Bus) { for index in chip.movers { act(index, bus) } }

    private mutating func act(_ index: Int, _ bus: Bus) {
        guard blocks[index].isWaiting else { return }
        var actor: any Peripheral = Vacant()
        swap(&actor, &blocks[index])
        actor.act(on: &self, bus)
        swap(&actor, &blocks[index])
        touch(index)
    }

    /// For a block that acts on this one.
    mutating func with<T>(_ index: Int, _ body: (inout any Peripheral) -> T) -> T {
        touch(index)
        return body(&blocks[index])
    }

    // MARK: Wires between I2C controllers

    mutating func serve(_ request: I2CRequest, at unit: Int) -> [UInt8]? {
        for index in chip.actors {
            guard var controller = blocks[index] as? I2CController, controller.unit == unit else { continue }
            defer { blocks[index] = controller }
            touch(index)
            return controller.serve(request)
        }
        return nil
    }

    /// ISUs whose I2C master waits for the other core.
    var wireRequests: [(unit: Int, request: I2CRequest)] {
        chip.actors.compactMap { index in
            guard blocks[index].isWaiting, let controller = blocks[index] as? I2CController else { return nil }
            return controller.request.map { (controller.unit, $0) }
        }
    }

    mutating func answer(_ bytes: [UInt8]?, to unit: Int, _ bus: Bus) {
        for index in chip.actors {
            guard var controller = blocks[index] as? I2CController, controller.unit == unit else { continue }
            controller.answer(bytes, bus)
            blocks[index] = controller
            touch(index)
        }
        act(bus)
        moveData(bus)
    }

    // MARK: Mailboxes

    /// nil where the chip has none.
    mutating func withMailbox<T>(_ partner: Mailbox.Partner, _ body: (inout Mailbox) -> T) -> T? {
        guard let index = chip.mailboxes[partner], var mailbox = blocks[index] as? Mailbox else { return nil }
        defer { blocks[index] = mailbox }
        touch(index)
        return body(&mailbox)
    }

    func hasSent(_ partner: Mailbox.Partner) -> Bool { chip.mailboxes[partner].map { blocks[$0].isWaiting } ?? false }

    // MARK: Between the lines and the core

    mutating func wokeCore(_ pending: ExceptionSet) {
        guard let gate = chip.gate else { return }
        touch(gate)
        blocks[gate].wokeCore(pending)
    }

    /// Takes the edges that have come, as far as their lines reach the core.
    func takeEdges(_ bus: Bus) -> ExceptionSet {
        guard !bus.pulses.isEmpty else { return bus.pulses }
        var set = ExceptionSet()
        bus.pulses.forEach { number in
            set[number] = chip.gate.map { blocks[$0].passes(pulse: number - CoreException.interrupts) } ?? true
        }
        bus.pulses = ExceptionSet()
        return set
    }
}

// MARK: Snapshots

/// All that the blocks hold at an instant, each under its name.
struct PeripheralState: Codable {
    private var blocks: [(name: String, type: String, block: any Peripheral)]

    init(_ peripherals: Peripherals) {
        blocks = zip(peripherals.chip.description.blocks, peripherals.blocks).map { ($0.name, $0.type, $1) }
    }

    private enum Key: String, CodingKey { case name, type, state }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        blocks = []
        while !list.isAtEnd {
            let one = try list.nestedContainer(keyedBy: Key.self)
            let type = try one.decode(String.self, forKey: .type)
            guard let known = Chip.knownTypes.first(where: { $0.type.name == type }) else {
                throw DecodingError.dataCorruptedError(forKey: .type, in: one, debugDescription: "unknown type '\(type)'")
            }
            blocks.append((try one.decode(String.self, forKey: .name), type, try known.init(from: one.superDecoder(forKey: .state))))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for (name, type, block) in blocks {
            var one = list.nestedContainer(keyedBy: Key.self)
            try one.encode(name, forKey: .name)
            try one.encode(type, forKey: .type)
            try block.encode(to: one.superEncoder(forKey: .state))
        }
    }

    /// On a chip with the same blocks; nil on another.
    func peripherals(of chip: Chip) -> Peripherals? {
        let wanted = chip.description.blocks
        guard blocks.count == wanted.count, zip(blocks, wanted).allSatisfy({ $0.name == $1.name && $0.type == $1.type }) else {
            return nil
        }
        return Peripherals(chip, blocks.map(\.block))
    }
}

extension Peripherals {
    fileprivate init(_ chip: Chip, _ blocks: [any Peripheral]) {
        self.init(chip)
        self.blocks = blocks
        // Whether those who watch pins have been told is not kept: told again, they do nothing.
        levels = blocks.map { _ in nil }
    }
}

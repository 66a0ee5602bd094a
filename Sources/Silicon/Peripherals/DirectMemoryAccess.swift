import Formats

/// The DMA controller's channels as registers (mt3620-silicon §2.12). Which blocks they serve is the
/// description's to say; blocks that share a channel are told apart by the address that the channel is given.
struct DirectMemoryAccess: Peripheral {
    private static let channels = 30
    static let type = BlockType("mt3620-dma", "DMA controller of 30 channels", interrupts: ["dma"], channels: channels)
    static let actsOnOthers = true
    /// Channels below are half-size; this one moves memory; those above are rings.
    private static let memoryChannel = 12

    struct Channel: Codable {
        var registers = RegisterFile()
        var isRunning = false
        var interrupts: UInt32 = 0
        /// Elements still to be moved.
        var remaining = 0
        /// Elements moved so far.
        var moved = 0
        /// Of a ring: bytes from its start, and bit 16 turns over each time round.
        var hardwarePointer: UInt32 = 0
        var softwarePointer: UInt32 = 0
        /// Of a ring that is emptied: less than the threshold is left, and the program has been told.
        var isLow = false

        var control: UInt32 { registers[0x14] ?? 0 }
        var count: Int { Int((registers[0x10] ?? 0) & 0xFFFF) }
        var elementBytes: Int { [1, 2, 4, 4][Int(control & 3)] }
        /// From the peripheral into memory.
        var isInput: Bool { control & 1 << 18 != 0 }
        var memoryAddress: UInt32 { registers[0x2C] ?? 0 }
        var fifoSize: Int { Int((registers[0x44] ?? 0) & 0xFFFF) }

        /// Where the n-th byte lies: after so many elements the address jumps, if wrapping is on.
        func address(of byte: Int) -> UInt32 {
            let wrap = Int((registers[0x08] ?? 0) & 0xFFFF) * elementBytes
            if control & 1 << 17 != 0, byte >= wrap, wrap > 0 { return (registers[0x0C] ?? 0) &+ UInt32(byte - wrap) }
            return memoryAddress &+ UInt32(byte)
        }

        /// Where the ring's hardware pointer is.
        var ringAddress: UInt32 { memoryAddress &+ hardwarePointer & 0xFFFF }

        /// Elements between the two pointers of a ring; a pointer that is set beyond its end makes it full.
        var fifoCount: Int {
            let (ahead, behind) = isInput ? (hardwarePointer, softwarePointer) : (softwarePointer, hardwarePointer)
            let (size, bytes) = (fifoSize, elementBytes)
            let distance = Int(ahead & 0xFFFF) - Int(behind & 0xFFFF)
            return min(size, max(0, ahead >> 16 == behind >> 16 ? distance : size * bytes + distance) / bytes)
        }

        mutating func advanceHardware() {
            let next = Int(hardwarePointer & 0xFFFF) + elementBytes
            let isRound = next >= min(0x1_0000, fifoSize * elementBytes)
            hardwarePointer = isRound ? (hardwarePointer ^ 0x1_0000) & 0x1_0000 : hardwarePointer & 0x1_0000 | UInt32(next)
        }

        mutating func move(_ elements: Int) {
            let half = (count + 1) / 2
            if moved < half, moved + elements >= half, control & 1 << 13 != 0 { interrupts |= 1 << 13 }
            moved += elements
            remaining -= min(remaining, elements)
        }

        mutating func finish() {
            isRunning = false
            if control & 1 << 15 != 0 { interrupts |= 1 << 15 }
        }

        /// Of a ring that is emptied: the interrupt comes when less than the threshold is left, and once.
        mutating func tellIfLow() {
            let nowLow = fifoCount < max(1, count)
            if nowLow, !isLow, control & 1 << 15 != 0 { interrupts |= 1 << 15 }
            isLow = nowLow
        }
    }

    private var channel = [Channel](repeating: Channel(), count: channels)
    private var enabled: UInt32 = 0
    private var paused: UInt32 = 0
    /// Channels that run: asked for after every write to any block.
    private var running: UInt32 = 0

    init(_ block: Block) {}

    /// Whether a channel may move something now.
    private func isActive(_ index: Int) -> Bool { channel[index].isRunning && paused >> UInt32(index) & 1 == 0 }

    var lines: UInt32 { channel.indices.contains { channel[$0].interrupts != 0 } ? 1 : 0 }
    var isWaiting: Bool { running & ~paused != 0 }
    private mutating func noteRunning() {
        running = channel.indices.reduce(0) { channel[$1].isRunning ? $0 | 1 << UInt32($1) : $0 }
    }

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        guard offset < 0x4000 else { return readGlobal(offset - 0x4000) }
        let index = Int(offset >> 8)
        guard index < Self.channels else { return 0 }
        let one = channel[index]
        switch offset & 0xFF {
        case 0x18: return one.isRunning ? 0x8000 : 0
        case 0x1C: return one.interrupts
        case 0x24: return UInt32(one.remaining)
        case 0x38: return UInt32(one.fifoCount)
        case 0x3C: return (one.fifoCount >= one.fifoSize && one.fifoSize > 0 ? 1 : 0) | (one.fifoCount == 0 ? 2 : 0)
        case 0x58: return one.hardwarePointer
        case 0x5C: return one.softwarePointer
        case let register: return one.registers[register] ?? 0
        }
    }

    private func readGlobal(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0x00, 0x04:
            let first = offset == 0 ? 0 : 16
            return (first..<min(first + 16, Self.channels)).reduce(0) { word, index in
                word | (channel[index].isRunning ? 1 : 0) << UInt32(2 * (index - first))
                    | (channel[index].interrupts != 0 ? 2 : 0) << UInt32(2 * (index - first))
            }
        case 0x20: return enabled
        case 0x30, 0x34: return paused
        default: return 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 { .max }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        guard offset < 0x4000 else { return writeGlobal(offset - 0x4000, value) }
        // Automatic reload, and the interrupt of a ring that nothing comes into any more.
        if offset & 0xFF == 0x10 && value & 1 << 16 != 0 || offset & 0xFF == 0x14 && value & 1 << 14 != 0 { bus.isUnmodelled = true }
        let index = Int(offset >> 8)
        guard index < Self.channels else { return }
        switch offset & 0xFF {
        case 0x18:
            let starts = value & 0x8000 != 0
            if starts && !channel[index].isRunning {
                channel[index].remaining = channel[index].count
                channel[index].moved = 0
                channel[index].isLow = false
            }
            channel[index].isRunning = starts
            noteRunning()
        case 0x20: channel[index].interrupts &= ~value
        case 0x44:
            channel[index].registers[0x44] = value
            (channel[index].hardwarePointer, channel[index].softwarePointer) = (0, 0)
        case 0x58: channel[index].hardwarePointer = value & 0x1_FFFF
        case 0x5C: channel[index].softwarePointer = value & 0x1_FFFF
        case let register: channel[index].registers[register] = value
        }
    }

    private mutating func writeGlobal(_ offset: UInt32, _ value: UInt32) {
        switch offset {
        case 0x08:
            for index in 0..<Self.channels where value >> UInt32(index) & 1 != 0 { channel[index] = Channel() }
            noteRunning()
        case 0x20: enabled = value
        case 0x24: enabled |= value
        case 0x28: enabled &= ~value
        case 0x30: paused = value
        default: break
        }
    }

    // MARK: Moving

    mutating func act(on others: inout Peripherals, _ bus: Bus) {
        defer { noteRunning() }
        for index in channel.indices where isActive(index) {
            if index == Self.memoryChannel {
                copyMemory(bus)
            } else if index < Self.memoryChannel {
                // Even ones send, odd ones receive.
                if let end = end(of: index, index % 2 == 0 ? others.chip.senders[index] : others.chip.receivers[index], others) {
                    if index % 2 == 0 { send(index, to: end, &others, bus) } else { receive(index, from: end, &others, bus) }
                }
                if channel[index].remaining == 0 { channel[index].finish() }
            } else if let end = others.chip.senders[index].first {
                drainRing(index, to: end, &others, bus)
            } else if let end = others.chip.receivers[index].first {
                let (limit, width) = (room(in: index), channel[index].elementBytes)
                fillRing(index, others.with(end) { $0.dmaTake(limit, width: width) }, bus)
            }
        }
    }

    /// Which of its blocks a half-size channel serves: the one that its fixed address lies in.
    private func end(of index: Int, _ served: [Int], _ others: Peripherals) -> Int? {
        let chosen = (channel[index].registers[0x60] ?? 0) & 0xF00
        return served.first { others.chip.description.blocks[$0].base & 0xF00 == chosen } ?? served.last { others.blocks[$0].claimsChannel }
            ?? served.first
    }

    private mutating func send(_ index: Int, to end: Int, _ others: inout Peripherals, _ bus: Bus) {
        let width = channel[index].elementBytes
        for _ in 0..<min(channel[index].remaining, others.blocks[end].dmaRoom(width)) {
            let one = channel[index]
            let bytes = (0..<width).compactMap { bus.memory.dmaLoad(one.address(of: one.moved * width + $0), 1)?.first }
            guard bytes.count == width else { break }
            channel[index].move(1)
            others.with(end) { $0.dmaSend(bytes, bus) }
        }
    }

    private mutating func receive(_ index: Int, from end: Int, _ others: inout Peripherals, _ bus: Bus) {
        let one = channel[index]
        let width = one.elementBytes
        let bytes = others.with(end) { $0.dmaTake(one.remaining * width, width: width) }
        for (offset, byte) in bytes.enumerated() { _ = bus.memory.dmaStore(one.address(of: one.moved * width + offset), [byte]) }
        channel[index].move((bytes.count + width - 1) / width)
    }

    private mutating func copyMemory(_ bus: Bus) {
        var one = channel[Self.memoryChannel]
        let bytes = one.count * one.elementBytes
        if let content = bus.memory.dmaLoad(one.registers[0x00] ?? 0, bytes) {
            _ = bus.memory.dmaStore(one.registers[0x04] ?? 0, content)
        }
        (one.moved, one.remaining) = (one.count, 0)
        one.finish()
        channel[Self.memoryChannel] = one
    }

    /// What a ring takes before software has followed, in bytes: the rest stays where it is, and is lost there if it must be.
    private func room(in index: Int) -> Int {
        max(0, channel[index].fifoSize - channel[index].fifoCount) * channel[index].elementBytes
    }

    /// From a peripheral into a ring; software follows with its own pointer.
    private mutating func fillRing(_ index: Int, _ bytes: [UInt8], _ bus: Bus) {
        var one = channel[index]
        let width = one.elementBytes
        for start in stride(from: 0, to: bytes.count - width + 1, by: width) where one.fifoCount < one.fifoSize {
            _ = bus.memory.dmaStore(one.ringAddress, Array(bytes[start..<start + width]))
            one.advanceHardware()
        }
        if !bytes.isEmpty, one.fifoCount >= max(1, one.count), one.control & 1 << 15 != 0 { one.interrupts |= 1 << 15 }
        channel[index] = one
    }

    /// From a ring into a peripheral, as far as software has written.
    private mutating func drainRing(_ index: Int, to end: Int, _ others: inout Peripherals, _ bus: Bus) {
        var one = channel[index]
        for _ in 0..<min(one.fifoCount, others.blocks[end].dmaRoom(one.elementBytes)) {
            guard let bytes = bus.memory.dmaLoad(one.ringAddress, one.elementBytes) else { break }
            others.with(end) { $0.dmaSend(bytes, bus) }
            one.advanceHardware()
        }
        one.tellIfLow()
        channel[index] = one
    }
}

extension [UInt8] {
    /// Up to four bytes, the first the least significant.
    var word: UInt32 { enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) } }
}

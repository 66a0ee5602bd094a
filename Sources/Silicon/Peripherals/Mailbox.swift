import Formats

/// One end of a mailbox: FIFOs of 15 commands with a word of data each, eight software interrupts, a semaphore
/// (mt3620-silicon §2.14). The other end is whoever calls `deliver` and takes `sent`.
struct Mailbox: Peripheral {
    static let type = BlockType(
        "mt3620-mailbox", "mailbox to the A7 (partner 0) or to the other real-time core (1)",
        interrupts: ["reading", "not-full", "writing", "not-empty", "software"],
        settings: [.init("partner", in: 0...1, isRequired: true)])

    /// Who is at the other end.
    enum Partner: Int, Codable { case applicationCore, realTimeCore }
    let partner: Partner

    static let depth = 15

    struct Message: Codable, Equatable, Sendable {
        var command: UInt32
        var data: UInt32
    }

    private struct Arrival: Codable {
        var at: Int64
        var message = Message(command: 0, data: 0)
        var interrupts: UInt32 = 0
    }

    private var queue: [Message] = []
    private var outgoing: [Message] = []
    private var outgoingInterrupts: UInt32 = 0
    /// What the other real-time core has sent, on its way: it is here at an instant, and waits if there is no room.
    private var arriving: [Arrival] = []
    private var arrivingInterrupts: [Arrival] = []
    private var dataToPush: UInt32 = 0
    private var softwareEnable: UInt32 = 0
    private var softwareStatus: UInt32 = 0
    private var interruptEnable: UInt32 = 0
    private var interruptStatus: UInt32 = 0
    private var registers = RegisterFile()

    init(_ block: Block) { partner = block["partner"].flatMap { Partner(rawValue: $0) } ?? .applicationCore }

    /// What the other end has sent outlasts a reset.
    mutating func reset(_ block: Block) {}

    /// Reading, not full, writing, not empty: as the four lines of the controller have them (§2.1).
    var lines: UInt32 {
        let status = currentStatus & interruptEnable
        let fifo = (status & 8) >> 3 | (status & 4) >> 1 | (status & 2) << 1 | (status & 1) << 3
        return fifo | (softwareEnable & softwareStatus != 0 ? 0x10 : 0)
    }

    /// NE and NF are levels (in the order of MTK's driver: NE 0, WR 1, NF 2, RD 3).
    private var currentStatus: UInt32 {
        interruptStatus | (queue.isEmpty ? 0 : 1) | (outgoing.count < Mailbox.depth ? 4 : 0)
    }

    // MARK: The other end

    /// False if this end has no room.
    mutating func deliver(_ message: Message) -> Bool {
        guard queue.count < Mailbox.depth else { return false }
        queue.append(message)
        interruptStatus |= 2
        return true
    }

    mutating func raise(_ mask: UInt32) { softwareStatus |= mask & 0xFF }

    mutating func takeSent() -> (messages: [Message], interrupts: UInt32) {
        defer {
            if !outgoing.isEmpty { interruptStatus |= 8 }
            (outgoing, outgoingInterrupts) = ([], 0)
        }
        return (outgoing, outgoingInterrupts)
    }

    /// For the other end to take what was sent.
    var isWaiting: Bool { !outgoing.isEmpty || outgoingInterrupts != 0 }

    /// Sends what this end holds on its way to the other, as far as that will have room.
    mutating func carry(to other: inout Mailbox, at now: Int64) {
        let count = min(outgoing.count, Mailbox.depth - other.queue.count - other.arriving.count)
        if count > 0 {
            other.arriving += outgoing.prefix(count).map { Arrival(at: now, message: $0) }
            outgoing.removeFirst(count)
            interruptStatus |= 8
        }
        if outgoingInterrupts != 0 { other.arrivingInterrupts.append(Arrival(at: now, interrupts: outgoingInterrupts)) }
        outgoingInterrupts = 0
    }

    var nextEvent: Int64 { min(arriving.first?.at ?? .max, arrivingInterrupts.first?.at ?? .max) }

    mutating func advance(_ bus: Bus) {
        while let first = arriving.first, first.at <= bus.now, deliver(first.message) { arriving.removeFirst() }
        while let first = arrivingInterrupts.first, first.at <= bus.now {
            raise(first.interrupts)
            arrivingInterrupts.removeFirst()
        }
    }

    // MARK: Registers

    mutating func read(_ offset: UInt32, _ bus: Bus) -> UInt32 {
        switch offset {
        case 0x00: return 0x3620_0000
        case 0x04: return 0
        case 0x18: return softwareEnable
        case 0x1C: return softwareStatus
        case 0x38: return interruptEnable
        case 0x3C: return currentStatus
        case 0x48: return UInt32(outgoing.count)
        case 0x50: return queue.isEmpty ? 0 : queue.removeFirst().command
        case 0x54: return queue.first?.data ?? 0
        case 0x58: return UInt32(queue.count)
        case 0x60: return 1  // the semaphore: always this core's
        default: return registers[offset] ?? 0
        }
    }

    func stableUntil(_ offset: UInt32, _ now: Int64) -> Int64 {
        switch offset {
        case 0x1C, 0x3C, 0x48, 0x54, 0x58: .max
        default: .min
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32, _ bus: Bus) {
        switch offset {
        // Resets do not drop what the other end has sent.
        case 0x04: break
        case 0x14: outgoingInterrupts |= value & 0xFF
        case 0x18: softwareEnable = value & 0xFF
        case 0x1C: softwareStatus &= ~value
        case 0x38: interruptEnable = value
        case 0x3C: interruptStatus &= ~value
        case 0x40: if outgoing.count < Mailbox.depth { outgoing.append(Message(command: value, data: dataToPush)) }
        case 0x44: dataToPush = value
        case 0x60: break
        default: registers[offset] = value
        }
        if partner == .realTimeCore, isWaiting { bus.hasMail = true }
    }
}

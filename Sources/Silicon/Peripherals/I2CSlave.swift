/// The half of an I2C controller that answers another master (mt3620-silicon §2.10): FIFOs of 8 bytes each way, or a DMA
/// channel behind them. It does not hold the clock: the status has bits for a FIFO that ran over or empty, which a slave
/// that stretches would never need. What the end of a transfer interrupts for, the program finds in the FIFO.
struct I2CSlave: Codable {
    private static let depth = 8
    private var control: UInt32 = 0
    private var address: UInt32 = 0
    private var heard: UInt32 = 0
    private var toSend: [UInt8] = []
    private var received: [UInt8] = []
    private var sendPointer: UInt32 = 0
    private var receivePointer: UInt32 = 0
    /// Status bits 2, 3 and 6, 7: until the FIFO is cleared.
    private var errors: UInt32 = 0
    /// A transfer has ended.
    private(set) var isDone = false

    func answers(to wanted: UInt8) -> Bool { control & 0x8000 != 0 && address & 0x7F == UInt32(wanted) }

    /// A transfer of a master, which has been over since the last bit.
    mutating func transfer(writing bytes: [UInt8], reading count: Int, usesDMA: Bool) -> [UInt8] {
        for byte in bytes {
            guard usesDMA || received.count < Self.depth else {
                errors |= 8
                break
            }
            received.append(byte)
            receivePointer = (receivePointer + 1) & 0xF
        }
        let answer = Array(toSend.prefix(count))
        toSend.removeFirst(answer.count)
        if answer.count < count { errors |= 0x40 }
        heard = address & 0x7F | (count > 0 ? 0x80 : 0)
        isDone = true
        return answer + [UInt8](repeating: 0xFF, count: count - answer.count)
    }

    mutating func acknowledge() { isDone = false }

    // MARK: DMA

    /// A channel hands over what it has: the FIFO behind it is never seen empty before its end.
    var wantsToSend: Int { control & 0x8000 != 0 ? max(0, 0xFFFF - toSend.count) : 0 }

    mutating func send(_ bytes: [UInt8]) {
        toSend += bytes
        sendPointer = (sendPointer + UInt32(bytes.count)) & 0xF
    }

    mutating func takeReceived(_ limit: Int) -> [UInt8] {
        let taken = Array(received.prefix(limit))
        received.removeFirst(taken.count)
        return taken
    }

    // MARK: Registers

    private var fifoStatus: UInt32 {
        errors | (received.isEmpty ? 1 : 0) | (received.count >= Self.depth ? 2 : 0) | (toSend.isEmpty ? 0x10 : 0)
            | (toSend.count >= Self.depth ? 0x20 : 0)
    }

    private var fifoPointers: UInt32 {
        let receiveRead = (receivePointer &- UInt32(received.count)) & 0xF
        let sendRead = (sendPointer &- UInt32(toSend.count)) & 0xF
        return receiveRead | receivePointer << 4 | sendRead << 8 | sendPointer << 12
    }

    /// Registers from 0xC4 on.
    mutating func read(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0xC4: return control
        case 0xC8: return address
        case 0xCC: return heard
        case 0xE0: return fifoStatus
        case 0xE4: return fifoPointers
        case 0xF0:
            if received.isEmpty { errors |= 4 }
            return received.isEmpty ? 0 : UInt32(received.removeFirst())
        default: return 0
        }
    }

    mutating func write(_ offset: UInt32, _ value: UInt32) {
        switch offset {
        case 0xC4: control = value
        case 0xC8: address = value
        case 0xD8:
            if value & 1 != 0 { (received, receivePointer, errors) = ([], 0, errors & 0xF0) }
            if value & 2 != 0 { (toSend, sendPointer, errors) = ([], 0, errors & 0x0F) }
        case 0xF0:
            if toSend.count < Self.depth { send([UInt8(truncatingIfNeeded: value)]) } else { errors |= 0x80 }
        default: break
        }
    }
}

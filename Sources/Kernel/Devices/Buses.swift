import Formats

/// /dev/i2c-<N>, as Linux has it (uapi/linux/i2c-dev.h).
final class I2CFile: PeripheralFile {
    private let bus: Int
    /// Of plain reads and writes.
    private var target: UInt8 = 0

    init(_ chip: Chip, _ bus: Int) throws(Errno) {
        self.bus = bus
        try super.init(chip, "ISU \(bus)")
    }

    override var readiness: Readiness { [.input, .output] }
    override func read(_ count: Int) throws(Errno) -> [UInt8]? { try chip.i2c(bus, target, writing: [], reading: min(count, 8192)) }
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        _ = try chip.i2c(bus, target, writing: bytes, reading: 0)
        return bytes.count
    }

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        switch request {
        case 0x0702: return 0  // a time for transfers, which take none here
        case 0x0703:
            guard argument <= 0x7F else { throw .EINVAL }
            target = UInt8(argument)
            return 0
        case 0x07F0:
            guard [100_000, 400_000, 1_000_000].contains(argument) else { throw .EINVAL }
            return 0
        case 0x0707: return try transfer(argument, process.memory)
        default: throw .ENOTTY
        }
    }

    /// Messages with repeated starts: a write and the read that follows it are one transfer.
    private func transfer(_ argument: UInt32, _ memory: UserMemory) throws(Errno) -> UInt32 {
        let head = try memory.fields(argument, 8)
        guard let list = head.u32(0), let count = head.u32(4), count <= 42 else { throw .EINVAL }
        let fields = try memory.fields(list, Int(count) * 12)
        var written: [UInt8] = []
        for index in 0..<Int(count) {
            let (address, flags, length) = (
                fields.u16(index * 12) ?? 0, fields.u16(index * 12 + 2) ?? 0, Int(fields.u16(index * 12 + 4) ?? 0)
            )
            let buffer = fields.u32(index * 12 + 8) ?? 0
            guard address <= 0x7F, length <= 8192 else { throw .EINVAL }
            if flags & 1 != 0 {
                let bytes = try chip.i2c(bus, UInt8(address), writing: written, reading: length)
                try memory.put(buffer, Array((bytes + [UInt8](repeating: 0xFF, count: length)).prefix(length)))
                written = []
            } else {
                written += try memory.bytes(buffer, length)
                let isLast = index + 1 == Int(count) || (fields.u16(index * 12 + 14) ?? 0) & 1 == 0
                guard isLast else { continue }
                _ = try chip.i2c(bus, UInt8(address), writing: written, reading: 0)
                written = []
            }
        }
        return count
    }
}

/// /dev/spidev<N>.<M>, as Linux has it (uapi/linux/spi/spidev.h).
final class SPIFile: PeripheralFile {
    private let bus: Int
    private let select: Int

    init(_ chip: Chip, _ bus: Int, _ select: Int) throws(Errno) {
        (self.bus, self.select) = (bus, select)
        try super.init(chip, "ISU \(bus)")
    }

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        let memory = process.memory
        switch request {
        case 0x4001_6B01, 0x4001_6B02, 0x4001_6B03, 0x4004_6B04:  // mode, bit order, word length, speed
            _ = try memory.bytes(argument, Int(request >> 16 & 0x3FFF))
            return 0
        case _ where request & 0xC000_FFFF == 0x4000_6B00:
            let bytes = Int(request >> 16 & 0x3FFF)
            guard bytes % 32 == 0 else { throw .EINVAL }
            return try transfer(memory.fields(argument, bytes), bytes / 32, memory)
        default: throw .ENOTTY
        }
    }

    /// The chip select is held over all of it: what is written comes first, what is read answers it.
    private func transfer(_ fields: Bytes, _ count: Int, _ memory: UserMemory) throws(Errno) -> UInt32 {
        var written: [UInt8] = []
        var reads: [(buffer: UInt32, count: Int)] = []
        var total = 0
        var bothWays = false
        for index in 0..<count {
            let (from, to) = (fields.u32(index * 32) ?? 0, fields.u32(index * 32 + 8) ?? 0)
            let length = Int(fields.u32(index * 32 + 16) ?? 0)
            guard length <= 64 << 10 else { throw .EMSGSIZE }
            total += length
            if from != 0 { written += try memory.bytes(from, length) }
            if to != 0 { reads.append((to, length)) }
            if from != 0 && to != 0 { bothWays = true }
        }
        let wanted = reads.reduce(0) { $0 + $1.count }
        var answer = chip.spi(bus, select, sending: written, receiving: wanted, bothWays: bothWays)[...]
        for read in reads {
            try memory.put(read.buffer, Array(answer.prefix(read.count)))
            answer = answer.dropFirst(read.count)
        }
        return UInt32(total)
    }
}

/// /dev/ttyS<N>: an ISU as a serial port. An empty one reads as 0 bytes, as a terminal with VMIN 0 does.
final class SerialFile: PeripheralFile {
    private let unit: Int

    init(_ chip: Chip, _ unit: Int) throws(Errno) {
        self.unit = unit
        try super.init(chip, "ISU \(unit)")
    }

    private static let setUp: UInt32 = 0x4008_5501
    /// What the chip's baud generator reaches.
    private static let baudRates: ClosedRange<UInt32> = 300...3_000_000

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard request == SerialFile.setUp else { throw .ENOTTY }
        let fields = try process.memory.fields(argument, 8)
        guard let options = fields.block(4, 4), SerialFile.baudRates.contains(fields.u32(0) ?? 0), (5...8).contains(options[0]),
            options[1] <= 2, (1...2).contains(options[2]), options[3] <= 2
        else { throw .EINVAL }
        // Start, data, parity and stop.
        let bits = 1 + Int64(options[0]) + (options[1] == 0 ? 0 : 1) + Int64(options[2])
        chip.setByte(bits * 1_000_000_000 / Int64(fields.u32(0) ?? 115_200), unit)
        return 0
    }

    override func read(_ count: Int) throws(Errno) -> [UInt8]? { chip.receive(count, unit) }
    override func write(_ bytes: [UInt8]) throws(Errno) -> Int? {
        let count = chip.transmit(bytes, unit)
        return count == 0 && !bytes.isEmpty ? nil : count
    }
    override var readiness: Readiness {
        let input: Readiness = chip.hasReceived(unit) ? [.input] : []
        return chip.canTransmit(unit) ? input.union(.output) : input
    }
    override var nextEvent: Int64 { min(chip.nextInput, chip.nextOfLines) }
    override func closed() {
        chip.drain(unit)
        super.closed()
    }
}

import Formats

/// An SD card of high capacity in SPI mode (SD Physical Layer Simplified Specification, chapter 7), with an image file behind
/// it. What is written stays with the card, and in the file if that was asked for. Each byte that is clocked out of the chip
/// clocks one in; the chip select is not looked at, since a transfer of the chip is shorter than a block.
final class MemoryCard: Attachment {
    static let blockBytes = 512
    /// What the size in its CSD counts.
    private static let sizeStep = 512 << 10

    private enum Response {
        static let idle: UInt8 = 0x01
        static let illegal: UInt8 = 0x04
        static let badChecksum: UInt8 = 0x08
        static let parameter: UInt8 = 0x40
    }
    private enum Token {
        static let block: UInt8 = 0xFE
        static let oneOfMany: UInt8 = 0xFC
        static let endOfMany: UInt8 = 0xFD
        static let accepted: UInt8 = 0x05
        static let badChecksum: UInt8 = 0x0B
        static let outOfRange: UInt8 = 0x08
    }

    private let image: BackingFile
    private let keepsInFile: Bool
    private let blocks: Int
    /// What was written and is not in the file.
    private var written: [Int: [UInt8]] = [:]
    private var events: [String] = []

    private var isIdle = true
    /// How often it was asked whether it is ready.
    private var asked = 0
    private var isApplicationCommand = false
    private var checksChecksums = false
    private var command: [UInt8] = []
    private var output: [UInt8] = []
    /// The next block of a read of many.
    private var reading: Int?
    private var writing: (block: Int, isMany: Bool)?
    /// From the token on.
    private var incoming: [UInt8] = []
    private var eraseStart = 0
    private var eraseEnd = 0
    private var writtenCount = 0

    /// Words such as `card.img`, or `card.img,write`.
    init(_ words: [String]) throws(AttachmentError) {
        guard let path = words.first, words.count == 1 || words.dropFirst().elementsEqual(["write"]) else {
            throw AttachmentError("sdcard: expected an image file, and write for one that keeps what is written: sdcard@spi1:card.img")
        }
        keepsInFile = words.count == 2
        guard let image = BackingFile.present(path: path, writes: keepsInFile) else {
            throw AttachmentError("sdcard: cannot open \(path), or it is empty")
        }
        guard image.count > 0, image.count % MemoryCard.sizeStep == 0, image.count / MemoryCard.sizeStep <= 1 << 22 else {
            throw AttachmentError(
                "sdcard: \(path) has \(image.count) bytes; a card has a multiple of 512 KiB, as 'truncate -s 8M' makes it")
        }
        self.image = image
        blocks = image.count / MemoryCard.blockBytes
    }

    // MARK: Bytes

    func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        guard bothWays else {
            for byte in bytes { _ = exchange(byte) }
            return (0..<count).map { _ in exchange(0xFF) }
        }
        let lead = max(0, bytes.count - count)
        for byte in bytes.prefix(lead) { _ = exchange(byte) }
        return (0..<count).map { exchange(lead + $0 < bytes.count ? bytes[lead + $0] : 0xFF) }
    }

    private func exchange(_ byte: UInt8) -> UInt8 {
        if output.isEmpty, let block = reading {
            reading = block + 1
            output = [0xFF] + (block < blocks ? packet(load(block)) : [Token.outOfRange])
            if block >= blocks { (reading, events) = (nil, events + ["read beyond the last block"]) }
        }
        let answer = output.isEmpty ? 0xFF : output.removeFirst()
        if writing != nil, command.isEmpty { takeData(byte) } else { takeCommand(byte) }
        return answer
    }

    private func packet(_ bytes: [UInt8]) -> [UInt8] {
        let crc = XMODEMSender.crc16(bytes)
        return [Token.block] + bytes + [UInt8(crc >> 8), UInt8(crc & 0xFF)]
    }

    private func load(_ block: Int) -> [UInt8] { written[block] ?? image.read(block * MemoryCard.blockBytes, MemoryCard.blockBytes) }

    private func store(_ bytes: [UInt8], at block: Int) {
        if keepsInFile { image.write(block * MemoryCard.blockBytes, bytes) } else { written[block] = bytes }
    }

    private func takeData(_ byte: UInt8) {
        guard let target = writing else { return }
        if incoming.isEmpty {
            switch byte {
            case Token.block where !target.isMany, Token.oneOfMany where target.isMany: incoming = [byte]
            case Token.endOfMany where target.isMany: (writing, output) = (nil, [0xFF, 0x00, 0xFF])
            // A host that has given up begins anew.
            case 0x40...0x7F: takeCommand(byte)
            default: break
            }
            return
        }
        incoming.append(byte)
        guard incoming.count == 1 + MemoryCard.blockBytes + 2 else { return }
        let data = Array(incoming[1...MemoryCard.blockBytes])
        let crc = UInt16(incoming[513]) << 8 | UInt16(incoming[514])
        incoming = []
        writing = target.isMany ? (target.block + 1, true) : nil
        if checksChecksums, crc != XMODEMSender.crc16(data) {
            output = [Token.badChecksum]
            events.append("block \(target.block): its checksum is wrong")
        } else if target.block >= blocks {
            output = [0x0D]
            events.append("write beyond the last block")
        } else {
            store(data, at: target.block)
            writtenCount += 1
            // Busy for a moment.
            output = [Token.accepted, 0x00, 0x00, 0xFF]
        }
    }

    private func takeCommand(_ byte: UInt8) {
        if command.isEmpty, byte & 0xC0 != 0x40 { return }
        command.append(byte)
        guard command.count == 6 else { return }
        let index = command[0] & 0x3F
        let argument = command[1...4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let isRight = command[5] == MemoryCard.crc7(Array(command[..<5])) << 1 | 1
        command = []
        // The first two are checked always: the card is not in SPI mode before.
        guard isRight || !(checksChecksums || index == 0 || index == 8) else {
            events.append("command \(index): its checksum is wrong")
            return respond(Response.badChecksum)
        }
        defer { isApplicationCommand = index == 55 }
        if isApplicationCommand, obeyApplication(index, argument) { return }
        obey(index, argument)
    }

    /// x⁷ + x³ + 1.
    static func crc7(_ bytes: [UInt8]) -> UInt8 {
        var crc: UInt8 = 0
        for byte in bytes {
            var rest = byte
            for _ in 0..<8 {
                crc <<= 1
                if (rest ^ crc) & 0x80 != 0 { crc ^= 0x09 }
                rest <<= 1
            }
        }
        return crc & 0x7F
    }

    // MARK: Commands

    private func respond(_ flags: UInt8 = 0, _ more: [UInt8] = []) {
        output = [0xFF, flags | (isIdle ? Response.idle : 0)] + more
    }

    private func illegal(_ index: UInt8) {
        events.append("command \(index) is not one of an SD card\(isIdle ? " before it is ready" : "")")
        respond(Response.illegal)
    }

    private func obey(_ index: UInt8, _ argument: UInt32) {
        switch index {
        case 0:
            (isIdle, asked, reading, writing, incoming, checksChecksums) = (true, 0, nil, nil, [], false)
            respond()
        case 8: respond(0, [0, 0, argument >> 8 & 0xF == 1 ? 1 : 0, UInt8(argument & 0xFF)])
        case 55: respond()
        // Powered up and of high capacity once it is ready; 2.7 … 3.6 V.
        case 58: respond(0, [isIdle ? 0x00 : 0xC0, 0xFF, 0x80, 0x00])
        case 59:
            checksChecksums = argument & 1 != 0
            respond()
        default: if isIdle { illegal(index) } else { obeyReady(index, argument) }
        }
    }

    private func obeyReady(_ index: UInt8, _ argument: UInt32) {
        switch index {
        case 9: respond(0, [0xFF] + packet(specificData))
        case 10: respond(0, [0xFF] + packet(identification))
        case 12:
            (reading, writing) = (nil, nil)
            respond()
        case 13: respond(0, [0])
        case 16: respond(argument == UInt32(MemoryCard.blockBytes) ? 0 : Response.parameter)
        case 17, 18, 24, 25:
            let block = Int(argument)
            guard block < blocks else {
                events.append("command \(index): block \(block) of \(blocks)")
                return respond(Response.parameter)
            }
            switch index {
            case 17: respond(0, [0xFF] + packet(load(block)))
            case 18:
                respond()
                reading = block
            default:
                respond()
                (writing, incoming, writtenCount) = ((block, index == 25), [], 0)
            }
        case 32, 33:
            let block = Int(argument)
            if index == 32 { eraseStart = block } else { eraseEnd = block }
            respond(block < blocks ? 0 : Response.parameter)
        case 38:
            let zeros = [UInt8](repeating: 0, count: MemoryCard.blockBytes)
            if eraseStart <= eraseEnd { for block in eraseStart...min(eraseEnd, blocks - 1) { store(zeros, at: block) } }
            respond(0, [0x00, 0xFF])
        default: illegal(index)
        }
    }

    /// False for what is the same with and without the command before it.
    private func obeyApplication(_ index: UInt8, _ argument: UInt32) -> Bool {
        switch index {
        case 41:
            // A host that cannot have a card of high capacity waits for ever, as with a real one.
            if argument & 1 << 30 != 0 { asked += 1 }
            if asked >= 2 { isIdle = false }
            respond()
        case 13 where !isIdle: respond(0, [0, 0xFF] + packet([UInt8](repeating: 0, count: 64)))
        case 22 where !isIdle: respond(0, [0xFF] + packet(UInt32(writtenCount).littleEndianBytes.reversed()))
        case 23 where !isIdle, 42 where !isIdle: respond()
        // Version 2, erased to zeros, four data lines.
        case 51 where !isIdle: respond(0, [0xFF] + packet([0x02, 0x35, 0x80, 0, 0, 0, 0, 0]))
        default: return false
        }
        return true
    }

    /// CSD, version 2.
    private var specificData: [UInt8] {
        let size = blocks * MemoryCard.blockBytes / MemoryCard.sizeStep - 1
        let head: [UInt8] = [
            0x40, 0x0E, 0x00, 0x32, 0x5B, 0x59, 0x00, UInt8(size >> 16 & 0x3F), UInt8(size >> 8 & 0xFF), UInt8(size & 0xFF), 0x7F, 0x80,
            0x0A, 0x40, 0x00,
        ]
        return head + [MemoryCard.crc7(head) << 1 | 1]
    }

    /// CID: of no maker.
    private var identification: [UInt8] {
        let head: [UInt8] = [0x00] + Array("ORSDCRD".utf8) + [0x10, 0, 0, 0, 1, 0x01, 0xA1]
        return head + [MemoryCard.crc7(head) << 1 | 1]
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    var memory: [UInt8] {
        get {
            var memo = Recollection()
            for flag in [isIdle, isApplicationCommand, checksChecksums, writing?.isMany ?? false] { memo.add(flag) }
            for number in [asked, reading ?? -1, writing?.block ?? -1, eraseStart, eraseEnd, writtenCount] { memo.add(number) }
            for block in [command, output, incoming] { memo.add(block) }
            memo.add(written.count)
            for (block, bytes) in written.sorted(by: { $0.key < $1.key }) {
                memo.add(block)
                memo.add(bytes)
            }
            return memo.bytes
        }
        set {
            var memo = Recollection(newValue)
            (isIdle, isApplicationCommand, checksChecksums) = (memo.flag(), memo.flag(), memo.flag())
            let isMany = memo.flag()
            asked = memo.integer(in: 0...2)
            let (read, wrote) = (memo.integer(in: -1...blocks), memo.integer(in: -1...blocks))
            (reading, writing) = (read < 0 ? nil : read, wrote < 0 ? nil : (wrote, isMany))
            (eraseStart, eraseEnd) = (memo.integer(in: 0...blocks), memo.integer(in: 0...blocks))
            writtenCount = memo.integer(in: 0...blocks)
            (command, output, incoming) = (Array(memo.block().prefix(5)), memo.block(), Array(memo.block().prefix(514)))
            written = [:]
            for _ in 0..<memo.integer(in: 0...blocks) {
                let block = memo.integer(in: 0...blocks - 1)
                let bytes = memo.block()
                guard bytes.count == MemoryCard.blockBytes else { break }
                written[block] = bytes
            }
        }
    }
}

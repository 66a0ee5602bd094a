/// Sends one file by XMODEM-1K with CRC, as in Forsberg's "XMODEM/YMODEM Protocol Reference" (1988): takes what the
/// receiver says, returns what goes to it. It needs no clock: the receiver asks again.
struct XMODEMSender {
    enum State: Equatable {
        case sending
        case sent
        /// The receiver does not want it.
        case cancelled
        /// The receiver keeps saying that it did not understand.
        case failed
    }

    private enum Code {
        static let shortBlock: UInt8 = 1
        static let longBlock: UInt8 = 2
        static let end: UInt8 = 4
        static let acknowledged: UInt8 = 6
        static let repeated: UInt8 = 21
        static let cancelled: UInt8 = 24
        static let wantsCRC = UInt8(ascii: "C")
        static let filling: UInt8 = 26
    }
    private static let mostRepeats = 20

    private let content: [UInt8]
    /// Where the block that is on its way begins; nil before the first.
    private var start: Int?
    private var number: UInt8 = 1
    private var repeats = 0
    private var cancels = 0
    private(set) var state = State.sending

    init(_ content: [UInt8]) { self.content = content }

    /// 0…1.
    var progress: Double { content.isEmpty ? 1 : Double(min(start ?? 0, content.count)) / Double(content.count) }

    mutating func receive(_ byte: UInt8) -> [UInt8] {
        guard state == .sending else { return [] }
        cancels = byte == Code.cancelled ? cancels + 1 : 0
        if cancels == 2 { state = .cancelled }
        switch byte {
        case Code.wantsCRC where start == nil:
            start = 0
            return block
        case Code.acknowledged: return next()
        case Code.repeated where start != nil, Code.wantsCRC where start == 0:
            repeats += 1
            if repeats > Self.mostRepeats { state = .failed }
            return block
        default: return []
        }
    }

    private mutating func next() -> [UInt8] {
        guard let start else { return [] }
        repeats = 0
        if start >= content.count {
            state = .sent
            return []
        }
        self.start = start + length
        number &+= 1
        return block
    }

    private var length: Int { content.count - (start ?? 0) >= 1024 ? 1024 : 128 }

    private var block: [UInt8] {
        guard let start, start < content.count else { return [Code.end] }
        var data = Array(content[start..<min(start + length, content.count)])
        data += [UInt8](repeating: Code.filling, count: length - data.count)
        let crc = XMODEMSender.crc16(data)
        return [length == 1024 ? Code.longBlock : Code.shortBlock, number, ~number] + data + [UInt8(crc >> 8), UInt8(crc & 0xFF)]
    }

    /// CRC-16/XMODEM: polynomial 0x1021, initial value 0.
    static func crc16(_ bytes: [UInt8]) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        }
        return crc
    }
}

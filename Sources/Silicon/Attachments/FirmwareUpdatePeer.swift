import Formats
import SecureChannel

/// An nRF52 that waits in its serial DFU boot loader: SLIP frames (RFC 1055) with requests and their answers
/// (applibs-api §6). It takes an init packet, then the firmware in objects of 4 KiB, checks what the init packet says of
/// size and SHA-256, and tells how it ended.
final class FirmwareUpdatePeer: Attachment {
    private enum Opcode: UInt8 {
        case create = 1, setReceipts, checksum, execute
        case select = 6, packetSize, write, ping
        case version = 0x0B, abort
    }
    private enum Result {
        static let success: UInt8 = 1
        static let unknownOpcode: UInt8 = 2
        static let badParameter: UInt8 = 3
        static let badObject: UInt8 = 5
        static let unknownType: UInt8 = 7
        static let notPermitted: UInt8 = 8
        static let failed: UInt8 = 10
    }
    private enum Slip {
        static let end: UInt8 = 0xC0
        static let escape: UInt8 = 0xDB
        static let escapedEnd: UInt8 = 0xDC
        static let escapedEscape: UInt8 = 0xDD
    }
    private static let packetBytes = 131
    private static let objectBytes = [0, 512, 4096]
    private static let mostFirmware = 1 << 20

    private var events: [String] = []
    /// Of the application that it runs; nil for none.
    private var version: UInt32?
    private var applicationBytes = 0
    /// Nordic's radio stack, an image of its own beneath the application.
    private var softDevice: (version: UInt32, bytes: Int)?

    private var frame: [UInt8] = []
    private var isEscaped = false
    /// 1 for the init packet, 2 for firmware.
    private var type = 0
    private var initPacket: [UInt8] = []
    private var isInitDone = false
    private var firmware: [UInt8] = []
    /// Where the current object begins, and how long it is to be.
    private var objectStart = 0
    private var objectSize = 0
    private var receiptEvery = 0
    private var writes = 0

    /// Nothing, or the version of the application that it runs now.
    init(_ words: [String]) throws(AttachmentError) {
        guard words.count <= 1 else { throw AttachmentError("dfu: expected at most the version of the application that it runs") }
        if let word = words.first {
            guard let number = UInt32(word) else { throw AttachmentError("dfu: '\(word)' is no version such as 1") }
            (version, applicationBytes) = (number, 4096)
        }
    }

    // MARK: Frames

    func received(_ byte: UInt8, at now: Int64) -> [UInt8] {
        switch byte {
        case Slip.end:
            defer { (frame, isEscaped) = ([], false) }
            return frame.isEmpty ? [] : FirmwareUpdatePeer.slip(answer(frame))
        case Slip.escape: isEscaped = true
        default:
            let plain = isEscaped ? byte == Slip.escapedEnd ? Slip.end : byte == Slip.escapedEscape ? Slip.escape : byte : byte
            isEscaped = false
            // What is longer than it said is no frame of its own.
            if frame.count <= FirmwareUpdatePeer.packetBytes { frame.append(plain) }
        }
        return []
    }

    private static func slip(_ bytes: [UInt8]) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        return bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case Slip.end: [Slip.escape, Slip.escapedEnd]
            case Slip.escape: [Slip.escape, Slip.escapedEscape]
            default: [byte]
            }
        } + [Slip.end]
    }

    /// - Returns: Nothing for a write without a receipt.
    private func answer(_ frame: [UInt8]) -> [UInt8] {
        func reply(_ result: UInt8, _ data: [UInt8] = []) -> [UInt8] { [0x60, frame[0], result] + data }
        guard frame.count <= FirmwareUpdatePeer.packetBytes else { return reply(Result.badParameter) }
        guard let opcode = Opcode(rawValue: frame[0]) else { return reply(Result.unknownOpcode) }
        let fields = Bytes(frame)
        switch opcode {
        case .ping: return frame.count == 2 ? reply(Result.success, [frame[1]]) : reply(Result.badParameter)
        case .packetSize: return reply(Result.success, UInt16(FirmwareUpdatePeer.packetBytes).littleEndianBytes)
        case .setReceipts:
            guard let every = fields.u16(1) else { return reply(Result.badParameter) }
            (receiptEvery, writes) = (Int(every), 0)
            return reply(Result.success)
        case .version: return frame.count == 2 ? reply(Result.success, versions(Int(frame[1]))) : reply(Result.badParameter)
        case .select:
            guard frame.count == 2, (1...2).contains(frame[1]) else { return reply(Result.unknownType) }
            type = Int(frame[1])
            return reply(Result.success, UInt32(FirmwareUpdatePeer.objectBytes[type]).littleEndianBytes + progress)
        case .create:
            guard frame.count == 6, let size = fields.u32(2) else { return reply(Result.badParameter) }
            return reply(create(Int(frame[1]), Int(size)))
        case .write: return write(Array(frame.dropFirst())) ? reply(Result.success, progress) : []
        case .checksum: return reply(Result.success, progress)
        case .execute: return reply(execute())
        case .abort:
            (initPacket, firmware, isInitDone, objectSize) = ([], [], false, 0)
            events.append("aborted")
            return reply(Result.success)
        }
    }

    private var current: [UInt8] { type == 1 ? initPacket : firmware }
    /// Offset and CRC-32 of all that has come of this kind.
    private var progress: [UInt8] { UInt32(current.count).littleEndianBytes + crc32(current).littleEndianBytes }

    /// Type (0 SoftDevice, 1 application, 2 boot loader, 255 no more), version, address and length.
    private func versions(_ index: Int) -> [UInt8] {
        var list: [(type: UInt8, version: UInt32, address: UInt32, length: UInt32)] = [(2, 1, 0x7_8000, 0x6000)]
        if let version { list.append((1, version, 0x2_6000, UInt32(applicationBytes))) }
        if let softDevice { list.append((0, softDevice.version, 0x1000, UInt32(softDevice.bytes))) }
        let one = index < list.count ? list[index] : (type: 255, version: 0, address: 0, length: 0)
        return [one.type] + one.version.littleEndianBytes + one.address.littleEndianBytes + one.length.littleEndianBytes
    }

    // MARK: Objects

    private func create(_ wanted: Int, _ size: Int) -> UInt8 {
        guard (1...2).contains(wanted) else { return Result.unknownType }
        guard size > 0, size <= FirmwareUpdatePeer.objectBytes[wanted] else { return Result.badParameter }
        guard wanted == 1 || isInitDone else { return Result.notPermitted }
        type = wanted
        if wanted == 1 { (initPacket, firmware, isInitDone, objectStart) = ([], [], false, 0) }
        if wanted == 2 {
            // An object that was not executed is begun again.
            firmware.removeLast(firmware.count - objectStart)
            guard objectStart + size <= FirmwareUpdatePeer.mostFirmware else { return Result.badParameter }
        }
        objectSize = size
        return Result.success
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        let room = objectSize - (current.count - (type == 2 ? objectStart : 0))
        // What does not fit is not taken; the checksum shows it.
        if bytes.count <= room { if type == 1 { initPacket += bytes } else { firmware += bytes } }
        writes += 1
        return receiptEvery > 0 && writes % receiptEvery == 0
    }

    private func execute() -> UInt8 {
        let have = current.count - (type == 2 ? objectStart : 0)
        guard objectSize > 0, have == objectSize else { return Result.notPermitted }
        objectSize = 0
        guard type == 2 else {
            isInitDone = true
            let command = InitCommand(packet: initPacket)
            events.append(
                "init packet of \(initPacket.count) bytes: "
                    + (command.map { "version \($0.version), \($0.bytes) bytes" } ?? "not understood, and nothing is checked by it"))
            return Result.success
        }
        objectStart = firmware.count
        guard let command = InitCommand(packet: initPacket) else {
            events.append("firmware of \(firmware.count) bytes so far, CRC-32 \(String(crc32(firmware), radix: 16))")
            return Result.success
        }
        guard firmware.count >= command.bytes else { return Result.success }
        guard firmware.count == command.bytes, command.digest.isEmpty || command.digest == sha256(firmware).reversed() else {
            events.append("firmware of \(firmware.count) bytes is not what the init packet says")
            (firmware, objectStart, isInitDone) = ([], 0, false)
            return Result.failed
        }
        if command.isSoftDevice {
            softDevice = (command.version, command.bytes)
        } else {
            (version, applicationBytes) = (command.version, command.bytes)
        }
        let what = command.isSoftDevice ? "SoftDevice" : "firmware"
        events.append("\(what) of \(firmware.count) bytes is installed, CRC-32 \(String(crc32(firmware), radix: 16))")
        // The chip begins again with a whole image: a second one finds nothing of the first.
        (initPacket, firmware, objectStart, isInitDone) = ([], [], 0, false)
        return Result.success
    }

    func takeEvents() -> [String] {
        defer { events = [] }
        return events
    }

    var memory: [UInt8] {
        get {
            var memo = Recollection()
            for block in [frame, initPacket, firmware] { memo.add(block) }
            for flag in [isEscaped, isInitDone, version != nil, softDevice != nil] { memo.add(flag) }
            for number in [Int(version ?? 0), applicationBytes, type, objectStart, objectSize, receiptEvery, writes] { memo.add(number) }
            for number in [Int(softDevice?.version ?? 0), softDevice?.bytes ?? 0] { memo.add(number) }
            return memo.bytes
        }
        set {
            var memo = Recollection(newValue)
            (frame, initPacket, firmware) = (memo.block(), memo.block(), memo.block())
            (isEscaped, isInitDone) = (memo.flag(), memo.flag())
            let runs = memo.flag()
            let hasSoftDevice = memo.flag()
            let number = UInt32(memo.integer(in: 0...Int(UInt32.max)))
            version = runs ? number : nil
            applicationBytes = memo.integer(in: 0...FirmwareUpdatePeer.mostFirmware)
            type = memo.integer(in: 0...2)
            objectStart = memo.integer(in: 0...firmware.count)
            objectSize = memo.integer(in: 0...4096)
            (receiptEvery, writes) = (memo.integer(in: 0...0xFFFF), memo.integer(in: 0...1 << 40))
            let softVersion = UInt32(memo.integer(in: 0...Int(UInt32.max)))
            let softBytes = memo.integer(in: 0...FirmwareUpdatePeer.mostFirmware)
            softDevice = hasSoftDevice ? (softVersion, softBytes) : nil
        }
    }
}

/// What is looked for in an init packet, a protocol buffer: Packet { 1 command, 2 signed { 1 command } }, Command { 2 init },
/// InitCommand { 1 version, 4 type (1: SoftDevice), 5 to 7 sizes, 8 hash { 2 digest, the last byte first } }.
struct InitCommand {
    var version: UInt32 = 0
    var bytes = 0
    var digest: [UInt8] = []
    var isSoftDevice = false

    init?(packet: [UInt8]) {
        let command =
            ProtocolBuffer(packet)?.block(1) ?? ProtocolBuffer(packet)?.block(2).flatMap { ProtocolBuffer($0)?.block(1) }
        guard let inner = command.flatMap({ ProtocolBuffer($0)?.block(2) }).flatMap(ProtocolBuffer.init) else { return nil }
        let sizes = (5...7).map { inner.number($0) ?? 0 }
        guard sizes.allSatisfy({ $0 <= 1 << 20 }), sizes.contains(where: { $0 > 0 }) else { return nil }
        version = UInt32(truncatingIfNeeded: inner.number(1) ?? 0)
        bytes = Int(sizes.reduce(0, +))
        isSoftDevice = inner.number(4) == 1
        digest = inner.block(8).flatMap { ProtocolBuffer($0)?.block(2) } ?? []
    }
}

/// The fields of one message (protobuf.dev, Encoding): varints and blocks; of a number that comes twice the last.
struct ProtocolBuffer {
    private var numbers: [UInt64: UInt64] = [:]
    private var blocks: [UInt64: [UInt8]] = [:]

    init?(_ bytes: [UInt8]) {
        var offset = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 63, by: 7) {
                guard offset < bytes.count else { return nil }
                let byte = bytes[offset]
                offset += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return value }
            }
            return nil
        }
        while offset < bytes.count {
            guard let key = varint(), key >> 3 > 0 else { return nil }
            switch key & 7 {
            case 0:
                guard let value = varint() else { return nil }
                numbers[key >> 3] = value
            case 2:
                guard let count = varint(), count <= UInt64(bytes.count - offset) else { return nil }
                blocks[key >> 3] = Array(bytes[offset..<offset + Int(count)])
                offset += Int(count)
            default: return nil
            }
        }
    }

    func number(_ field: UInt64) -> UInt64? { numbers[field] }
    func block(_ field: UInt64) -> [UInt8]? { blocks[field] }
}

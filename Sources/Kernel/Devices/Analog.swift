import Formats

/// /dev/adc0: eight channels of 12 bits, by ioctls of the original's driver (applibs-api §2.3).
final class AnalogFile: PeripheralFile {
    private static let bits = 12
    /// Of `struct iio_ioctl_chan_spec_buffer`.
    private static let bufferBytes: UInt32 = 16
    private static let fullScaleVolts = 2.5
    private var referenceVolts = [Double](repeating: AnalogFile.fullScaleVolts, count: 8)

    init(_ chip: Chip) throws(Errno) { try super.init(chip, "ADC") }

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        let memory = process.memory
        switch request {
        // Of the device itself there is nothing to say.
        case 0x8004_69D0: try memory.put(argument, UInt32(0).littleEndianBytes)
        case 0xC00C_69D2:
            _ = try AnalogFile.channel(memory.fields(argument, 12), at: 4)
            let total = AnalogFile.bufferBytes + UInt32(AnalogFile.description(at: 0).count)
            try memory.put(argument &+ 8, total.littleEndianBytes)
        case 0xC010_69D3:
            let fields = try memory.fields(argument, 16)
            let channel = try AnalogFile.channel(fields, at: 8)
            // Behind the structure itself, unless it says where.
            let asked = fields.u32(12) ?? 0
            let place = asked == 0 ? argument &+ AnalogFile.bufferBytes : asked
            let bytes = AnalogFile.description(at: place, channel)
            guard fields.u32(4) ?? 0 >= (asked == 0 ? AnalogFile.bufferBytes : 0) + UInt32(bytes.count) else { throw .EINVAL }
            try memory.put(place, bytes)
            if asked == 0 { try memory.put(argument &+ 12, place.littleEndianBytes) }
        case 0xC014_69D4...0xC014_69D7: try control(request, argument, memory.fields(argument, 20), memory)
        default: throw .ENOTTY
        }
        return 0
    }

    private static func channel(_ fields: Bytes, at offset: Int) throws(Errno) -> Int {
        guard let channel = fields.u32(offset), channel < 8 else { throw .EINVAL }
        return Int(channel)
    }

    /// `struct iio_ioctl_chan_spec` and all to which it points: two values by name, of which each channel has its own.
    private static func description(at place: UInt32, _ channel: Int = 0) -> [UInt8] {
        let (head, entry) = (UInt32(12), UInt32(16))
        let names = ["current_bits", "reference_voltage"].map { Array($0.utf8) + [0] }
        let texts = place &+ head &+ 2 * entry
        let words: [UInt32] = [
            head, UInt32(channel), place &+ head,
            entry, place &+ head &+ entry, texts, 0,
            entry, 0, texts &+ UInt32(names[0].count), 0,
        ]
        return words.littleEndianBytes + names.joined()
    }

    private func control(_ request: UInt32, _ argument: UInt32, _ fields: Bytes, _ memory: UserMemory) throws(Errno) {
        let channel = try AnalogFile.channel(fields, at: 4)
        switch request {
        case 0xC014_69D4:
            let sample = Double(chip.sample(channel)) * AnalogFile.fullScaleVolts / referenceVolts[channel]
            try memory.put(argument &+ 8, UInt32(min(4095, sample)).littleEndianBytes)
        case 0xC014_69D6:
            let millivolts = Int((referenceVolts[channel] * 1000).rounded())
            let volts = "\(millivolts / 1000)." + String(1000 + millivolts % 1000).dropFirst()
            let text = fields.u32(8) == 0 ? "\(AnalogFile.bits)" : volts
            try memory.put(fields.u32(12) ?? 0, Array((Array(text.utf8) + [0]).prefix(Int(fields.u32(16) ?? 0))))
        case 0xC014_69D7:
            let text = String(decoding: try memory.bytes(fields.u32(12) ?? 0, Int(min(16, fields.u32(16) ?? 0))), as: UTF8.self)
            guard fields.u32(8) == 1, let volts = Double(text), volts > 0, volts <= AnalogFile.fullScaleVolts else { throw .EINVAL }
            referenceVolts[channel] = volts
        default: throw .EINVAL
        }
    }
}

import Formats

/// /dev/gpiochip0, as Linux has it (uapi/linux/gpio.h, version 1): lines are asked for, and are files then.
final class PinController: OpenFile {
    private let chip: Chip
    init(_ chip: Chip) {
        self.chip = chip
        super.init(flags: OpenFile.readWrite)
    }
    override var mode: UInt32 { 0o020666 }

    private static let getLine: UInt32 = 0xC16C_B403
    private static let getChip: UInt32 = 0x8044_B401

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        if request == PinController.getChip {
            try process.memory.put(argument, description(process))
            return 0
        }
        guard request == PinController.getLine else { throw .EINVAL }
        let fields = try process.memory.fields(argument, 364)
        let (pin, flags) = (Int(fields.u32(0) ?? 0), fields.u32(256) ?? 0)
        guard fields.u32(356) == 1, flags & 3 == 1 || flags & 3 == 2 else { throw .EINVAL }
        guard PeripheralClaims.pins.contains(pin) else { throw .ENODEV }
        if let grants = process.policy.grants, !grants.pins.contains(pin) { throw .EACCES }
        let isHigh = (fields.block(260, 1)?.first ?? 0) != 0
        let line = try PinFile(chip, pin, output: flags & 2 != 0 ? isHigh : nil)
        let descriptor = try process.open(line)
        try process.memory.put(argument &+ 360, descriptor.littleEndianBytes)
        return 0
    }
}

extension PinController {
    /// Name, label and number of lines; behind the texts, zeros, or what was there before.
    private func description(_ process: Process) -> [UInt8] {
        let room = process.policy.weaknesses.contains(.pinLeak) ? UInt32(0xC010_0040).littleEndianBytes : [0, 0, 0, 0]
        func field(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8) + [0]
            return bytes + (bytes.count..<32).map { room[$0 % 4] }
        }
        return field("gpiochip0") + field("mt3620") + UInt32(PeripheralClaims.pins.count).littleEndianBytes
    }
}

/// One pin.
final class PinFile: PeripheralFile {
    private let pin: Int
    private let isOutput: Bool

    init(_ chip: Chip, _ pin: Int, output: Bool?) throws(Errno) {
        self.pin = pin
        isOutput = output != nil
        try super.init(chip, "pin \(pin)")
        if let output { chip.drive(pin, output) } else { chip.release(pin) }
    }

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        switch request {
        case 0xC040_B408: try process.memory.put(argument, [chip.level(of: pin) ? 1 : 0] + [UInt8](repeating: 0, count: 63))
        case 0xC040_B409:
            let value = try process.memory.bytes(argument, 1)[0]
            // Nothing happens to an input, and that is no error.
            if isOutput { chip.drive(pin, value != 0) }
        default: throw .EINVAL
        }
        return 0
    }
}

/// /dev/pwm<N>: one controller with four channels.
final class PulseFile: PeripheralFile {
    private let controller: Int
    init(_ chip: Chip, _ controller: Int) throws(Errno) {
        self.controller = controller
        try super.init(chip, "PWM \(controller)")
    }

    private static let apply: UInt32 = 0x4014_5001

    override func control(_ request: UInt32, _ argument: UInt32, _ process: Process) throws(Errno) -> UInt32 {
        guard request == PulseFile.apply else { throw .ENOTTY }
        let fields = try process.memory.fields(argument, 20)
        let (channel, period, duty) = (fields.u32(0) ?? 0, fields.u32(4) ?? 0, fields.u32(8) ?? 0)
        guard channel < 4 else { throw .ENODEV }
        guard period > 0, duty <= period, (fields.u32(12) ?? 0) <= 1 else { throw .EINVAL }
        let share = fields.u32(16) == 0 ? 0 : Double(duty) / Double(period)
        chip.pulse(controller, Int(channel), duty: fields.u32(12) == 1 ? 1 - share : share)
        return 0
    }
}

/// An accelerometer and gyroscope with the registers of LSM6DS3 and LSM6DSO that drivers use, lying flat and still: 1 g on z, 25 °C.
final class InertialSensor: Attachment {
    private static let addresses: ClosedRange<UInt8> = 0x6A...0x6B
    private var registers = [UInt8](repeating: 0, count: 128)
    private var selected = 0

    private let identity: UInt8

    /// Nothing or `lsm6ds3`, or `lsm6dso` as on the reference board.
    init(_ words: [String]) throws(AttachmentError) {
        switch words {
        case [], ["lsm6ds3"]: identity = 0x69
        case ["lsm6dso"]: identity = 0x6C
        default: throw AttachmentError("imu: expected lsm6ds3 or lsm6dso")
        }
        reset()
    }

    var memory: [UInt8] {
        get { registers + [UInt8(selected)] }
        set {
            guard newValue.count == 129 else { return }
            (registers, selected) = (Array(newValue.prefix(128)), Int(newValue[128] & 0x7F))
        }
    }

    private func reset() {
        registers = [UInt8](repeating: 0, count: 128)
        registers[0x0F] = identity  // WHO_AM_I
        registers[0x12] = 0x04  // CTRL3_C: addresses go up
    }

    /// STATUS_REG and the output registers, once the sensors run.
    private func value(_ register: Int) -> UInt8 {
        let accelerates = registers[0x10] >> 4 != 0
        let turns = registers[0x11] >> 4 != 0
        switch register {
        case 0x1E: return (accelerates ? 5 : 0) | (turns ? 2 : 0)
        case 0x2C where accelerates, 0x2D where accelerates:
            // 2, 16, 4, 8 g of full scale: 0.061, 0.488, 0.122, 0.244 mg per digit.
            let digits = [16_393, 2_049, 8_197, 4_098][Int(registers[0x10] >> 2 & 3)]
            return UInt8(truncatingIfNeeded: register == 0x2C ? digits : digits >> 8)
        default: return registers[register]
        }
    }

    private func write(_ register: Int, _ value: UInt8) {
        switch register {
        case 0x12 where value & 1 != 0: reset()  // SW_RESET clears itself
        case 0x01...0x1A, 0x58...0x5F: registers[register] = value
        default: break
        }
    }

    private var step: Int { registers[0x12] & 4 != 0 ? 1 : 0 }

    func i2c(address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
        guard InertialSensor.addresses.contains(address) else { return nil }
        if let first = bytes.first { selected = Int(first & 0x7F) }
        for byte in bytes.dropFirst() {
            write(selected, byte)
            selected = (selected + step) & 0x7F
        }
        return (0..<count).map { _ in
            defer { selected = (selected + step) & 0x7F }
            return value(selected)
        }
    }

    func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        guard let command = bytes.first else { return [UInt8](repeating: 0xFF, count: count) }
        let isRead = command & 0x80 != 0
        // Both ways without a lead, there is no answer yet while the command comes in.
        let idle = bothWays && bytes.count <= count ? 1 : 0
        let reading = isRead ? count - idle : 0
        let answer = i2c(address: 0x6A, writing: isRead ? [command & 0x7F] : bytes, reading: reading, at: now) ?? []
        return [UInt8](repeating: 0xFF, count: idle) + answer + [UInt8](repeating: 0xFF, count: count - idle - reading)
    }
}

/// What the chip's pins touch.
public protocol World: AnyObject {
    /// 0…4095 on an ADC channel.
    func analogInput(channel: Int, at nanoseconds: Int64) -> UInt32
    /// The share of time, 0…1, that a PWM output is high.
    func pulseWidth(controller: Int, channel: Int, duty: Double, at nanoseconds: Int64)
    /// A line on the debug UART, without its end.
    func uartLine(_ line: String, at nanoseconds: Int64)
}

/// The blocks of one IO core (mt3620-silicon §1.1), as far as the firmware that we have needs them.
/// A register that is not modelled reads 0 and ignores writes, and is counted.
struct Peripherals {
    var timers = GeneralPurposeTimers()
    var uart = DebugUART()
    var adc = AnalogDigitalConverter()
    var pwm = [PulseWidthModulator](repeating: .init(), count: 3)
    private(set) var unmodelledAccesses = 0

    mutating func read(_ address: UInt32, at now: Int64) -> UInt32 {
        let offset = address & 0xFFFF
        switch address & 0xFFFF_0000 {
        case 0x2103_0000: return timers.read(offset, at: now)
        case 0x2104_0000: return uart.read(offset)
        case 0x3800_0000: return adc.read(offset)
        case 0x3801_0000...0x3803_0000 where offset >= 0x1000:
            return pwm[Int(address >> 16 & 0xF) - 1].read(offset - 0x1000)
        case 0x0000_0000: return 0
        default:
            unmodelledAccesses += 1
            return 0
        }
    }

    mutating func write(_ address: UInt32, _ value: UInt32, at now: Int64, _ world: any World) {
        let offset = address & 0xFFFF
        switch address & 0xFFFF_0000 {
        case 0x2103_0000: timers.write(offset, value, at: now)
        case 0x2104_0000: if let line = uart.write(offset, value) { world.uartLine(line, at: now) }
        case 0x3800_0000:
            adc.write(offset, value) { world.analogInput(channel: $0, at: now) }
        case 0x3801_0000...0x3803_0000 where offset >= 0x1000:
            let controller = Int(address >> 16 & 0xF) - 1
            if let (channel, duty) = pwm[controller].write(offset - 0x1000, value) {
                world.pulseWidth(controller: controller, channel: channel, duty: duty, at: now)
            }
        case 0x0000_0000: break
        default: unmodelledAccesses += 1
        }
    }

    /// Brings time-dependent state to `now`.
    mutating func advance(to now: Int64) { timers.advance(to: now) }

    /// When something will next ask for an interrupt by itself.
    var nextEvent: Int64 { timers.nextExpiry }

    /// Interrupt lines that are high (mt3620-silicon §2.1).
    var lines: [Int] {
        var lines: [Int] = []
        if timers.isAsserting { lines.append(1) }
        if adc.isAsserting { lines.append(70) }
        return lines
    }
}

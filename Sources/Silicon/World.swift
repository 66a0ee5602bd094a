/// A UART of the chip, by where its pins are.
public enum SerialPortName: Hashable, Sendable, Codable {
    case debug
    /// ISU 0…5.
    case isu(Int)
    /// Of chips that have UARTs alone: 0…15.
    case uart(Int)

    /// ISU 0…5, 6 for a core's own, and 7 and more for UARTs alone.
    public var number: Int {
        switch self {
        case .debug: 6
        case .isu(let unit): unit
        case .uart(let unit): 7 + unit
        }
    }

    public init?(number: Int) {
        switch number {
        case 0...5: self = .isu(number)
        case 6: self = .debug
        case 7...22: self = .uart(number - 7)
        default: return nil
        }
    }
}

/// What reaches the chip's pins from outside.
public enum WorldInput: Equatable, Sendable {
    case pin(Int, isHigh: Bool)
    case serial(SerialPortName, [UInt8])
    /// A byte from another UART of this chip, whose bits took so many nanoseconds, and are all here.
    case wired(SerialPortName, UInt8, nanoseconds: Int64)
}

/// What the chip's pins touch. Every call says when it happens, in nanoseconds since the run's start.
public protocol World: AnyObject {
    /// 0…4095 on an ADC channel.
    func analogInput(channel: Int, at nanoseconds: Int64) -> UInt32
    /// The share of time, 0…1, that a PWM output is high.
    func pulseWidth(controller: Int, channel: Int, duty: Double, at nanoseconds: Int64)
    func transmitted(_ byte: UInt8, on port: SerialPortName, at nanoseconds: Int64)
    /// The same, with the time that its bits have taken.
    func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at nanoseconds: Int64)
    /// The ISU that a wire leads to from this one, if any.
    func wired(to unit: Int) -> Int?
    /// Something went wrong that nobody outside can see, such as a byte that was lost.
    func noted(_ text: String, at port: SerialPortName, at nanoseconds: Int64)
    /// The level that the chip drives on a pin has changed.
    func output(pin: Int, isHigh: Bool, at nanoseconds: Int64)
    /// A transfer on an I2C bus; nil if nobody answers to the address.
    func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at nanoseconds: Int64) -> [UInt8]?
    /// A transfer on an SPI bus: as many bytes as asked for.
    /// Both ways at once, the last `count` bytes go out while as many come in; else what comes in follows what goes out.
    func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at nanoseconds: Int64) -> [UInt8]
    /// Something at an I2S controller gives it a clock.
    func hasCodec(unit: Int) -> Bool
    /// Words on an I2S bus, the last of them now: what goes out, and as many as asked for that come in.
    func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at nanoseconds: Int64) -> [UInt32]
    /// What has reached the pins up to now.
    func takeInputs(until nanoseconds: Int64) -> [WorldInput]
    /// When something next reaches them; `.max` for never.
    var nextInput: Int64 { get }
}

extension World {
    public func analogInput(channel: Int, at nanoseconds: Int64) -> UInt32 { 0 }
    public func pulseWidth(controller: Int, channel: Int, duty: Double, at nanoseconds: Int64) {}
    public func transmitted(_ byte: UInt8, on port: SerialPortName, at nanoseconds: Int64) {}
    public func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at nanoseconds: Int64) {
        transmitted(byte, on: port, at: nanoseconds)
    }
    public func wired(to unit: Int) -> Int? { nil }
    public func noted(_ text: String, at port: SerialPortName, at nanoseconds: Int64) {}
    public func output(pin: Int, isHigh: Bool, at nanoseconds: Int64) {}
    public func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at nanoseconds: Int64) -> [UInt8]? { nil }
    public func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at nanoseconds: Int64) -> [UInt8] {
        [UInt8](repeating: 0xFF, count: count)
    }
    public func hasCodec(unit: Int) -> Bool { false }
    public func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at nanoseconds: Int64) -> [UInt32] {
        [UInt32](repeating: 0, count: count)
    }
    public func takeInputs(until nanoseconds: Int64) -> [WorldInput] { [] }
    public var nextInput: Int64 { .max }
}

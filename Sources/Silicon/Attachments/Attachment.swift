/// A sensor or an actuator on pins or a bus. Each kind is one type in one file of this folder; to add one:
///
/// 1. Copy the file that is nearest to it and implement what it does with what reaches it (all else has a default).
/// 2. Add it to `Attachments.kinds`, with the places where it can be and a line of help.
///
/// It is told the time of everything, in nanoseconds since the run's start, and keeps none of its own: so a run that is
/// done again is the same. What it wants to be seen it returns as text.
public protocol Attachment: AnyObject {
    /// The level of its pin, as the chip drives it.
    func output(isHigh: Bool, at now: Int64) -> String?
    /// The share of time, 0…1, that its PWM output is high.
    func pulseWidth(_ duty: Double, at now: Int64) -> String?
    /// 0…4095 on its ADC channel.
    func sample(at now: Int64) -> UInt32
    /// A transfer on its I2C bus, if it answers to the address.
    func i2c(address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]?
    /// A transfer on its SPI bus; `World.spi` says in what order.
    func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8]
    /// Words on its I2S bus, the last of them now: what it hears is as many as asked for, so far apart.
    func audio(_ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> (heard: [UInt32], event: String?)
    /// A byte from the chip's UART; what it answers.
    func received(_ byte: UInt8, at now: Int64) -> [UInt8]
    /// When it says something on its UART without being asked; `.max` for never.
    var nextWord: Int64 { get }
    /// What it says by then.
    func speak(at now: Int64) -> [UInt8]
    /// Pins beside its own place whose levels it sees, such as a display's D/C.
    var watchedPins: [Int] { get }
    func watched(pin: Int, isHigh: Bool, at now: Int64)
    /// What has happened at it since it was last asked: asked after each of the above that does not say it itself.
    func takeEvents() -> [String]
    /// The run is over: what it has to leave, it leaves now.
    func finish(at now: Int64)
    /// When its pin changes by itself, and to what: all that is still to come, in order.
    var changes: [(at: Int64, isHigh: Bool)] { get }
    /// What it remembers, for a snapshot; nothing by default.
    var memory: [UInt8] { get set }
}

extension Attachment {
    public func output(isHigh: Bool, at now: Int64) -> String? { nil }
    public func pulseWidth(_ duty: Double, at now: Int64) -> String? { nil }
    public func sample(at now: Int64) -> UInt32 { 0 }
    public func i2c(address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? { nil }
    public func spi(sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        [UInt8](repeating: 0xFF, count: count)
    }
    public func audio(_ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> (heard: [UInt32], event: String?) {
        ([UInt32](repeating: 0, count: count), nil)
    }
    public func received(_ byte: UInt8, at now: Int64) -> [UInt8] { [] }
    public var nextWord: Int64 { .max }
    public func speak(at now: Int64) -> [UInt8] { [] }
    public var watchedPins: [Int] { [] }
    public func watched(pin: Int, isHigh: Bool, at now: Int64) {}
    public func takeEvents() -> [String] { [] }
    public func finish(at now: Int64) {}
    public var changes: [(at: Int64, isHigh: Bool)] { [] }
    public var memory: [UInt8] {
        get { [] }
        set {}
    }
}

/// Where something is attached: `gpio8`, `pwm0.1`, `adc0`, `i2c2`, `spi1`, `isu0`, `uart0`, `i2s0`, `debug`.
public enum AttachmentPlace: Hashable, Sendable, CustomStringConvertible {
    case gpio(Int)
    case pwm(controller: Int, channel: Int)
    case adc(Int)
    case i2c(Int)
    case spi(Int)
    case serial(Int)
    case uart(Int)
    case i2s(Int)
    /// The UART of the core itself.
    case debug

    public init?(_ text: String) {
        if text == "debug" {
            self = .debug
            return
        }
        guard let kind = AttachmentPlace.kinds.first(where: text.hasPrefix) else { return nil }
        let numbers = text.dropFirst(kind.count).split(separator: ".", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        switch (kind, numbers.count) {
        case ("gpio", 1) where (0...95).contains(numbers[0]): self = .gpio(numbers[0])
        case ("pwm", 2) where (0...2).contains(numbers[0]) && (0...3).contains(numbers[1]):
            self = .pwm(controller: numbers[0], channel: numbers[1])
        case ("adc", 1) where (0...7).contains(numbers[0]): self = .adc(numbers[0])
        case ("i2c", 1) where (0...5).contains(numbers[0]): self = .i2c(numbers[0])
        case ("spi", 1) where (0...5).contains(numbers[0]): self = .spi(numbers[0])
        case ("isu", 1) where (0...5).contains(numbers[0]): self = .serial(numbers[0])
        case ("uart", 1) where (0...15).contains(numbers[0]): self = .uart(numbers[0])
        case ("i2s", 1) where (0...1).contains(numbers[0]): self = .i2s(numbers[0])
        default: return nil
        }
    }

    public var description: String {
        switch self {
        case .gpio(let pin): "gpio\(pin)"
        case .pwm(let controller, let channel): "pwm\(controller).\(channel)"
        case .adc(let channel): "adc\(channel)"
        case .i2c(let bus): "i2c\(bus)"
        case .spi(let bus): "spi\(bus)"
        case .serial(let unit): "isu\(unit)"
        case .uart(let unit): "uart\(unit)"
        case .i2s(let unit): "i2s\(unit)"
        case .debug: "debug"
        }
    }

    private static let kinds = ["gpio", "pwm", "adc", "i2c", "spi", "isu", "uart", "i2s", "debug"]
    public init(_ port: SerialPortName) {
        self =
            switch port {
            case .debug: .debug
            case .isu(let unit): .serial(unit)
            case .uart(let unit): .uart(unit)
            }
    }

    /// The UART that is there.
    public var port: SerialPortName? {
        switch self {
        case .serial(let unit): .isu(unit)
        case .uart(let unit): .uart(unit)
        case .debug: .debug
        default: nil
        }
    }

    /// Of the controller or the bus.
    var unit: Int {
        switch self {
        case .gpio(let number), .adc(let number), .i2c(let number), .spi(let number), .serial(let number), .uart(let number),
            .i2s(let number), .pwm(let number, _):
            number
        case .debug: 0
        }
    }

    /// `gpio`, `adc` …
    var kind: String { AttachmentPlace.kinds.first(where: description.hasPrefix) ?? "" }
}

/// Why something cannot be attached.
public struct AttachmentError: Error, Equatable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

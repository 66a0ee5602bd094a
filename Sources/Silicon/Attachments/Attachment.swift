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
    public var changes: [(at: Int64, isHigh: Bool)] { [] }
    public var memory: [UInt8] {
        get { [] }
        set {}
    }
}

/// Where something is attached: `gpio8`, `pwm0.1`, `adc0`, `i2c2`, `spi1`, `isu0`, `i2s0`.
public enum AttachmentPlace: Hashable, Sendable, CustomStringConvertible {
    case gpio(Int)
    case pwm(controller: Int, channel: Int)
    case adc(Int)
    case i2c(Int)
    case spi(Int)
    case serial(Int)
    case i2s(Int)

    public init?(_ text: String) {
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
        case .i2s(let unit): "i2s\(unit)"
        }
    }

    private static let kinds = ["gpio", "pwm", "adc", "i2c", "spi", "isu", "i2s"]
    /// `gpio`, `adc` …
    var kind: String { AttachmentPlace.kinds.first(where: description.hasPrefix) ?? "" }
}

/// Why something cannot be attached.
public struct AttachmentError: Error, Equatable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// What there is to attach.
public enum Attachments {
    struct Kind: Sendable {
        var name: String
        /// Kinds of places.
        var places: [String]
        var help: String
        /// From the words after the place.
        var make: @Sendable ([String]) throws(AttachmentError) -> any Attachment
    }

    static let kinds = [
        Kind(name: "button", places: ["gpio"], help: "button@gpio12:1s/200ms,3s/1s  pressed (low) at, for") {
            words throws(AttachmentError) in
            try Button(words)
        },
        Kind(name: "codec", places: ["i2s"], help: "codec@i2s0, codec@i2s0:440  hears a tone of so many hertz, says when it sounds") {
            words throws(AttachmentError) in try Codec(words)
        },
        Kind(name: "echo", places: ["isu"], help: "echo@isu0  answers every byte with itself") { _ throws(AttachmentError) in SerialEcho()
        },
        Kind(name: "imu", places: ["i2c", "spi"], help: "imu@i2c2, imu@spi1:lsm6dso  LSM6DS3 or LSM6DSO, lying flat; I2C address 0x6A") {
            words throws(AttachmentError) in try InertialSensor(words)
        },
        Kind(name: "led", places: ["gpio", "pwm"], help: "led@gpio8, led@gpio8:low, led@pwm0.1  says when it goes on and off") {
            words throws(AttachmentError) in try LED(words)
        },
        Kind(name: "loop", places: ["spi"], help: "loop@spi1  a wire from MOSI to MISO") { _ throws(AttachmentError) in Loop() },
        Kind(name: "relay", places: ["gpio"], help: "relay@gpio0  says when it closes and opens") { _ throws(AttachmentError) in Relay() },
        Kind(name: "thermistor", places: ["adc"], help: "thermistor@adc0:22.5  10 kΩ NTC at so many °C, below 10 kΩ to 2.5 V") {
            words throws(AttachmentError) in try Thermistor(words)
        },
        Kind(name: "voltage", places: ["adc"], help: "voltage@adc1:1.25  so many volts of 2.5") { words throws(AttachmentError) in
            try VoltageSource(words)
        },
    ]

    public static var help: String { kinds.map(\.help).joined(separator: "\n") }

    /// `led@gpio8`, `button@gpio12:1s/200ms`.
    public static func parse(_ text: String) throws(AttachmentError) -> (place: AttachmentPlace, attachment: any Attachment) {
        let halves = text.split(separator: "@", maxSplits: 1).map(String.init)
        guard halves.count == 2 else { throw AttachmentError("'\(text)': expected KIND@PLACE, such as led@gpio8") }
        guard let kind = kinds.first(where: { $0.name == halves[0] }) else {
            throw AttachmentError("unknown attachment '\(halves[0])'; there are \(kinds.map(\.name).joined(separator: ", "))")
        }
        let rest = halves[1].split(separator: ":", maxSplits: 1).map(String.init)
        guard let place = rest.first.flatMap({ AttachmentPlace($0) }), kind.places.contains(place.kind) else {
            throw AttachmentError("'\(text)': a \(kind.name) is attached like \(kind.help.split { $0 == " " || $0 == "," }[0])")
        }
        let words = rest.count > 1 ? rest[1].split(separator: ",").map(String.init) : []
        return (place, try kind.make(words))
    }
}

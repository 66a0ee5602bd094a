/// A chip's pins with what is attached to them.
public final class Board: World {
    private var attachments: [AttachmentPlace: any Attachment] = [:]
    /// As they were asked for, in that order.
    private var names: [(name: String, place: AttachmentPlace)] = []
    /// Pins that change by themselves, in the order of time.
    private var changes: [(at: Int64, pin: Int, isHigh: Bool)] = []
    /// Answers of what sits at a UART.
    private var answers: [WorldInput] = []
    private var answersAt = Int64.max

    /// Something that is attached has done something: where, and what.
    public var onEvent: (Int64, String, String) -> Void = { _, _, _ in }
    public var onSerial: (Int64, SerialPortName, UInt8) -> Void = { _, _, _ in }

    public init() {}

    /// `led@gpio8`: see `Attachments`.
    public func attach(_ text: String) throws(AttachmentError) {
        let (place, attachment) = try Attachments.parse(text)
        guard attachments[place] == nil else { throw AttachmentError("two attachments at \(place)") }
        attachments[place] = attachment
        names.append((text, place))
        if case .gpio(let pin) = place { changes += attachment.changes.map { ($0.at, pin, $0.isHigh) } }
        changes.sort { ($0.at, $0.pin) < ($1.at, $1.pin) }
    }

    /// Bytes that come in on a UART at an instant.
    public func send(_ bytes: [UInt8], to port: SerialPortName, at now: Int64) {
        answers.append(.serial(port, bytes))
        answersAt = min(answersAt, now)
    }

    // MARK: Snapshots

    /// What a board remembers: its attachments as they were named, with their memories, and what is on its way to the pins.
    public struct Snapshot: Codable {
        var attachments: [Item] = []
        var changesLeft: Int
        var answers: [Answer]
        var answersAt: Int64

        struct Item: Codable {
            var name: String
            var memory: [UInt8]
        }
        struct Answer: Codable {
            var port: SerialPortName
            var bytes: [UInt8]
        }
        public var names: [String] { attachments.map(\.name) }
    }

    public var snapshot: Snapshot {
        Snapshot(
            attachments: names.map { .init(name: $0.name, memory: attachments[$0.place]?.memory ?? []) }, changesLeft: changes.count,
            answers: answers.compactMap { if case .serial(let port, let bytes) = $0 { .init(port: port, bytes: bytes) } else { nil } },
            answersAt: answersAt)
    }

    /// To a board with the attachments that the snapshot names.
    public func restore(_ snapshot: Snapshot) {
        for (item, own) in zip(snapshot.attachments, names) { attachments[own.place]?.memory = item.memory }
        changes.removeFirst(max(0, changes.count - snapshot.changesLeft))
        answers = snapshot.answers.map { .serial($0.port, $0.bytes) }
        answersAt = snapshot.answersAt
    }

    private func tell(_ place: AttachmentPlace, _ text: String?, _ now: Int64) {
        if let text { onEvent(now, "\(place)", text) }
    }

    // MARK: World

    public func analogInput(channel: Int, at now: Int64) -> UInt32 { attachments[.adc(channel)]?.sample(at: now) ?? 0 }

    public func pulseWidth(controller: Int, channel: Int, duty: Double, at now: Int64) {
        let place = AttachmentPlace.pwm(controller: controller, channel: channel)
        tell(place, attachments[place]?.pulseWidth(duty, at: now), now)
    }

    public func transmitted(_ byte: UInt8, on port: SerialPortName, at now: Int64) {
        onSerial(now, port, byte)
        guard case .isu(let unit) = port, let attachment = attachments[.serial(unit)] else { return }
        let answer = attachment.received(byte, at: now)
        if !answer.isEmpty { send(answer, to: port, at: now) }
    }

    public func output(pin: Int, isHigh: Bool, at now: Int64) {
        tell(.gpio(pin), attachments[.gpio(pin)]?.output(isHigh: isHigh, at: now), now)
    }

    public func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
        attachments[.i2c(bus)]?.i2c(address: address, writing: bytes, reading: count, at: now)
    }

    public func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        attachments[.spi(bus)]?.spi(sending: bytes, receiving: count, bothWays: bothWays, at: now) ?? [UInt8](repeating: 0xFF, count: count)
    }

    public func hasCodec(unit: Int) -> Bool { attachments[.i2s(unit)] != nil }

    public func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> [UInt32] {
        guard let attachment = attachments[.i2s(unit)] else { return [UInt32](repeating: 0, count: count) }
        let (heard, event) = attachment.audio(words, receiving: count, every: spacing, at: now)
        tell(.i2s(unit), event, now)
        return heard
    }

    public var nextInput: Int64 { min(answersAt, changes.first?.at ?? .max) }

    public func takeInputs(until now: Int64) -> [WorldInput] {
        var inputs = answersAt <= now ? answers : []
        if answersAt <= now { (answers, answersAt) = ([], .max) }
        let due = changes.prefix { $0.at <= now }
        changes.removeFirst(due.count)
        inputs += due.map { .pin($0.pin, isHigh: $0.isHigh) }
        return inputs
    }
}

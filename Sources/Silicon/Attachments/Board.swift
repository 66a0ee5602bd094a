import Formats

/// A core's pins with what is attached to them. The boards of one chip's cores know each other: a wire between two ISUs
/// leads from one core's board to the others'.
public final class Board: World {
    private var attachments: [AttachmentPlace: any Attachment] = [:]
    /// As they were asked for, in that order.
    private var names: [(name: String, place: AttachmentPlace)] = []
    /// Pins that change by themselves, in the order of time.
    private var changes: [(at: Int64, pin: Int, isHigh: Bool)] = []
    /// What is on its way to the UARTs, in the order of time.
    private var arrivals: [Arrival] = []
    /// When an attachment next says something unasked.
    private var speaksAt = Int64.max
    /// ISUs that are wired to each other, both ways.
    private var wires: [Int: Int] = [:]
    private var watchers: [Int: [AttachmentPlace]] = [:]
    private var neighbours: [WeakBoard] = []
    /// Whose pins these are; nil for the MT3620's, of which a core has a part.
    private let chip: Chip?

    private struct WeakBoard { weak var board: Board? }

    struct Arrival: Codable {
        var at: Int64
        var port: SerialPortName
        var bytes: [UInt8]
        /// How long the bits of a wired byte took; nil for what comes from outside.
        var bits: Int64?

        var input: WorldInput {
            if let bits, let byte = bytes.first { .wired(port, byte, nanoseconds: bits) } else { .serial(port, bytes) }
        }
    }

    /// Something that is attached has done something: where, and what.
    public var onEvent: (Int64, String, String) -> Void = { _, _, _ in }
    public var onSerial: (Int64, SerialPortName, UInt8) -> Void = { _, _, _ in }

    public init(_ chip: Chip? = nil) { self.chip = chip }

    /// `led@gpio8`: see `Attachments`.
    public func attach(_ text: String) throws(AttachmentError) {
        let (place, attachment) = try Attachments.parse(text)
        if let chip, !chip.has(place) { throw AttachmentError("'\(text)': the \(chip.description.name) has no \(place)") }
        guard attachments[place] == nil else { throw AttachmentError("two attachments at \(place)") }
        if let wire = attachment as? Wire, case .serial(let unit) = place { try join(unit, wire.other) }
        attachments[place] = attachment
        names.append((text, place))
        if case .gpio(let pin) = place { changes += attachment.changes.map { ($0.at, pin, $0.isHigh) } }
        changes.sort { ($0.at, $0.pin) < ($1.at, $1.pin) }
        for pin in attachment.watchedPins { watchers[pin, default: []].append(place) }
        findSpeaker()
    }

    private func join(_ unit: Int, _ other: Int) throws(AttachmentError) {
        guard unit != other else { throw AttachmentError("isu\(unit) cannot be wired to itself") }
        for end in [unit, other] where wires[end] != nil || attachments[.serial(end)] != nil {
            throw AttachmentError("two attachments at isu\(end)")
        }
        (wires[unit], wires[other]) = (other, unit)
        // So that nothing else is attached to the far end.
        attachments[.serial(other)] = Wire(to: unit)
    }

    /// Of another core of the same chip.
    public func join(_ other: Board) {
        neighbours.append(WeakBoard(board: other))
        other.neighbours.append(WeakBoard(board: self))
    }

    /// Bytes that come in on a UART at an instant.
    public func send(_ bytes: [UInt8], to port: SerialPortName, at now: Int64) {
        arrive(Arrival(at: now, port: port, bytes: bytes, bits: nil))
    }

    private func arrive(_ arrival: Arrival) {
        let place = arrivals.lastIndex { $0.at <= arrival.at }.map { $0 + 1 } ?? 0
        arrivals.insert(arrival, at: place)
    }

    /// UARTs whose other end is outside: whoever runs the board connects them, or says that nobody can.
    public var outside: [(port: SerialPortName, end: OutsideEnd)] {
        names.compactMap { _, place in
            guard let port = place.port, let peer = attachments[place] as? OutsidePeer else { return nil }
            return (port, peer.end)
        }
    }

    /// What the chip has said to somebody outside since it was last asked.
    public func takeSaid(to port: SerialPortName) -> [UInt8] { (attachments[AttachmentPlace(port)] as? OutsidePeer)?.takeSaid() ?? [] }

    /// The run is over: pictures are written.
    public func finish(at now: Int64) {
        for (_, place) in names {
            attachments[place]?.finish(at: now)
            tellEvents(place, now)
        }
    }

    // MARK: Snapshots

    /// What a board remembers: its attachments as they were named, with their memories, and what is on its way to the pins.
    public struct Snapshot: Codable {
        var attachments: [Item] = []
        var changesLeft: Int
        var arrivals: [Arrival]

        struct Item: Codable {
            var name: String
            var memory: [UInt8]
        }
        public var names: [String] { attachments.map(\.name) }
    }

    public var snapshot: Snapshot {
        Snapshot(
            attachments: names.map { .init(name: $0.name, memory: attachments[$0.place]?.memory ?? []) }, changesLeft: changes.count,
            arrivals: arrivals)
    }

    /// To a board with the attachments that the snapshot names.
    public func restore(_ snapshot: Snapshot) {
        for (item, own) in zip(snapshot.attachments, names) { attachments[own.place]?.memory = item.memory }
        changes.removeFirst(max(0, changes.count - snapshot.changesLeft))
        arrivals = snapshot.arrivals
        findSpeaker()
    }

    // MARK: What attachments say

    private func tell(_ place: AttachmentPlace, _ text: String?, _ now: Int64) {
        if let text { onEvent(now, "\(place)", text) }
    }

    private func tellEvents(_ place: AttachmentPlace, _ now: Int64) {
        guard let events = attachments[place]?.takeEvents(), !events.isEmpty else { return }
        for text in events { tell(place, text, now) }
    }

    private func findSpeaker() {
        speaksAt = names.lazy.map { [attachments] in attachments[$0.place]?.nextWord ?? .max }.min() ?? .max
    }

    /// Those whose time has come, in the order in which they were attached.
    private func speak(until now: Int64) -> [WorldInput] {
        var inputs: [WorldInput] = []
        for (_, place) in names {
            guard let port = place.port, let attachment = attachments[place], attachment.nextWord <= now else { continue }
            let bytes = attachment.speak(at: now)
            if !bytes.isEmpty { inputs.append(.serial(port, bytes)) }
            tellEvents(place, now)
        }
        findSpeaker()
        return inputs
    }

    // MARK: World

    public func analogInput(channel: Int, at now: Int64) -> UInt32 { attachments[.adc(channel)]?.sample(at: now) ?? 0 }

    public func pulseWidth(controller: Int, channel: Int, duty: Double, at now: Int64) {
        let place = AttachmentPlace.pwm(controller: controller, channel: channel)
        tell(place, attachments[place]?.pulseWidth(duty, at: now), now)
    }

    public func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at now: Int64) {
        onSerial(now, port, byte)
        let place = AttachmentPlace(port)
        guard let attachment = attachments[place] else { return }
        if case .isu(let unit) = port, let other = wires[unit] {
            let arrival = Arrival(at: now, port: .isu(other), bytes: [byte], bits: bits)
            arrive(arrival)
            for neighbour in neighbours { neighbour.board?.arrive(arrival) }
            return
        }
        let answer = attachment.received(byte, at: now)
        if !answer.isEmpty { send(answer, to: port, at: now) }
        tellEvents(place, now)
        speaksAt = min(speaksAt, attachment.nextWord)
    }

    public func wired(to unit: Int) -> Int? { wires[unit] }

    public func noted(_ text: String, at port: SerialPortName, at now: Int64) {
        onEvent(now, "\(AttachmentPlace(port))", text)
    }

    public func output(pin: Int, isHigh: Bool, at now: Int64) {
        for place in watchers[pin] ?? [] { attachments[place]?.watched(pin: pin, isHigh: isHigh, at: now) }
        tell(.gpio(pin), attachments[.gpio(pin)]?.output(isHigh: isHigh, at: now), now)
    }

    public func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
        defer { tellEvents(.i2c(bus), now) }
        return attachments[.i2c(bus)]?.i2c(address: address, writing: bytes, reading: count, at: now)
    }

    public func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
        defer { tellEvents(.spi(bus), now) }
        return attachments[.spi(bus)]?.spi(sending: bytes, receiving: count, bothWays: bothWays, at: now)
            ?? [UInt8](repeating: 0xFF, count: count)
    }

    public func hasCodec(unit: Int) -> Bool { attachments[.i2s(unit)] != nil }

    public func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> [UInt32] {
        guard let attachment = attachments[.i2s(unit)] else { return [UInt32](repeating: 0, count: count) }
        let (heard, event) = attachment.audio(words, receiving: count, every: spacing, at: now)
        tell(.i2s(unit), event, now)
        return heard
    }

    public var nextInput: Int64 { min(arrivals.first?.at ?? .max, changes.first?.at ?? .max, speaksAt) }

    public func takeInputs(until now: Int64) -> [WorldInput] {
        var inputs: [WorldInput] = []
        let arrived = arrivals.prefix { $0.at <= now }
        inputs += arrived.map(\.input)
        arrivals.removeFirst(arrived.count)
        if speaksAt <= now { inputs += speak(until: now) }
        let due = changes.prefix { $0.at <= now }
        changes.removeFirst(due.count)
        inputs += due.map { .pin($0.pin, isHigh: $0.isHigh) }
        return inputs
    }
}

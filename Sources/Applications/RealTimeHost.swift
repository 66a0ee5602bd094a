import Formats
import Silicon
public import Wire

/// Loads a real-time app from its image onto a core and connects the core to the world.
public final class RealTimeHost {
    let app: String
    let component: GUID?
    let manifest: AppManifest
    /// Messages to apps on the A7 that have no room for them.
    private var undelivered: [HighLevelPartner.Message] = []
    /// Component IDs that its manifest lets it talk to.
    private let allowed: Set<String>
    /// Gone once the app has faulted: an engine takes 3 MB.
    private var core: RealTimeCore?
    /// What the compressor cools.
    private let room: RoomBox?
    let board = Board()
    private var facts: [Fact] = []
    private var lastReport: Int64 = .min
    private var isTooWarm = false
    private(set) var isHalted = false
    private var line = SerialLine()

    /// Longest stretch that a busy core runs before the rest of the device has its turn.
    private static let slice = Duration.milliseconds(10)
    private static let reportEvery: Int64 = 30 * 60 * 1_000_000_000

    private final class RoomBox {
        var room: ColdRoom
        init(_ room: ColdRoom) { self.room = room }
    }

    /// Breaks the reference cycle between a core and its world.
    private final class Pins: World {
        weak var host: RealTimeHost?
        func analogInput(channel: Int, at now: Int64) -> UInt32 { host?.analogInput(channel: channel, at: now) ?? 0 }
        func pulseWidth(controller: Int, channel: Int, duty: Double, at now: Int64) {
            host?.pulseWidth(controller: controller, channel: channel, duty: duty, at: now)
        }
        func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at now: Int64) {
            host?.transmitted(byte, on: port, taking: bits, at: now)
        }
        func wired(to unit: Int) -> Int? { host?.board.wired(to: unit) }
        func noted(_ text: String, at port: SerialPortName, at now: Int64) { host?.board.noted(text, at: port, at: now) }
        func hasCodec(unit: Int) -> Bool { host?.board.hasCodec(unit: unit) ?? false }
        func audio(unit: Int, _ words: [UInt32], receiving count: Int, every spacing: Int64, at now: Int64) -> [UInt32] {
            host?.board.audio(unit: unit, words, receiving: count, every: spacing, at: now) ?? []
        }
        func output(pin: Int, isHigh: Bool, at now: Int64) { host?.board.output(pin: pin, isHigh: isHigh, at: now) }
        func i2c(bus: Int, address: UInt8, writing bytes: [UInt8], reading count: Int, at now: Int64) -> [UInt8]? {
            host?.board.i2c(bus: bus, address: address, writing: bytes, reading: count, at: now)
        }
        func spi(bus: Int, select: Int, sending bytes: [UInt8], receiving count: Int, bothWays: Bool, at now: Int64) -> [UInt8] {
            host?.board.spi(bus: bus, select: select, sending: bytes, receiving: count, bothWays: bothWays, at: now) ?? []
        }
        func takeInputs(until now: Int64) -> [WorldInput] { host?.board.takeInputs(until: now) ?? [] }
        var nextInput: Int64 { host?.board.nextInput ?? .max }
    }

    /// Each core has a board of its own, with all that is attached: only one core drives a pin.
    init(
        app: String, program: ELFImage, manifest: AppManifest, attachments: [String], roomPath: String, at now: Instant
    ) throws {
        self.app = app
        self.manifest = manifest
        component = GUID(manifest.componentID)
        allowed = Set(manifest.names("AllowedApplicationConnections"))
        let pins = Pins()
        room = app == ColdRoom.app ? RoomBox(try ColdRoom(path: roomPath, at: now.nanoseconds)) : nil
        for text in attachments where Attachments.isReached(text, from: manifest) { try board.attach(text) }
        core = try RealTimeCore(program, world: pins, at: now.nanoseconds, firewall: Firewall(manifest))
        core?.partner = HighLevelPartner()
        pins.host = self
        board.onEvent = { [unowned self] _, place, text in
            facts.append(Fact(.attachment, [.app: .text(app), .name: .text(place), .text: .text(text)]))
        }
    }

    /// What is attached leaves its pictures.
    deinit {
        board.onEvent = { _, _, _ in }
        board.finish(at: core?.now ?? 0)
    }

    public var nextWake: Instant {
        guard let core, !isHalted, core.nextWork < .max else { return .never }
        return Instant(nanoseconds: core.nextWork)
    }

    /// A message of an app on the A7; true if this one's manifest lists it too.
    func post(_ payload: [UInt8], from sender: GUID, at now: Instant) -> Bool {
        guard allowed.contains("\(sender)".lowercased()) else { return false }
        core?.skip(to: now.nanoseconds)
        core?.post(.init(component: sender, payload: payload))
        return true
    }

    func takeMessages() -> [HighLevelPartner.Message] {
        defer { undelivered = [] }
        return undelivered + (core?.takeMessages() ?? []).filter { allowed.contains("\($0.component)".lowercased()) }
    }

    /// Who they are for has no room for them: meanwhile nothing more is taken from the core.
    func hold(_ messages: [HighLevelPartner.Message]) {
        undelivered = messages
        core?.holdMessages(!messages.isEmpty)
    }

    var isHeldUp: Bool { !undelivered.isEmpty }
    /// Nil where nothing runs any more: nobody waits for it.
    var roomBytes: Int? { core?.messageRoomBytes }

    /// The mailbox between the two real-time cores is open if one of the manifests lists the other app; wires need no
    /// permission.
    func exchangeMail(with other: RealTimeHost) {
        guard let core, let neighbour = other.core else {
            core?.leaveWires()
            other.core?.leaveWires()
            return
        }
        if lists(other) || other.lists(self) { core.exchangeMail(with: neighbour) } else { core.exchangeWires(with: neighbour) }
    }

    private func lists(_ other: RealTimeHost) -> Bool { other.component.map { allowed.contains("\($0)".lowercased()) } ?? false }

    /// A debugger halts the core: what it reads first, the vector table's first two words.
    func halt() -> [UInt32]? {
        isHalted = core != nil
        return core?.words(core?.entry ?? 0, 2)
    }

    func resume(at now: Instant) {
        isHalted = false
        core?.skip(to: now.nanoseconds)
    }

    /// Runs what is due; says how the app ended, if it did.
    func run(_ out: inout Outbox) -> String? {
        guard let core, !isHalted else { return nil }
        var fault: String?
        switch core.run(until: (out.now + RealTimeHost.slice).nanoseconds) {
        case .faulted(let record), .lockedUp(let record):
            core.finishSending()
            self.core = nil
            facts.append(Fact(.appStopped, [.app: .text(app), .reason: .text(record.text)]))
            fault = "\(app): \(record.text)"
        case .reset(let reason): facts.append(Fact(.appLog, [.app: .text(app), .text: .text("core reset: \(reason)")]))
        case .reachedDeadline, .breakpoint, .semihosting: break
        }
        for fact in facts { out.act(.observe(fact)) }
        facts = []
        return fault
    }

    // MARK: World

    /// Channel 0 is the room's thermometer: 0…4095 for −20…+60 °C.
    func analogInput(channel: Int, at now: Int64) -> UInt32 {
        guard let room, channel == 0 else { return board.analogInput(channel: channel, at: now) }
        room.room.advance(to: now)
        report(room.room, at: now)
        return UInt32(max(0, min(4095, (room.room.celsius + 20) * 4095 / 80)))
    }

    func pulseWidth(controller: Int, channel: Int, duty: Double, at now: Int64) {
        if let room, controller == 0 && channel == 0 { room.room.setDuty(duty, at: now) }
        board.pulseWidth(controller: controller, channel: channel, duty: duty, at: now)
    }

    func transmitted(_ byte: UInt8, on port: SerialPortName, taking bits: Int64, at now: Int64) {
        board.transmitted(byte, on: port, taking: bits, at: now)
        guard port == .debug, let text = line.add(byte) else { return }
        facts.append(Fact(.appLog, [.app: .text(app), .text: .text(text)]))
    }

    /// Now and then, and whenever the room gets too warm or recovers.
    private func report(_ room: ColdRoom, at now: Int64) {
        let warm = room.celsius > ColdRoom.limitCelsius
        guard warm != isTooWarm || lastReport == .min || now - lastReport >= RealTimeHost.reportEvery else { return }
        facts.append(
            Fact(
                .temperature,
                [
                    .temperatureMillicelsius: .number(Int64(room.celsius * 1000)),
                    .dutyPercent: .number(Int64(room.duty * 100)), .status: warm ? "too warm" : "good",
                    .tooWarmSeconds: .number(room.tooWarm / 1_000_000_000),
                ]))
        isTooWarm = warm
        lastReport = now
    }
}

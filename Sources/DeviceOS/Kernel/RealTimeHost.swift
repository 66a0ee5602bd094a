import Formats
import Silicon
import Wire

/// Loads a real-time app from its image onto a core and connects the core to the world.
final class RealTimeHost: World {
    private let app: String
    private let core: RealTimeCore
    private let room: RoomBox
    private var facts: [Fact] = []
    private var lastReport: Int64 = .min
    private var isTooWarm = false
    private var hasFaulted = false
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
        func transmitted(_ byte: UInt8, on port: SerialPortName, at now: Int64) { host?.transmitted(byte, on: port, at: now) }
    }

    init(app: String, program: ELFImage, manifest: AppManifest, roomPath: String, at now: Instant) throws(SiliconError) {
        self.app = app
        let pins = Pins()
        room = RoomBox(try ColdRoom(path: roomPath, at: now.nanoseconds))
        core = try RealTimeCore(program, world: pins, at: now.nanoseconds, firewall: Firewall(manifest))
        pins.host = self
    }

    var nextWake: Instant {
        hasFaulted || core.nextWork == .max ? .never : Instant(nanoseconds: core.nextWork)
    }

    /// Runs what is due; says how the app ended, if it did.
    func run(_ out: inout Outbox) -> String? {
        var fault: String?
        switch core.run(until: (out.now + RealTimeHost.slice).nanoseconds) {
        case .faulted(let record), .lockedUp(let record):
            hasFaulted = true
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
        guard channel == 0 else { return 0 }
        room.room.advance(to: now)
        report(at: now)
        return UInt32(max(0, min(4095, (room.room.celsius + 20) * 4095 / 80)))
    }

    func pulseWidth(controller: Int, channel: Int, duty: Double, at now: Int64) {
        if controller == 0 && channel == 0 { room.room.setDuty(duty, at: now) }
    }

    func transmitted(_ byte: UInt8, on port: SerialPortName, at now: Int64) {
        guard port == .debug, let text = line.add(byte) else { return }
        facts.append(Fact(.appLog, [.app: .text(app), .text: .text(text)]))
    }

    /// Now and then, and whenever the room gets too warm or recovers.
    private func report(at now: Int64) {
        let warm = room.room.celsius > ColdRoom.limitCelsius
        guard warm != isTooWarm || lastReport == .min || now - lastReport >= RealTimeHost.reportEvery else { return }
        facts.append(
            Fact(
                .temperature,
                [
                    .temperatureMillicelsius: .number(Int64(room.room.celsius * 1000)),
                    .dutyPercent: .number(Int64(room.room.duty * 100)), .status: warm ? "too warm" : "good",
                    .tooWarmSeconds: .number(room.room.tooWarm / 1_000_000_000),
                ]))
        isTooWarm = warm
        lastReport = now
    }
}

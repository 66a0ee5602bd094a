import Configuration
import Exchange
import Formats
import Kernel
import SecureChannel
import Silicon
import Wire

/// Apps on the A7, and what they ask of the OS.
extension Device {
    mutating func runApps(_ out: inout Outbox) {
        appServices.identity = identity
        appServices.unixSeconds = unixSeconds(at: out.now)
        appServices.cryptoCost = configuration.cryptoCost
        appServices.clockErrorNanoseconds = clock.error(at: out.now.nanoseconds) &+ systemOffset
        appServices.network?.isOnline = identity.isReady
        for (index, app) in apps.enumerated() where app.nextWake <= out.now {
            let end = app.run(&out)
            applySettings(&out)
            // What ends with the program is closed below.
            let seen = ServiceAPI.Sighting(connections: appStreams.connections(of: index))
            carryOut(app.takeActions(), of: index, &out)
            for message in app.takeMessages() { carry(message, from: app, &out) }
            for target in app.takeDenied() { noteSecurity(.connectionDenied, "\(app.app): to \(target)", seen: seen, &out) }
            for what in app.takeTampered() { noteSecurity(.memoryCorruption, "\(app.app): \(what)", seen: seen, &out) }
            guard let end else { continue }
            let isCorruption = end.category == .memoryCorruption
            var details: [Fact.Detail: Fact.Value] = isCorruption ? seen.details : [:]
            details.merge([.app: .text(app.app), .reason: .text(end.description)]) { $1 }
            if isCorruption { details[.code] = .text(Code.memoryCorruption.rawValue) }
            out.observe(.appStopped, details)
            if isCorruption {
                noteSecurity(end.category, end.description, seen: seen, &out)
            } else {
                var whole = seen
                whole.add(.init(digests: digest(ofApp: app.app)))
                note(end.category, end.description, seen: whole, &out)
            }
            if updates.trial?.isOfApps == true { return goBack("app ended: \(end.description)", &out) }
        }
        for core in cores where core.isHeldUp { carryMessages(from: core, &out) }
        for request in appServices.takeRequests() {
            switch request {
            case .reboot:
                // What is staged waits for a restart, whoever asks for it (UP-6).
                _ = activate(&out)
                return reboot("asked by an app", &out)
            case .setClock(let nanoseconds): setSystemClock(by: nanoseconds, &out)
            case .keepClock: keepClock(out.now)
            case .panic(let reason):
                note(.kernelPanic, reason, &out)
                return reboot("kernel panic: \(reason)", &out)
            case .powerDown(let seconds): return powerDown(.seconds(Int64(seconds)), &out)
            case .deferUpdate(let minutes): deferUpdate(.minutes(Int64(minutes)), &out)
            case .resumeUpdate: updates.finalAt = min(updates.finalAt, out.now)
            }
        }
    }

    /// Of the image that an app was started from, in hex; none if it was sideloaded.
    func digest(ofApp name: String) -> [String] {
        booted.images[.applications]?.first { $0.package.name == name }.map { [$0.digest.hex] } ?? []
    }

    /// From an app on the A7 to one on a real-time core. Both manifests list the other, or nothing is heard (APP-11).
    private mutating func carry(_ message: HighLevelPartner.Message, from app: HighLevelHost, _ out: inout Outbox) {
        guard let sender = app.component, let core = cores.first(where: { $0.component == message.component }) else { return }
        if !core.post(message.payload, from: sender, at: out.now) {
            out.observe(
                .refusal, [.operation: "message", .app: .text(app.app), .reason: "the other app's manifest does not list this one"])
        }
    }

    /// Between the two real-time cores.
    func exchangeMail() { if cores.count == Device.realTimeCores { cores[0].exchangeMail(with: cores[1]) } }

    /// The way back, after a core has run.
    mutating func carryMessages(from core: RealTimeHost, _ out: inout Outbox) {
        exchangeMail()
        guard let sender = core.component else { return }
        var messages = core.takeMessages()
        while let message = messages.first,
            apps.filter({ $0.component == message.component }).allSatisfy({ $0.take(message.payload, from: sender, at: out.now) })
        {
            messages.removeFirst()
        }
        core.hold(messages)
        noteRooms(out.now)
    }

    /// Tells apps on the A7 what the ways to the cores have room for.
    private func noteRooms(_ now: Instant) {
        var rooms: [GUID: Int] = [:]
        for core in cores { if let component = core.component { rooms[component] = core.roomBytes } }
        for app in apps { app.note(rooms: rooms, at: now) }
    }

    // MARK: Updates

    /// Words of applibs/sysevent.h.
    private enum Event {
        static let updateReady: UInt32 = 1
        static let updateStarted: UInt32 = 2
        static let noUpdate: UInt32 = 4
        static let pending: UInt32 = 1
        static let final: UInt32 = 2
        static let deferred: UInt32 = 3
        static let complete: UInt32 = 4
    }

    /// An app has ten seconds to say that it wants an update later.
    static let answerTime = Duration.seconds(10)

    /// Tells apps of an update that is ready; true if one listens.
    mutating func tellApps(pending isApp: Bool, limit: Duration, _ out: inout Outbox) -> Bool {
        appServices.deferralLimit = limit
        let minutes = UInt32(limit.nanoseconds / Duration.minutes(1).nanoseconds)
        return post(Event.updateReady, Event.pending, minutes: minutes, isApp: isApp, out.now)
    }

    mutating func tellApps(final isApp: Bool, _ out: inout Outbox) {
        appServices.deferralLimit = nil
        _ = post(Event.updateReady, Event.final, minutes: 0, isApp: isApp, out.now)
    }

    /// What a look for updates has found.
    func tellApps(found: Bool, isApp: Bool, _ now: Instant) {
        _ = post(found ? Event.updateStarted : Event.noUpdate, 0, minutes: 0, isApp: isApp, now)
    }

    /// An update of apps has proven itself; of an OS nobody is told.
    func tellApps(complete now: Instant) { _ = post(Event.updateReady, Event.complete, minutes: 0, isApp: true, now) }

    private func post(_ event: UInt32, _ status: UInt32, minutes: UInt32, isApp: Bool, _ now: Instant) -> Bool {
        var listens = false
        for app in apps where app.post(event: event, status: status, maximumMinutes: minutes, updateType: isApp ? 1 : 2, at: now) {
            listens = true
        }
        return listens
    }

    private mutating func deferUpdate(_ wanted: Duration, _ out: inout Outbox) {
        guard let limit = appServices.deferralLimit, !updates.staged.isEmpty else { return }
        let time = min(wanted, limit)
        updates.finalAt = out.now + time
        appServices.deferralLimit = limit - time
        let isApp = updates.staged.allSatisfy { $0.type == .applications }
        announceDeferral(&out)
        _ = post(Event.updateReady, Event.deferred, minutes: 0, isApp: isApp, out.now)
    }

    // MARK: Power Down

    /// Everything off but the clock, whose alarm starts the device anew (HW-31).
    private mutating func powerDown(_ time: Duration, _ out: inout Outbox) {
        _ = activate(&out)
        out.observe(.powerLost, [.operation: "power down", .durationNanoseconds: .number(time.nanoseconds)])
        shutDown(&out)
        wakesAt = out.now + max(.seconds(1), time)
    }
}

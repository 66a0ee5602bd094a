import Formats
import Kernel
import Silicon
public import Wire

/// Messages between apps, and from the system to them.
extension AppHost {
    // MARK: Between cores

    /// From an app on the A7 to one on a real-time core. Both manifests list the other, or nothing is heard (APP-11).
    func carry(_ message: HighLevelPartner.Message, from app: HighLevelHost, _ out: inout Outbox) {
        guard let sender = app.component, let core = cores.first(where: { $0.component == message.component }) else { return }
        if !core.post(message.payload, from: sender, at: out.now) {
            out.observe(
                .refusal, [.operation: "message", .app: .text(app.app), .reason: "the other app's manifest does not list this one"])
        }
    }

    /// Between the two real-time cores.
    func exchangeMail() { if cores.count == AppHost.realTimeCores { cores[0].exchangeMail(with: cores[1]) } }

    /// The way back, after a core has run.
    func carryMessages(from core: RealTimeHost, _ now: Instant) {
        exchangeMail()
        guard let sender = core.component else { return }
        var messages = core.takeMessages()
        while let message = messages.first,
            apps.filter({ $0.component == message.component }).allSatisfy({ $0.take(message.payload, from: sender, at: now) })
        {
            messages.removeFirst()
        }
        core.hold(messages)
        noteRooms(now)
    }

    /// Tells apps on the A7 what the ways to the cores have room for.
    private func noteRooms(_ now: Instant) {
        var rooms: [GUID: Int] = [:]
        for core in cores { if let component = core.component { rooms[component] = core.roomBytes } }
        for app in apps { app.note(rooms: rooms, at: now) }
    }

    // MARK: Of updates

    /// What the system has for whoever listens (applibs/sysevent.h).
    public enum SystemEvent: Equatable, Sendable {
        /// A look for updates has found something, or nothing.
        case updateStarted, noUpdate
        /// Something is ready; an app may put it off by so much.
        case updatePending(limit: Duration)
        case updateFinal, updateDeferred, updateComplete

        fileprivate var words: (event: UInt32, status: UInt32) {
            switch self {
            case .updatePending: (1, 1)
            case .updateFinal: (1, 2)
            case .updateDeferred: (1, 3)
            case .updateComplete: (1, 4)
            case .updateStarted: (2, 0)
            case .noUpdate: (4, 0)
            }
        }
    }

    /// - Parameter isApp: It is about apps, not the OS.
    /// - Returns: Whether one of them listens.
    @discardableResult
    public func tell(_ event: SystemEvent, isApp: Bool, _ now: Instant) -> Bool {
        var minutes: UInt32 = 0
        switch event {
        case .updatePending(let limit):
            services.deferralLimit = limit
            minutes = UInt32(limit.nanoseconds / Duration.minutes(1).nanoseconds)
        case .updateFinal: services.deferralLimit = nil
        default: break
        }
        let (word, status) = event.words
        var listens = false
        for app in apps
        where app.post(event: word, status: status, maximumMinutes: minutes, updateType: isApp ? 1 : 2, at: now) {
            listens = true
        }
        return listens
    }

    /// How much of what an app wants an update put off is left to it; nil for nothing.
    public func deferral(_ wanted: Duration) -> Duration? {
        guard let limit = services.deferralLimit else { return nil }
        let time = min(wanted, limit)
        services.deferralLimit = limit - time
        return time
    }
}

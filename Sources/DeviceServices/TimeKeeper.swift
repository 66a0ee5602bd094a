import Exchange
import SecureChannel
public import Wire

/// Keeps the clock right: asks servers for the time of day each hour, and sets it when an answer may be believed.
public struct TimeKeeper {
    private static let every = Duration.hours(1)
    /// No number of an app's, nor of a stream that the network has numbered.
    static let query: UInt32 = 0x3FFF_FFFF
    /// Half a second is the network's, not the clock's.
    private static let tolerance: Int64 = 500_000_000

    /// Whom to ask, in this order; nobody if the time is not to be set.
    public var servers: [String] = []
    private(set) var askAt = Instant.never
    /// Who was asked last, and how many have been in vain since there was an answer.
    private var server = ""
    private var attempt = 0
    private var sync: TimeSync

    init(isStrict: Bool) { sync = TimeSync(isStrict: isStrict) }

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        askAt = now + .seconds(5) + context.draws.duration(upTo: .seconds(5))
    }

    mutating func stop() { askAt = .never }

    /// Others are to be asked.
    public mutating func serversChanged(_ now: Instant) { (askAt, attempt) = (now + .seconds(1), 0) }

    /// Asks the next of the servers that are set. Where there are more, the next has its turn after ten seconds without an answer.
    mutating func ask(_ context: inout ServiceContext, _ out: inout Outbox) {
        askAt = out.now + TimeKeeper.every + context.draws.duration(upTo: .minutes(1))
        guard !servers.isEmpty else { return }
        let name = servers[attempt % servers.count]
        server = name
        attempt += 1
        if attempt < servers.count { askAt = out.now + .seconds(10) } else { attempt = 0 }
        out.act(.resolve(query: TimeKeeper.query, name: name))
    }

    mutating func ask(_ address: Address, _ context: ServiceContext, _ out: inout Outbox) {
        let request = sync.request(unixNanoseconds: context.clock.unixNanoseconds(at: out.now))
        out.act(.datagram(fromPort: ServicePort.time, to: Endpoint(address, ServicePort.time), request))
    }

    /// Says what apps are to hear of it, and whether the clock shows something else now.
    mutating func answered(
        _ bytes: [UInt8], _ context: inout ServiceContext, _ out: inout Outbox
    ) -> (told: ServiceOutcome?, isClockSet: Bool) {
        let nonce = NetworkTime.origin(of: bytes)?.hex ?? ""
        switch sync.answered(bytes, unixNanoseconds: context.clock.unixNanoseconds(at: out.now)) {
        case .ignored: return (nil, false)
        case .refused(let reason):
            out.observe(
                .refusal,
                [
                    .operation: "set clock", .code: .text(Code.clockTooFarOff.rawValue), .nonce: .text(nonce), .reason: .text(reason),
                ])
            context.noteSecurity(.timeRefused, "the clock is said to be far off", seen: .init(nonces: [nonce]), at: out.now)
            return (nil, false)
        case .correct(let nanoseconds):
            let isOff = abs(nanoseconds) > TimeKeeper.tolerance
            if isOff { out.observe(.clockSet, [.durationNanoseconds: .number(nanoseconds), .nonce: .text(nonce)]) }
            let told = ServiceOutcome.timeTold(
                server: server, before: context.clock.unixSeconds(at: out.now),
                after: (context.clock.unixNanoseconds(at: out.now) &+ nanoseconds) / 1_000_000_000)
            if attempt > 0 { (attempt, askAt) = (0, out.now + TimeKeeper.every + context.draws.duration(upTo: .minutes(1))) }
            if isOff {
                context.clock.keep(out.now)
                context.clock.change(ClockChange(jumpNanoseconds: nanoseconds), out.now)
            }
            return (told, isOff)
        }
    }

    /// Somebody on the network asks this device, as an app has started it (NET-7).
    func tell(_ request: [UInt8], _ from: Endpoint, _ context: ServiceContext, _ out: inout Outbox) {
        guard let answer = NetworkTime.answer(to: request, unixNanoseconds: context.clock.unixNanoseconds(at: out.now)) else { return }
        out.act(.datagram(fromPort: ServicePort.time, to: from, answer))
    }
}

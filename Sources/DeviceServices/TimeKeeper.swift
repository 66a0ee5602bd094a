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
    /// Of time that somebody vouches for: a request takes so long at the most.
    private static let provenTolerance: Int64 = 30_000_000_000
    /// The service is not asked more often than that.
    private static let pause = Duration.minutes(1)

    /// Whom to ask, in this order; nobody if the time is not to be set.
    public var servers: [String] = []
    private(set) var askAt = Instant.never
    /// Who was asked last, and how many have been in vain since there was an answer.
    private var server = ""
    private var attempt = 0
    private var sync: TimeSync
    private let isStrict: Bool
    /// When the service may be asked again to vouch for the time.
    private var provesFrom = Instant.start

    /// - Parameter isStrict: Time that nobody vouches for corrects little (`authenticated-time`).
    init(isStrict: Bool) { (self.isStrict, sync) = (isStrict, TimeSync(isStrict: isStrict)) }

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        askAt = now + .seconds(5) + context.draws.duration(upTo: .seconds(5))
    }

    mutating func stop() { (askAt, provesFrom) = (.never, .start) }

    // MARK: Proven time

    /// Nothing that is known here can be older than the OS, or than what the service has certified last.
    func raiseClock(_ context: ServiceContext, _ out: inout Outbox) {
        // Without power nobody looks at it.
        guard isStrict, context.settings != nil else { return }
        let certified = context.settings?[.customerChain].flatMap { try? Certificate.list(joinedDER: $0).first?.notBefore } ?? 0
        guard let by = context.clock.raise(to: max(context.software.osBuiltAt, certified), out.now) else { return }
        out.observe(.clockSet, [.durationNanoseconds: .number(by), .reason: "floor"])
    }

    /// Asks the service for time that it vouches for.
    mutating func prove(_ context: inout ServiceContext, _ out: inout Outbox) {
        context.doubtsClock = false
        guard isStrict, context.verifier != nil, provesFrom <= out.now else { return }
        provesFrom = out.now + TimeKeeper.pause
        let nonce = Randomness.bytes(16).hex
        let target = ClientPool<Purpose>.Target(
            host: context.serviceHost, port: ServicePort.updates, security: .plain, pair: .deviceService)
        context.exchanges.start(
            .time(nonce: nonce), Request("GET", ServiceAPI.timePath + nonce), to: target, within: ServiceContext.requestLimit, &out)
    }

    /// Time that the service vouches for corrects any error, as far as the OS and what was certified before allow it.
    /// - Returns: Whether the clock shows something else now.
    mutating func proven(
        _ outcome: ClientPool<Purpose>.Outcome, _ nonce: String, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> Bool {
        if case .failed(let failure) = outcome.result {
            out.observe(.refusal, failure.details.merging([.operation: "prove time"]) { $1 })
            return false
        }
        guard case .response(let response) = outcome.result, response.isSuccess,
            let time = JSON.decode(ServiceAPI.Time.self, response.body), let verifier = context.verifier,
            let signature = Base64.decode(Array(time.signature.utf8)), time.unixNanoseconds >= 0,
            verifier.isValid(
                signature: signature, digest: ServiceAPI.Time.digest(nonce: nonce, unixNanoseconds: time.unixNanoseconds))
        else {
            out.observe(
                .refusal,
                [.operation: "prove time", .code: .text(Code.timeUnproven.rawValue), .nonce: .text(String(nonce.prefix(16)))]
                    .merging(outcome.connection.map { [.connection: .text("\($0)")] } ?? [:]) { $1 })
            return false
        }
        let (offset, overflow) = time.unixNanoseconds.subtractingReportingOverflow(context.clock.unixNanoseconds(at: out.now))
        // The service's answer is on whole seconds, and took a while.
        guard !overflow, abs(offset) > TimeKeeper.provenTolerance, time.unixNanoseconds / 1_000_000_000 >= context.software.osBuiltAt else {
            return false
        }
        out.observe(.clockSet, [.durationNanoseconds: .number(offset), .nonce: .text(String(nonce.prefix(16))), .reason: "proven"])
        context.clock.keep(out.now)
        context.clock.change(ClockChange(jumpNanoseconds: offset), out.now)
        return true
    }

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
            // It may be.
            context.doubtsClock = true
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

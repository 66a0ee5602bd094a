import Configuration
import Exchange
import SecureChannel
import Wire

/// Has the device's certificates: asks for them, renews them, keeps them over a restart, and gives them up when they end.
struct Enroller {
    enum End {
        case certified
        /// The verifier does not want what runs here.
        case rejected(String)
    }

    /// Certificates of 24 hours are renewed when they are this old, spread over the hour that follows.
    private static let renewAfter = Duration.hours(20)

    private(set) var attester: Attester
    private(set) var authenticateAt = Instant.never
    private(set) var expiresAt = Instant.never

    init(_ attester: Attester) { self.attester = attester }

    mutating func stop() { (authenticateAt, expiresAt) = (.never, .never) }

    /// - Parameter isOnTrial: New software is on trial until the verifier has accepted what it measures.
    mutating func begin(isOnTrial: Bool, _ context: inout ServiceContext, _ now: Instant) {
        guard !context.identity.isReady || isOnTrial else { return }
        authenticateAt = now + context.draws.duration(upTo: .seconds(2))
    }

    mutating func authenticate(_ context: inout ServiceContext, _ out: inout Outbox) {
        authenticateAt = .never
        guard context.identity.usesCertificates, context.software.canAttest else { return }
        let target = ClientPool<Purpose>.Target(
            host: context.serviceHost, port: ServicePort.enrolment, security: context.identity.towardsService(nil, "enrolment"),
            pair: .deviceService)
        context.exchanges.start(
            .authentication(.challenge), attester.begin(), to: target, within: ServiceContext.requestLimit, &out)
    }

    mutating func answered(
        _ stage: Attester.Stage, _ outcome: ClientPool<Purpose>.Outcome, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> End? {
        guard case .response(let response) = outcome.result else {
            if case .failed(let failure) = outcome.result { failed(stage, failure, nil, outcome.connection, &context, &out) }
            return nil
        }
        switch attester.answered(stage, response) {
        case .ask(let next, let request):
            // Evidence and requests are signed where the keys are.
            out.spend(.nanoseconds(context.configuration.cryptoCost.signNanoseconds))
            context.exchanges.ask(outcome.exchange, .authentication(next), request, within: ServiceContext.requestLimit, &out)
            return nil
        case .refused(let stage, let refusal, let retryAfter):
            failed(stage, refusal, retryAfter, outcome.connection, &context, &out)
            return stage == .evidence && refusal.code == .evidenceRejected ? .rejected(refusal.words) : nil
        case .done(let update, let customer): return certified(update: update, customer: customer, &context, &out)
        }
    }

    private mutating func failed(
        _ stage: Attester.Stage, _ failure: Failure, _ retryAfter: Duration?, _ connection: Connection?, _ context: inout ServiceContext,
        _ out: inout Outbox
    ) {
        if failure.code.isByClock { context.doubtsClock = true }
        let wait = retryAfter ?? context.backoff.next()
        authenticateAt = out.now + wait
        var details = failure.details
        details[.result] = "failed"
        details[.stage] = .text(stage.rawValue)
        details[.delayNanoseconds] = .number(wait.nanoseconds)
        if let connection { details[.connection] = .text("\(connection)") }
        out.observe(.attestation, details)
    }

    private mutating func certified(
        update: TLSConfiguration.Identity, customer: TLSConfiguration.Identity, _ context: inout ServiceContext, _ out: inout Outbox
    ) -> End? {
        let end = min(update.chain[0].notAfter, customer.chain[0].notAfter)
        guard end > context.clock.unixSeconds(at: out.now) else {
            let late = Failure(.certificateNotCurrent, "certificate is over by this device's clock", bound: .notAfter(end))
            failed(.customerCertificate, late, nil, nil, &context, &out)
            return nil
        }
        context.backoff.reset()
        context.identity.set(update: update, customer: customer)
        do {
            // The key is new each time: the certificates of before are worth nothing with it, nor these without.
            try context.settings?.set([
                (.clientKey, attester.key), (.customerChain, customer.chain.joinedDER), (.updateChain, update.chain.joinedDER),
            ])
        } catch {
            out.observe(.refusal, [.operation: "store certificate", .reason: .text("\(error)")])
        }
        out.observe(.attestation, [.result: "accepted"])
        out.observe(.certificateIssued, [.notAfterSeconds: .number(context.identity.notAfter ?? 0)])
        planRenewal(&context, out.now)
        return .certified
    }

    /// AS-5: certificates that were kept are good if they are valid and the key store still has their key.
    mutating func restore(_ context: inout ServiceContext, _ out: inout Outbox) {
        guard context.identity.usesCertificates, let settings = context.settings, let key = settings[.clientKey],
            let customer = settings[.customerChain].flatMap({ try? Certificate.list(joinedDER: $0) }),
            let update = settings[.updateChain].flatMap({ try? Certificate.list(joinedDER: $0) })
        else { return }
        // Another owner's are worth nothing to this one.
        guard customer.first?.organization == context.configuration.names.catalog else { return }
        guard let customer = attester.identity(chain: customer, key: key), let update = attester.identity(chain: update, key: key)
        else {
            out.observe(
                .refusal,
                [
                    .operation: "restore certificate", .code: .text(Code.keyLost.rawValue),
                    .reason: "their key is not that of this silicon and these images",
                ])
            return
        }
        context.identity.set(update: update, customer: customer)
        guard let notAfter = context.identity.notAfter, notAfter > context.clock.unixSeconds(at: out.now) else {
            context.identity.clear()
            out.observe(.certificateExpired)
            return
        }
        out.observe(.certificateRestored, [.notAfterSeconds: .number(notAfter)])
        planRenewal(&context, out.now)
    }

    /// Renewal well before the end, and the end itself.
    private mutating func planRenewal(_ context: inout ServiceContext, _ now: Instant) {
        guard let notAfter = context.identity.notAfter else { return }
        let left = Duration.seconds(notAfter - context.clock.unixSeconds(at: now))
        expiresAt = now + left
        let reserve = Duration.seconds(Lifetimes.device) - Enroller.renewAfter
        authenticateAt = now + max(.zero, left - reserve) + context.draws.duration(upTo: .hours(1))
    }

    mutating func expire(_ context: inout ServiceContext, _ out: inout Outbox) {
        expiresAt = .never
        guard let notAfter = context.identity.notAfter else { return }
        let left = notAfter - context.clock.unixSeconds(at: out.now)
        guard left <= 0 else {
            // The clock runs slower than the true time that wakes are in.
            expiresAt = out.now + .seconds(left)
            return
        }
        context.identity.clear()
        out.observe(.certificateExpired)
        authenticateAt = min(authenticateAt, out.now + context.backoff.next())
    }

    /// Certificates are judged by the clock, which shows something else now. What was refused by the old time is tried again.
    mutating func clockChanged(_ context: ServiceContext, _ now: Instant, isProven: Bool = false) {
        if isProven, !context.identity.isReady, authenticateAt != .never { authenticateAt = now }
        guard let notAfter = context.identity.notAfter else { return }
        expiresAt = now + .seconds(max(0, notAfter - context.clock.unixSeconds(at: now)))
    }
}

import Configuration
import Exchange
import Wire

/// Tells the service, each hour or as its owner has set it, that the device is there, under its customer certificate.
struct Telemetry {
    private(set) var sendAt = Instant.never
    /// For a certificate.
    private var isWaiting = false

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        sendAt = now + .seconds(30) + context.draws.duration(upTo: .seconds(30))
    }

    mutating func stop() { (sendAt, isWaiting) = (.never, false) }

    /// There is a certificate: a fleet that has waited for it does not speak all at once.
    mutating func certified(_ context: inout ServiceContext, _ now: Instant) {
        guard isWaiting else { return }
        (sendAt, isWaiting) = (now + context.draws.duration(upTo: .minutes(1)), false)
    }

    mutating func send(_ context: inout ServiceContext, _ out: inout Outbox) {
        guard context.identity.isReady else {
            (sendAt, isWaiting) = (.never, true)
            return
        }
        sendAt = out.now + .nanoseconds(context.configuration.telemetryEveryNanoseconds) + context.draws.duration(upTo: .minutes(1))
        let body = ServiceAPI.Telemetry(
            device: context.configuration.setting.name, unixSeconds: context.clock.unixSeconds(at: out.now))
        context.ask(
            .telemetry,
            Request("POST", ServiceAPI.telemetryPath, headers: context.sharedSecretHeader, body: JSON.encode(body)),
            context.identity.towardsService(context.identity.customer, "customer"), &out)
    }
}

import Configuration
import Exchange
import Wire

/// Tells the service, each hour or as its owner has set it, that the device is there, under its customer certificate.
struct Telemetry {
    private(set) var sendAt = Instant.never

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        sendAt = now + .seconds(30) + context.draws.duration(upTo: .seconds(30))
    }

    mutating func stop() { sendAt = .never }

    mutating func send(_ context: inout ServiceContext, _ out: inout Outbox) {
        sendAt = out.now + .nanoseconds(context.configuration.telemetryEveryNanoseconds) + context.draws.duration(upTo: .minutes(1))
        guard context.identity.isReady else {
            sendAt = out.now + .minutes(1)
            return
        }
        let body = ServiceAPI.Telemetry(
            device: context.configuration.setting.name, unixSeconds: context.clock.unixSeconds(at: out.now))
        context.ask(
            .telemetry,
            Request("POST", ServiceAPI.telemetryPath, headers: context.sharedSecretHeader, body: JSON.encode(body)),
            context.identity.towardsService(context.identity.customer, "customer"), &out)
    }
}

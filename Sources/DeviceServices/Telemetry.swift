import Configuration
import Exchange
import Wire

/// Tells the service, each hour or as its owner has set it, that the device is there, under its customer certificate.
struct Telemetry {
    var due = CertifiedDuty()

    mutating func begin(_ context: inout ServiceContext, _ now: Instant) {
        due.at = now + .seconds(30) + context.draws.duration(upTo: .seconds(30))
    }

    mutating func stop() { due.stop() }

    mutating func send(_ context: inout ServiceContext, _ out: inout Outbox) {
        guard context.identity.isReady else { return due.wait() }
        due.at = out.now + .nanoseconds(context.configuration.telemetryEveryNanoseconds) + context.draws.duration(upTo: .minutes(1))
        let body = ServiceAPI.Telemetry(
            device: context.configuration.setting.name, unixSeconds: context.clock.unixSeconds(at: out.now))
        context.ask(
            .telemetry,
            Request("POST", ServiceAPI.telemetryPath, headers: context.sharedSecretHeader, body: JSON.encode(body)),
            context.identity.towardsService(context.identity.customer, "customer"), &out)
    }
}

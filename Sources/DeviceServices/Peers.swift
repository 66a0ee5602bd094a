import Configuration
import Exchange
import SecureChannel
import Wire

/// Calls the device's peers, one after the other.
struct PeerCaller {
    var due = CertifiedDuty()
    private var next = 0

    /// - Parameter spread: What has been drawn for it.
    mutating func begin(_ context: ServiceContext, _ spread: Duration, _ now: Instant) {
        due.at = context.configuration.peersToCall.isEmpty ? .never : now + .seconds(60) + spread
    }

    mutating func stop() { due.stop() }

    mutating func call(_ context: inout ServiceContext, _ out: inout Outbox) {
        let configuration = context.configuration
        guard context.identity.isReady else { return due.wait() }
        let pause = Duration.nanoseconds(configuration.callEveryNanoseconds)
        due.at = out.now + pause + context.draws.duration(upTo: min(pause / 10, .seconds(30)))
        let peer = configuration.peersToCall[next % configuration.peersToCall.count]
        next += 1
        let target = ClientPool<Purpose>.Target(
            host: configuration.names.host(peer), port: ServicePort.peer, security: context.identity.towardsPeer(),
            pair: .deviceDevice)
        context.exchanges.start(
            .peer(peer), Request("GET", ServiceAPI.peerPath, headers: context.sharedSecretHeader), to: target,
            within: ServiceContext.requestLimit, &out)
    }
}

/// Serves the device's peers, and tells of those that were refused.
struct PeerServer {
    private var connections = ServerPool(pair: .deviceDevice)
    var keyLog: ((String) -> Void)? {
        get { connections.keyLog }
        set { connections.keyLog = newValue }
    }
    var nextDeadline: Instant? { connections.nextDeadline }

    mutating func abandon(_ out: inout Outbox) { connections.abandon(&out) }

    /// - Parameter locale: As the event has found it.
    mutating func handle(_ event: Event, _ locale: Locale, _ context: inout ServiceContext, _ out: inout Outbox) {
        let answer = PeerAnswer(configuration: context.configuration, unixSeconds: locale.unixSeconds)
        var identity = context.identity
        var strangers: [Connection] = []
        connections.handle(
            event, locale: locale, &out, security: { _ in identity.asServer() },
            answer: { request, caller, _ in
                let response = answer.respond(request)
                if response.status == 401 { strangers.append(caller.connection) }
                return response
            })
        for stranger in strangers { connections.refused("answer a peer", stranger, Failure(.notAuthenticated), &out) }
        context.identity = identity
        // Ends that honest networks produce are no news; everything else may have somebody behind it.
        for incident in connections.takeIncidents() where !incident.failure.code.isOfNetworks {
            context.noteSecurity(
                .peerRefused, "from \(incident.connection.client.address): \(incident.failure.words)",
                seen: .init(connections: [incident.connection]), at: out.now)
        }
    }
}

/// How a device answers another.
private struct PeerAnswer {
    let configuration: DeviceConfiguration
    let unixSeconds: Int64

    func respond(_ request: Request) -> Response {
        if !configuration.protections.usesCertificates {
            let expected = Array("Bearer \(configuration.sharedSecret)".utf8)
            guard constantTimeEqual(Array((request[header: "authorization"] ?? "").utf8), expected) else {
                return Response(401)
            }
        }
        guard request.method == "GET", request.path == ServiceAPI.peerPath else { return Response(404) }
        return Response(
            200,
            body: JSON.encode(
                ServiceAPI.PeerStatus(
                    device: configuration.setting.name, product: configuration.product, unixSeconds: unixSeconds)))
    }
}

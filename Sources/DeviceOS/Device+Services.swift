import Catalogue
import Configuration
import Exchange
import SecureChannel
import Wire

extension Device {
    private var serviceHost: String { configuration.names.service }

    var sharedSecretHeader: [(name: String, value: String)] {
        identity.usesCertificates ? [] : [("authorization", "Bearer \(configuration.sharedSecret)")]
    }

    // MARK: Attestation

    mutating func authenticate(_ out: inout Outbox) {
        authenticateAt = .never
        guard identity.usesCertificates else { return }
        let target = ClientPool<Purpose>.Target(
            host: serviceHost, port: ServicePort.enrolment, security: identity.towardsService(nil, "enrolment"),
            pair: .deviceService)
        clients.start(
            .authentication(.challenge), authentication.begin(), to: target, within: Device.requestLimit, &out)
    }

    mutating func authenticationAnswered(
        _ stage: DeviceAuthentication.Stage, _ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox
    ) {
        guard case .response(let response) = outcome.result else {
            if case .failed(let failure) = outcome.result { attestationFailed(stage, failure, nil, outcome.connection, &out) }
            return
        }
        switch authentication.answered(stage, response) {
        case .ask(let next, let request):
            // Evidence and requests are signed in Pluton.
            out.spend(.nanoseconds(configuration.cryptoCost.signNanoseconds))
            clients.ask(outcome.exchange, .authentication(next), request, within: Device.requestLimit, &out)
        case .refused(let stage, let refusal, let retryAfter):
            attestationFailed(stage, refusal, retryAfter, outcome.connection, &out)
            // The verifier does not want what was installed: that is no proof.
            if stage == .evidence, response.status == 403 { goBack("attestation refused: \(refusal.words)", &out) }
        case .done(let update, let customer): certified(update: update, customer: customer, &out)
        }
    }

    private mutating func attestationFailed(
        _ stage: DeviceAuthentication.Stage, _ failure: Failure, _ retryAfter: Duration?, _ connection: Connection?,
        _ out: inout Outbox
    ) {
        let wait = retryAfter ?? backoff.next()
        authenticateAt = out.now + wait
        var details = failure.details
        details[.result] = "failed"
        details[.stage] = .text(stage.rawValue)
        details[.delayNanoseconds] = .number(wait.nanoseconds)
        if let connection { details[.connection] = .text("\(connection)") }
        out.observe(.attestation, details)
    }

    private mutating func certified(
        update: TLSConfiguration.Identity, customer: TLSConfiguration.Identity, _ out: inout Outbox
    ) {
        let end = min(update.chain[0].notAfter, customer.chain[0].notAfter)
        guard end > unixSeconds(at: out.now) else {
            let late = Failure(.certificateNotCurrent, "certificate is over by this device's clock", bound: .notAfter(end))
            attestationFailed(.customerCertificate, late, nil, nil, &out)
            return
        }
        backoff.reset()
        identity.set(update: update, customer: customer)
        do {
            try settings?.set(.clientKeySeed, authentication.keySeed)
            try settings?.set(.customerChain, customer.chain.joinedDER)
            try settings?.set(.updateChain, update.chain.joinedDER)
        } catch {
            out.observe(.refusal, [.operation: "store certificate", .reason: .text("\(error)")])
        }
        out.observe(.attestation, [.result: "accepted"])
        out.observe(.certificateIssued, [.notAfterSeconds: .number(identity.notAfter ?? 0)])
        planRenewal(&out)
        if updates.trial?.phase == .running, updates.trial?.isOfApps == false { prove(&out) }
    }

    mutating func expire(_ out: inout Outbox) {
        expiresAt = .never
        guard let notAfter = identity.notAfter else { return }
        let left = notAfter - unixSeconds(at: out.now)
        guard left <= 0 else {
            // The clock runs slower than the true time that wakes are in.
            expiresAt = out.now + .seconds(left)
            return
        }
        identity.clear()
        out.observe(.certificateExpired)
        authenticateAt = min(authenticateAt, out.now + backoff.next())
    }

    // MARK: Device to service

    mutating func sendTelemetry(_ out: inout Outbox) {
        telemetryAt = out.now + Device.telemetryEvery + draws.duration(upTo: .minutes(1))
        guard identity.isReady else {
            telemetryAt = out.now + .minutes(1)
            return
        }
        let body = ServiceAPI.Telemetry(
            device: configuration.setting.name, unixSeconds: unixSeconds(at: out.now))
        ask(
            .telemetry,
            Request("POST", ServiceAPI.telemetryPath, headers: sharedSecretHeader, body: JSON.encode(body)),
            identity.towardsService(identity.customer, "customer"), &out)
    }

    mutating func sendReports(_ out: inout Outbox) {
        reportAt = out.now + Device.reportEvery
        guard !pendingReports.isEmpty else { return }
        guard identity.isReady else {
            reportAt = out.now + .minutes(1)
            return
        }
        reportsInFlight = pendingReports.count
        ask(
            .errorReport,
            Request(
                "POST", ServiceAPI.reportPath, headers: sharedSecretHeader,
                body: JSON.encode(ServiceAPI.ErrorReport(events: pendingReports))),
            identity.towardsService(identity.update, "update"), &out)
    }

    mutating func reportsAnswered(_ outcome: ClientPool<Purpose>.Outcome, _ out: inout Outbox) {
        report("error-report", serviceHost, outcome, &out)
        if case .response(let response) = outcome.result, response.isSuccess {
            pendingReports.removeFirst(min(reportsInFlight, pendingReports.count))
        } else {
            reportAt = out.now + backoff.next() + .minutes(1)
        }
        reportsInFlight = 0
    }

    mutating func ask(_ purpose: Purpose, _ request: Request, _ security: Security, _ out: inout Outbox) {
        let target = ClientPool<Purpose>.Target(
            host: serviceHost, port: ServicePort.mutual, security: security, pair: .deviceService)
        clients.start(purpose, request, to: target, within: Device.requestLimit, &out)
    }

    // MARK: Device to device

    mutating func callPeer(_ out: inout Outbox) {
        let pause = Duration.nanoseconds(configuration.callEveryNanoseconds)
        callPeersAt = out.now + pause + draws.duration(upTo: min(pause / 10, .seconds(30)))
        guard identity.isReady, !configuration.peersToCall.isEmpty else {
            callPeersAt = out.now + .minutes(1)
            return
        }
        let peer = configuration.peersToCall[nextPeer % configuration.peersToCall.count]
        nextPeer += 1
        let target = ClientPool<Purpose>.Target(
            host: configuration.names.host(peer), port: ServicePort.peer, security: identity.towardsPeer(),
            pair: .deviceDevice)
        clients.start(
            .peer(peer), Request("GET", ServiceAPI.peerPath, headers: sharedSecretHeader), to: target,
            within: Device.requestLimit, &out)
    }
}

/// How a device answers another.
struct PeerAnswer {
    let configuration: DeviceConfiguration
    let unixSeconds: Int64

    func respond(_ request: Request) -> Response {
        let off = configuration.controlsOff
        if off.contains(.certificateAuth) || off.contains(.transportEncryption) {
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

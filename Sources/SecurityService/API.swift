import Attestation
import Configuration
import Exchange
import SecureChannel
import UpdateDirector
import Wire

/// What the service does with each request. One transaction for each that it accepts.
struct API {
    /// A challenge or a ticket is good for so long.
    static let patienceSeconds: Int64 = 300

    let configuration: ServiceConfiguration
    let store: Store
    private(set) var authority: Authority
    private let verifier: Verifier
    let catalog: CatalogIdentity
    var updates: UpdateDirector
    var detector: Detector
    private var limiter = RateLimiter()
    private var hasRenewed = false
    /// When the store is to be rid of what is over, in Unix seconds.
    private var forgetAt: Int64 = 0
    /// Reference values that a former owner has given, and the node of his service.
    var inherited: [ReferenceMeasurement]
    var former: String?

    init(_ configuration: ServiceConfiguration, store: Store, authority: Authority) throws {
        self.configuration = configuration
        self.store = store
        self.authority = authority
        verifier = Verifier(
            Dictionary(grouping: configuration.referenceMeasurements, by: \.hardware).mapValues { $0.map { ($0.type, $0.sha256) } })
        catalog = CatalogIdentity(configuration.names)
        (inherited, former) = try store.inherited()
        updates = try UpdateDirector(configuration, inventory: store)
        detector = Detector(
            store: store, isOn: configuration.protections.threatDetection,
            telemetryNanoseconds: configuration.telemetryNanoseconds)
    }

    var protections: Protections { configuration.protections }

    func started(_ out: inout Outbox) {
        let counts = try? store.counts()
        out.observe(
            .serviceStarted,
            [
                .count: .number(Int64(counts?.devices ?? 0)), .certificate: .number(Int64(counts?.certificates ?? 0)),
                .catalog: .text(configuration.names.catalog),
            ])
    }

    /// What an operator says.
    mutating func command(_ name: String, _ body: [UInt8], unixSeconds: Int64, _ out: inout Outbox) {
        do {
            switch name {
            case CommandName.claim:
                for claim in JSON.decode([Claim].self, body) ?? [] { try take(claim, &out) }
            case CommandName.release:
                guard let release = JSON.decode(Release.self, body) else { break }
                try updates.release(release, now: unixSeconds, &out)
            case CommandName.rotateUpdateKeys:
                try updates.rotateKeys(&out)
            case CommandName.rotateServiceCertificate: try renew(.service, overlapSeconds: 0, now: unixSeconds, &out)
            case CommandName.rotateCatalogAuthority: try renew(.catalog, overlapSeconds: overlap(body), now: unixSeconds, &out)
            case CommandName.rotatePolicyAuthority: try succeed(withRoot: false, body, now: unixSeconds, &out)
            case CommandName.rotateRoot:
                // The roots of update metadata change hands with it.
                if try succeed(withRoot: true, body, now: unixSeconds, &out) { try updates.rotateKeys(&out) }
            case CommandName.withdraw:
                guard let withdrawal = JSON.decode(Withdrawal.self, body) else { break }
                try updates.withdraw(withdrawal, now: unixSeconds, &out)
            case CommandName.handOver: if let node = JSON.decode(String.self, body) { try handOver(to: node, &out) }
            case CommandName.takeOver: if let inventory = JSON.decode(Inventory.self, body) { try takeOver(inventory, &out) }
            case CommandName.arrived: if let arrival = JSON.decode(Arrival.self, body) { try arrived(arrival, now: unixSeconds, &out) }
            case CommandName.lockOut, CommandName.readmit, CommandName.move:
                guard let order = JSON.decode(InventoryOrder.self, body) else { break }
                try decide(name, order, now: unixSeconds, &out)
            case CommandName.diskFull: store.fill(JSON.decode(Bool.self, body) ?? true)
            default: out.observe(.refusal, [.operation: .text(name), .reason: "unknown command"])
            }
        } catch {
            var details: [Fact.Detail: Fact.Value] = [
                .operation: .text(name), .code: .text(Code.storage.rawValue), .reason: .text("\(error)"),
            ]
            if let step = JSON.decode(Ordered.self, body)?.step { details[.instance] = .text(step) }
            out.observe(.refusal, details)
        }
    }

    /// Of whatever an operator orders: the step that it comes from.
    private struct Ordered: Codable { var step: String }

    /// What is due of the service's own certificates and authorities.
    mutating func renewAuthorities(unixSeconds: Int64, _ out: inout Outbox) {
        do { try updates.renewRoots(now: unixSeconds, &out) } catch {
            out.observe(.refusal, [.operation: "renew update roots", .reason: .text("\(error)")])
        }
        while let role = authority.due(unixSeconds) {
            do { try renew(role, overlapSeconds: role.overlapSeconds, now: unixSeconds, &out) } catch {
                return out.observe(.refusal, [.operation: "renew", .role: .text(role.rawValue), .reason: .text("\(error)")])
            }
        }
    }

    /// Whether anything has been renewed since this was asked last.
    mutating func takeRenewal() -> Bool {
        defer { hasRenewed = false }
        return hasRenewed
    }

    /// For how long a new authority of the catalog is to be known before it issues: in seconds, of an ``OperatorOrder``.
    private func overlap(_ body: [UInt8]) -> Int64 {
        JSON.decode(OperatorOrder.self, body)?.overlapNanoseconds.map { $0 / 1_000_000_000 } ?? AuthorityRole.catalog.overlapSeconds
    }

    /// False if the keyholders have made nothing for it.
    @discardableResult
    private mutating func succeed(withRoot isRoot: Bool, _ body: [UInt8], now: Int64, _ out: inout Outbox) throws -> Bool {
        var renewed = authority
        let issued = try renewed.succeed(withRoot: isRoot, overlapSeconds: overlap(body), now)
        return try take(issued, .catalog, renewed, &out)
    }

    private mutating func renew(_ role: AuthorityRole, overlapSeconds: Int64, now: Int64, _ out: inout Outbox) throws {
        var renewed = authority
        let issued = try renewed.renew(role, overlapSeconds: overlapSeconds, now)
        _ = try take(issued, role, renewed, &out)
    }

    /// It is kept before it is used.
    private mutating func take(_ issued: Authority.Issued?, _ role: AuthorityRole, _ renewed: Authority, _ out: inout Outbox) throws -> Bool
    {
        guard let issued else {
            out.observe(
                .refusal,
                [.operation: "renew", .role: .text(role.rawValue), .code: .text(Code.keyLost.rawValue), .reason: "no key to sign it"])
            return false
        }
        try store.add(role, issued)
        (authority, hasRenewed) = (renewed, true)
        out.observe(
            .authorityRenewed,
            [
                .role: .text(role.rawValue), .certificate: .text(issued.certificate.serial.hex),
                .sinceSeconds: .number(issued.activeFrom), .notAfterSeconds: .number(issued.certificate.notAfter),
            ])
        return true
    }

    func take(_ claim: Claim, _ out: inout Outbox) throws {
        if let why = try store.claim(claim) {
            out.observe(.refusal, [.operation: "claim", .device: .text(claim.name), .reason: .text(why)])
        } else {
            out.observe(.deviceClaimed, [.device: .text(claim.name), .product: .text(claim.product)])
        }
    }

    /// What is due by itself: rules over what nobody says, and rollouts that nobody asks about.
    mutating func sweep(_ unixSeconds: Int64, _ out: inout Outbox) {
        detector.sweep(unixSeconds, &out)
        do { try updates.settle(now: unixSeconds, &out) } catch {
            out.observe(.refusal, [.operation: "settle rollouts", .reason: .text("\(error)")])
        }
        // A disk that is full for the moment takes that no more than anything else: another time, then.
        if forgetAt <= unixSeconds, (try? store.forget(now: unixSeconds)) != nil { forgetAt = unixSeconds + 86_400 }
    }

    mutating func noticed(_ incidents: [ServerPool.Incident], unixSeconds: Int64, _ out: inout Outbox) {
        detector.noticed(incidents, unixSeconds, &out)
    }

    mutating func answer(_ request: Request, _ caller: ServerPool.Caller, unixSeconds: Int64, _ out: inout Outbox) -> Response {
        if caller.port == ServicePort.enrolment, protections.requestLimits, !limiter.admits(caller.address, now: unixSeconds) {
            let failure = Failure(.tooManyRequests, "more than \(RateLimiter.perMinute) requests a minute")
            observe(failure, request, caller, &out)
            detector.noticed([.init(connection: caller.connection, failure: failure)], unixSeconds, &out)
            return Response(refusing: 429, failure.code, failure.words, retryAfterSeconds: 60)
        }
        do {
            let response = try respond(request, caller, unixSeconds, &out)
            if let failure = refusal(in: response, request, caller) {
                observe(failure, request, caller, &out)
                detector.noticed([.init(connection: caller.connection, failure: failure)], unixSeconds, &out)
            }
            return response
        } catch {
            // The store or the authority failed: say so, keep nothing half done.
            observe(Failure(.storage, "\(error)"), request, caller, &out)
            return Response(refusing: 503, .storage, "nothing can be stored", retryAfterSeconds: 30)
        }
    }

    /// What a response turns away, as far as it tells of whoever asked. Clients look for metadata that is not there yet, and
    /// for nothing else that is not there; what the verifier refuses is told of by itself.
    private func refusal(in response: Response, _ request: Request, _ caller: ServerPool.Caller) -> Failure? {
        guard response.status >= 400 else { return nil }
        if request.path == ServiceAPI.evidencePath {
            let failure = Failure(response)
            return failure.code == .lockedOut ? failure : nil
        }
        let isOfUpdates = request.path.hasPrefix(ServiceAPI.imageRepositoryPath) || request.path.hasPrefix(ServiceAPI.directorPrefix)
        let isOnUpdatePort = caller.port == ServicePort.updates
        if response.status == 404, isOnUpdatePort || isOfUpdates, request.path.hasSuffix(".json") { return nil }
        guard isOnUpdatePort else { return Failure(response) }
        return Failure(
            response.status == 404 ? .notFound : .malformed, "status \(response.status) for \(request.method) on the update port")
    }

    private func observe(_ failure: Failure, _ request: Request, _ caller: ServerPool.Caller, _ out: inout Outbox) {
        out.observe(
            .refusal,
            [
                .operation: .text(String(request.path.prefix(80))), .connection: .text("\(caller.connection)"),
                .address: .text("\(caller.address)"),
            ]
            .merging(failure.details) { $1 })
    }

    private mutating func respond(
        _ request: Request, _ caller: ServerPool.Caller, _ unixSeconds: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard let interface = ServiceInterface.operations(port: caller.port) else { return refuse(404, .notFound, "no such resource") }
        switch interface.match(request, refuse: { status, reason in refuse(status, status == 404 ? .notFound : .malformed, reason) }) {
        case .answered(let response): return response
        case .operation(let operation, let values):
            do { return try perform(operation, values, request, caller, unixSeconds, &out) } catch is LockedOut { return lockedOut() }
        }
    }

    private mutating func perform(
        _ operation: ServiceOperation, _ values: [String], _ request: Request, _ caller: ServerPool.Caller, _ unixSeconds: Int64,
        _ out: inout Outbox
    ) throws -> Response {
        switch operation {
        case .challenge: return try challenge(request, unixSeconds)
        case .evidence: return try evidence(request, caller, unixSeconds, &out)
        case .cacerts, .csrattrs, .simpleenroll, .simplereenroll:
            return try enrolment(operation, label: values.first, request, caller, unixSeconds, &out)
        case .telemetry: return try telemetry(request, caller, unixSeconds, &out)
        case .message: return try message(values[0], request, caller, unixSeconds, &out)
        case .errorReport: return try report(request, caller, unixSeconds, &out)
        case .updateStatus: return try updateStatus(request, caller, unixSeconds, &out)
        case .authorities:
            return Response(200, "application/pem-certificate-chain", body: authority.intermediates(unixSeconds).flatMap(\.pem))
        case .time: return time(values[0], unixSeconds)
        case .imageMetadata, .directorMetadata, .imageTarget:
            // Over TLS the service knows who asks, and whom it keeps out.
            if caller.port == ServicePort.mutual, protections.usesCertificates,
                try device(request, caller, claimedName: nil, needsUpdateCertificate: true, unixSeconds, &out) == nil
            {
                return notAuthenticated()
            }
            return try repository(operation, values, request, unixSeconds, &out)
        }
    }

    private static func isHexadecimal(_ text: String, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private func time(_ nonce: String, _ unixSeconds: Int64) -> Response {
        guard API.isHexadecimal(nonce, digits: 32) else { return refuse(400, .malformed, "the nonce is not 32 hexadecimal digits") }
        return Response(200, body: JSON.encode(authority.time(nonce: nonce, unixNanoseconds: unixSeconds * 1_000_000_000)))
    }

    private func repository(
        _ operation: ServiceOperation, _ values: [String], _ request: Request, _ unixSeconds: Int64, _ out: inout Outbox
    ) throws -> Response {
        switch operation {
        case .imageMetadata: return file(try updates.imageMetadata(values[0], now: unixSeconds))
        case .directorMetadata: return file(try updates.directorMetadata(of: values[0], values[1], now: unixSeconds, &out))
        default: return try updates.imageTarget(values[0], request) ?? file(nil)
        }
    }

    private func file(_ body: [UInt8]?) -> Response {
        body.map { Response(200, body: $0) } ?? refuse(404, .notFound, "no such file")
    }

    func refuse(_ status: Int, _ code: Code, _ reason: String) -> Response { Response(refusing: status, code, reason) }

    /// Nobody who is known; and how to say who one is (RFC 9110 section 11.6.1).
    func unauthenticated(_ code: Code, _ reason: String, scheme: String) -> Response {
        Response(
            refusing: 401, code, reason, headers: [.init("www-authenticate", "\(scheme) realm=\"\(configuration.names.catalog)\"")])
    }

    /// Not known by certificate (or, without certificates, by the shared secret).
    func notAuthenticated() -> Response { unauthenticated(.notAuthenticated, "not authenticated", scheme: "Bearer") }

    // MARK: Attestation

    private func challenge(_ request: Request, _ now: Int64) throws -> Response {
        guard let asked = JSON.decode(ServiceAPI.ChallengeRequest.self, request.body), API.isHexadecimal(asked.deviceId, digits: 128)
        else { return refuse(400, .malformed, "request does not parse") }
        if let device = try store.device(asked.deviceId) { try admit(device) }
        let nonce = Randomness.bytes(32).hex
        var challenge = ServiceAPI.Challenge(nonce: nonce)
        var secret: [UInt8] = []
        if let endorsement = asked.endorsement {
            guard let certificate = Base64.decode(Array(endorsement.certificate.utf8)),
                let key = Base64.decode(Array(endorsement.attestationKey.utf8))
            else { return refuse(400, .malformed, "request does not parse") }
            guard let endorsements = authority.endorsements else {
                return refuse(403, .evidenceRejected, "no manufacturer of TPMs is known")
            }
            secret = Randomness.bytes(32)
            do throws(EndorsementVerifier.Refusal) {
                let made = try endorsements.credential(
                    for: certificate, attestationKey: key, deviceID: asked.deviceId, secret: secret, unixSeconds: now)
                challenge.credential = .init(blob: made.blob, secret: made.secret)
            } catch {
                return refuse(403, .evidenceRejected, error.description)
            }
        }
        try store.addChallenge(nonce, deviceID: asked.deviceId, secret: secret, expires: now + API.patienceSeconds, now: now)
        return Response(200, body: JSON.encode(challenge))
    }

    private mutating func evidence(
        _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        let deviceID = request[header: "x-device-id"] ?? ""
        let device = try store.device(deviceID)
        if let device { try admit(device) }
        var verdict = AppraisalPolicy.Verdict.rejected(.init("device is not claimed"))
        if let device { verdict = protections.attestationGate ? try appraise(request.body, device, now) : .accepted }
        // A device may have moved: who attests elsewhere is noticed here, and kept out where certificates are used.
        if let device, verdict == .accepted { _ = detector.admits(device, caller, now, &out) }
        // Evidence is signed, not secret: logs have it, and so may others.
        var details: [Fact.Detail: Fact.Value] = [
            .device: .text(device?.name ?? String(deviceID.prefix(16))), .address: .text("\(caller.address)"),
            .connection: .text("\(caller.connection)"), .evidence: .text(Base64.encode(request.body)),
        ]
        if let type = request[header: "content-type"], type != PSAAppraiser.mediaType { details[.mediaType] = .text(type) }
        switch verdict {
        case .accepted:
            let ticket = Randomness.bytes(32).hex
            try store.appraised(
                deviceID: deviceID, result: "accepted", ticket: ticket, kinds: Authority.Kind.allCases.map(\.rawValue),
                expires: now + API.patienceSeconds, now: now)
            details[.result] = "accepted"
            out.observe(.evidenceAppraised, details)
            return Response(200, body: JSON.encode(ServiceAPI.AttestationResult(ticket: ticket, authorities: authority.intermediates(now))))
        case .rejected(let finding):
            let reason = finding.reason
            try store.appraised(
                deviceID: deviceID, result: reason, ticket: nil, kinds: [], expires: 0, now: now)
            details[.result] = "rejected"
            details[.code] = .text(Code.evidenceRejected.rawValue)
            details[.reason] = .text(reason)
            let seen = ServiceAPI.Sighting(
                connections: [caller.connection], digests: finding.digest.map { [$0] } ?? [],
                nonces: finding.nonce.map { [String($0.prefix(16))] } ?? [])
            details.merge(seen.details) { $1 }
            out.observe(.evidenceAppraised, details)
            detector.evidenceRejected(reason, from: caller.address, seen, now, &out)
            return refuse(403, .evidenceRejected, reason)
        }
    }

    private func appraise(_ evidence: [UInt8], _ device: Store.Device, _ now: Int64) throws -> AppraisalPolicy.Verdict {
        let hardware = configuration.hardware[device.kind] ?? ""
        return try verifier.appraise(
            evidence, of: device.kind, hardware: hardware, hasHardwareRoot: protections.hardwareRootOfTrust, deviceID: device.deviceID,
            released: (updates.referenceMeasurements() + inherited).filter { $0.hardware == hardware }.map { ($0.type, $0.sha256) }
        ) { nonce in
            if !protections.nonces { return IssuedChallenge(secret: nil) }
            return (try? store.takeChallenge(nonce, deviceID: device.deviceID, now: now)).flatMap { IssuedChallenge(secret: $0) }
        }
    }

    // MARK: Operation

    /// The device behind a connection: by its certificate, or (without certificates) by the shared secret and
    /// whatever name it gives itself.
    private mutating func device(
        _ request: Request, _ caller: ServerPool.Caller, claimedName: String?, needsUpdateCertificate: Bool, _ now: Int64,
        _ out: inout Outbox
    ) throws -> Store.Device? {
        if !protections.usesCertificates {
            let expected = Array("Bearer \(configuration.sharedSecret)".utf8)
            guard constantTimeEqual(Array((request[header: "authorization"] ?? "").utf8), expected) else { return nil }
            return Store.Device(deviceID: claimedName ?? "unknown", name: claimedName ?? "unknown", product: "", deviceGroup: "")
        }
        guard let certificate = caller.certificate, let deviceID = catalog.deviceID(of: certificate),
            certificate.uris.contains(catalog.updateURI) == needsUpdateCertificate
        else { return nil }
        guard let device = try store.device(deviceID) else { return nil }
        try admit(device)
        return detector.admits(device, caller, now, &out) ? device : nil
    }

    private mutating func telemetry(
        _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard let telemetry = JSON.decode(ServiceAPI.Telemetry.self, request.body) else {
            return refuse(400, .malformed, "request does not parse")
        }
        guard let device = try device(request, caller, claimedName: telemetry.device, needsUpdateCertificate: false, now, &out)
        else { return notAuthenticated() }
        try store.heartbeat(deviceID: device.deviceID, unixSeconds: now)
        return Response(200)
    }

    /// What an app of a device has to say. The service hands it on to its owner: here, into the journal.
    private mutating func message(
        _ topic: String, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard (1...64).contains(topic.utf8.count), request.body.count <= 1024 else {
            return refuse(400, .malformed, "request does not parse")
        }
        guard let device = try device(request, caller, claimedName: nil, needsUpdateCertificate: false, now, &out) else {
            return notAuthenticated()
        }
        out.observe(
            .messageReceived,
            [.device: .text(device.name), .subject: .text(topic), .text: .text(String(decoding: request.body, as: UTF8.self))])
        return Response(200)
    }

    private mutating func report(
        _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard let report = JSON.decode(ServiceAPI.ErrorReport.self, request.body), report.events.count <= 1000,
            report.events.allSatisfy({ $0.seen.isWithinLimits && $0.description.utf8.count <= 1000 })
        else {
            return refuse(400, .malformed, "request does not parse")
        }
        guard let device = try device(request, caller, claimedName: nil, needsUpdateCertificate: true, now, &out) else {
            return notAuthenticated()
        }
        try store.add(report, deviceID: device.deviceID)
        detector.reported(report, by: device, now, &out)
        out.observe(.errorReported, [.device: .text(device.name), .count: .number(Int64(report.events.count))])
        return Response(200)
    }

    private mutating func updateStatus(
        _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard let status = JSON.decode(ServiceAPI.UpdateStatus.self, request.body), status.images.count <= 64, status.failures.count <= 64
        else { return refuse(400, .malformed, "request does not parse") }
        guard let device = try device(request, caller, claimedName: nil, needsUpdateCertificate: true, now, &out) else {
            return notAuthenticated()
        }
        if try updates.report(status, of: device.inventoried, now: now, &out) { tellFormerOwner(status, of: device.deviceID, &out) }
        return Response(200)
    }
}

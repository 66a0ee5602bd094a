import Configuration
import Exchange
import SecureChannel
import Wire

/// Enrolment over Secure Transport (RFC 7030): with a ticket that evidence was good for, a client's secret, or a certificate.
extension API {
    /// Whom a certificate is for, and what it is had for.
    private struct Holder {
        var device: Store.Device
        /// Nil where none is needed.
        var ticket: String?
        var isAttested: Bool
    }

    /// - Parameter label: Nil is the customer certificate.
    mutating func enrolment(
        _ operation: ServiceOperation, label: String?, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        guard let kind = label.map({ Authority.Kind(rawValue: $0) }) ?? .customer else { return refuse(404, .notFound, "no such label") }
        switch operation {
        // Section 4.1.3: the root alone. Readers of base64 that take no folded text and those that take no long line both take
        // one certificate; the authorities below it come with each handshake, and from `ServiceAPI.authoritiesPath`.
        case .cacerts: return certificate(authority.root(now))
        case .csrattrs: return Response(200, "application/csrattrs", body: Base64.folded(API.requestAttributes))
        default: return try enrol(kind, isRenewal: operation == .simplereenroll, request, caller, now, &out)
        }
    }

    private func certificate(_ one: Certificate) -> Response {
        guard let bundle = try? CertificateBundle.encode([one]) else { return refuse(503, .serverError, "the answer cannot be made") }
        return Response(
            200, "application/pkcs7-mime; smime-type=certs-only", body: Base64.folded(bundle),
            headers: [.init("content-transfer-encoding", "base64")])
    }

    /// Section 4.5.2: keys on P-256 (id-ecPublicKey with the curve as its value), ecdsa-with-SHA256.
    private static let requestAttributes: [UInt8] =
        [0x30, 0x21]
        + [0x30, 0x15, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
        + [0x31, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        + [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]

    /// Whoever guesses hears the same, whether there is such a name or not.
    private static let unknownHolder = "no such holder, or an attestation result or secret that is wrong, used or expired"

    /// What is answered in place of a certificate.
    private struct Refusal: Error { var response: Response }

    /// Section 3.2.3: asks for credentials by HTTP Basic.
    private func withoutCredentials(_ reason: String) -> Refusal {
        Refusal(response: unauthenticated(.ticketRefused, reason, scheme: "Basic"))
    }

    private mutating func enrol(
        _ kind: Authority.Kind, isRenewal: Bool, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        do {
            let holder = isRenewal ? try renewing(kind, request, caller, now, &out) : try newcomer(kind, request)
            return try issue(kind, to: holder, request, caller, now, &out)
        } catch let refusal as Refusal {
            return refusal.response
        }
    }

    private func issue(
        _ kind: Authority.Kind, to holder: Holder, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        if let type = request[header: "content-type"]?.prefix(while: { $0 != ";" && $0 != " " }).lowercased(), type != "application/pkcs10"
        {
            return refuse(415, .malformed, "RFC 7030 4.2.1: a request is application/pkcs10")
        }
        guard let der = Base64.decode(request.body) else { return refuse(400, .malformed, "body is not base64") }
        let asked: CertificateRequest
        do {
            asked = try CertificateRequest(der: der)
        } catch {
            return refuse(400, .malformed, "\(error)")
        }
        // RFC 5280 limits a common name to 64 characters: it holds the first half of the device ID.
        guard asked.subjectName == String(holder.device.deviceID.prefix(64)) else {
            return refuse(403, .wrongSubject, "the request names another holder")
        }
        let issued = try authority.issue(kind, for: holder.device, isAttested: holder.isAttested, key: asked.publicKey, unixSeconds: now)
        guard
            try store.enrol(
                ticket: holder.ticket, kind: kind.rawValue, deviceID: holder.device.deviceID, serial: issued.serial.hex,
                notAfter: issued.notAfter, now: now)
        else { throw withoutCredentials(API.unknownHolder) }
        out.observe(
            .certificateSigned,
            [
                .device: .text(holder.device.name), .label: .text(kind.rawValue), .notAfterSeconds: .number(issued.notAfter),
                .connection: .text("\(caller.connection)"), .certificate: .text(issued.serial.hex),
            ])
        return certificate(issued)
    }

    /// By HTTP Basic: a device with its ticket, or a client with its secret.
    private func newcomer(_ kind: Authority.Kind, _ request: Request) throws -> Holder {
        guard let (name, secret) = Base64.parseBasic(request[header: "authorization"]) else {
            throw withoutCredentials("no attestation result or secret")
        }
        if let expected = configuration.clients[name] {
            guard constantTimeEqual(Array(secret.utf8), Array(expected.utf8)) else { throw withoutCredentials(API.unknownHolder) }
            guard kind == .customer else { throw Refusal(response: refuse(403, .refused, "update certificates are for devices")) }
            return Holder(device: client(name), ticket: nil, isAttested: false)
        }
        guard let device = try store.device(name) else { throw withoutCredentials(API.unknownHolder) }
        try admit(device)
        return Holder(device: device, ticket: secret, isAttested: true)
    }

    /// Section 4.2.2: by the certificate that is to be renewed. A device's says that it was good a day ago, so that it shows a
    /// ticket too: else one that has been broken into would go on for ever.
    private mutating func renewing(
        _ kind: Authority.Kind, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Holder {
        guard let certificate = caller.certificate, let name = catalog.deviceID(of: certificate) else {
            throw withoutCredentials("no certificate that could be renewed")
        }
        guard certificate.uris.contains(catalog.updateURI) == (kind == .update) else {
            throw Refusal(response: refuse(403, .refused, "the certificate is of the other kind"))
        }
        if configuration.clients[name] != nil { return Holder(device: client(name), ticket: nil, isAttested: false) }
        guard let device = try store.device(name) else { throw Refusal(response: notAuthenticated()) }
        try admit(device)
        guard detector.admits(device, caller, now, &out) else { throw Refusal(response: notAuthenticated()) }
        if !protections.attestationGate { return Holder(device: device, ticket: nil, isAttested: true) }
        guard let (user, ticket) = Base64.parseBasic(request[header: "authorization"]), user == name else {
            throw withoutCredentials("a device renews with an attestation result")
        }
        return Holder(device: device, ticket: ticket, isAttested: true)
    }

    private func client(_ name: String) -> Store.Device {
        Store.Device(deviceID: name, name: name, product: "client", deviceGroup: "clients")
    }
}

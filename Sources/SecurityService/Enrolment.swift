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

    /// RFC 7030 section 4.1.3: the root alone. Readers of base64 that take no folded text and those that take no long line
    /// both take one certificate; the authorities below it come with each handshake, and from ``ServiceAPI/authoritiesPath``.
    func caCertificates() throws -> Response { certificates([authority.root]) }

    private func certificates(_ list: [Certificate]) -> Response {
        guard let bundle = try? CertificateBundle.encode(list) else { return refuse(503, .serverError, "the answer cannot be made") }
        return Response(
            200, "application/pkcs7-mime; smime-type=certs-only", body: Base64.folded(bundle),
            headers: [.init("content-transfer-encoding", "base64")])
    }

    /// RFC 7030 section 4.5.2: keys on P-256 (id-ecPublicKey with the curve as its value), ecdsa-with-SHA256.
    static let requestAttributes: [UInt8] =
        [0x30, 0x21]
        + [0x30, 0x15, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
        + [0x31, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        + [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]

    /// - Parameter label: Nil is the customer certificate.
    static func kind(label: String?) -> Authority.Kind? { label.map { Authority.Kind(rawValue: $0) } ?? .customer }

    /// Section 3.2.3: asks for credentials by HTTP Basic.
    private func askForCredentials(_ reason: String) -> Response {
        var response = refuse(401, .ticketRefused, reason)
        response.headers.append(challengeHeader)
        return response
    }

    mutating func enrol(
        _ kind: Authority.Kind, isRenewal: Bool, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Response {
        let holder: Holder
        switch isRenewal ? try renewing(kind, request, caller, now, &out) : try newcomer(kind, request) {
        case .success(let found): holder = found
        case .failure(let refusal): return refusal.response
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
        else { return askForCredentials("the attestation result is unknown, used or expired") }
        out.observe(
            .certificateSigned,
            [
                .device: .text(holder.device.name), .label: .text(kind.rawValue), .notAfterSeconds: .number(issued.notAfter),
                .connection: .text("\(caller.connection)"), .certificate: .text(issued.serial.hex),
            ])
        return certificates([issued])
    }

    private struct Refused: Error { var response: Response }

    private func refused<T>(_ status: Int, _ code: Code, _ reason: String) -> Result<T, Refused> {
        .failure(Refused(response: refuse(status, code, reason)))
    }

    /// By HTTP Basic: a device with its ticket, or a client with its secret.
    private func newcomer(_ kind: Authority.Kind, _ request: Request) throws -> Result<Holder, Refused> {
        guard let (name, secret) = Base64.parseBasic(request[header: "authorization"]) else {
            return .failure(Refused(response: askForCredentials("no attestation result")))
        }
        if let expected = configuration.clients[name] {
            guard constantTimeEqual(Array(secret.utf8), Array(expected.utf8)) else {
                return .failure(Refused(response: askForCredentials("another secret")))
            }
            guard kind == .customer else { return refused(403, .refused, "update certificates are for devices") }
            return .success(Holder(device: client(name), ticket: nil, isAttested: false))
        }
        guard let device = try store.device(name) else {
            return .failure(Refused(response: askForCredentials("no attestation result")))
        }
        return .success(Holder(device: device, ticket: secret, isAttested: true))
    }

    /// Section 4.2.2: by the certificate that is to be renewed. A device's says that it was good a day ago, so that it shows a
    /// ticket too: else one that has been broken into would go on for ever.
    private mutating func renewing(
        _ kind: Authority.Kind, _ request: Request, _ caller: ServerPool.Caller, _ now: Int64, _ out: inout Outbox
    ) throws -> Result<Holder, Refused> {
        guard let certificate = caller.certificate, let name = catalog.deviceID(of: certificate) else {
            return .failure(Refused(response: askForCredentials("no certificate that could be renewed")))
        }
        guard certificate.uris.contains(catalog.updateURI) == (kind == .update) else {
            return refused(403, .refused, "the certificate is of the other kind")
        }
        if configuration.clients[name] != nil { return .success(Holder(device: client(name), ticket: nil, isAttested: false)) }
        guard let device = try store.device(name), detector.admits(device, caller, now, &out) else {
            return refused(401, .notAuthenticated, "not authenticated")
        }
        if isOff(.attestationGate) { return .success(Holder(device: device, ticket: nil, isAttested: true)) }
        guard let (user, ticket) = Base64.parseBasic(request[header: "authorization"]), user == name else {
            return .failure(Refused(response: askForCredentials("a device renews with an attestation result")))
        }
        return .success(Holder(device: device, ticket: ticket, isAttested: true))
    }

    private func client(_ name: String) -> Store.Device {
        Store.Device(deviceID: name, name: name, product: "client", deviceGroup: "clients")
    }
}

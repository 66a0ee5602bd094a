/// Why something was refused, failed or ended: what other processes and the judge go by. The words beside it
/// (`reason`) are for people, and nothing depends on them.
public enum Code: String, Sendable, Codable, CaseIterable {
    // What honest networks produce: nobody decided it.
    case closedByPeer = "closed-by-peer"
    case connectionReset = "connection-reset"
    case connectionRefused = "connection-refused"
    case timedOut = "timed-out"
    case unreachable
    /// The resolver has answered that there is no such name.
    case nameNotFound = "name-not-found"
    /// No resolver has answered, so that nobody knows whether there is.
    case nameNotAnswered = "name-not-answered"

    // A connection
    /// This side would not have the peer's certificate (RFC 5280 section 6, and the profile beyond it).
    case certificateRefused = "certificate-refused"
    /// Nor this one: it is not valid yet, or no longer, by this side's clock (RFC 5280 section 4.1.2.5).
    case certificateNotCurrent = "certificate-not-current"
    /// The peer ended the handshake with an alert (RFC 8446 section 6).
    case tlsAlert = "tls-alert"
    /// What came is no TLS that this side takes: a record that does not authenticate, another version, no certificate.
    case protocolRefused = "protocol-refused"
    case notHTTP = "not-http"
    case answerTooLong = "answer-too-long"
    case requestTooLong = "request-too-long"
    case malformed
    case noConnectionLeft = "no-connection-left"
    case tooManyConnections = "too-many-connections"
    case tooManyRequests = "too-many-requests"
    case firewall = "denied-by-firewall"

    // The service's answers
    case notFound = "no-such-resource"
    case notAuthenticated = "not-authenticated"
    /// The identity is in use at another address.
    case identityElsewhere = "identity-elsewhere"
    case evidenceRejected = "evidence-rejected"
    /// Its operator has locked the device out.
    case lockedOut = "locked-out"
    case ticketRefused = "ticket-refused"
    case wrongSubject = "wrong-subject"
    case storage
    /// A server that says only that it cannot (RFC 9110 section 15.6).
    case serverError = "server-error"
    case refused

    // A device
    case clockTooFarOff = "clock-too-far-off"
    /// Time that was to be vouched for, and is not.
    case timeUnproven = "time-unproven"
    case metadataRefused = "metadata-refused"
    /// Metadata that is over by this device's clock (TUF section 5.3.10 and its like).
    case metadataExpired = "metadata-expired"
    case imageRefused = "image-refused"
    case capabilityMissing = "capability-missing"
    case memoryCorruption = "memory-corruption"
    case keyLost = "key-lost"
    /// A TPM's state is torn, is another device's, or is not there.
    case rootOfTrustRefused = "root-of-trust-refused"
    /// A system call came back with an error.
    case kernelRefused = "kernel-refused"

    /// For people, where whoever met it has nothing more precise to say.
    public var words: String { rawValue.split(separator: "-").joined(separator: " ") }

    /// Whoever meets it has been told so by the other side, which was there to refuse.
    public var isToldByPeer: Bool {
        switch self {
        case .tlsAlert, .tooManyRequests, .tooManyConnections, .notAuthenticated, .identityElsewhere, .evidenceRejected, .lockedOut,
            .ticketRefused, .wrongSubject, .refused, .kernelRefused:
            true
        default: false
        }
    }

    /// Whoever gave it could not do otherwise, whoever asked: a full disk or a full service decides nothing about an attacker.
    public var isIncapacity: Bool { self == .storage || self == .noConnectionLeft || self == .serverError }

    /// Bytes that were changed or cut off on the way are met with it, whoever did that.
    public var isOfDamage: Bool { self == .protocolRefused || self == .tlsAlert || self == .notHTTP || self == .malformed }

    /// It hangs on what the clock of whoever gave it shows: of a clock that somebody has set wrong it says nothing.
    public var isByClock: Bool { self == .certificateNotCurrent || self == .metadataExpired }

    /// Honest networks produce it too, so that nobody has defended anything by it.
    public var isOfNetworks: Bool {
        switch self {
        case .closedByPeer, .connectionReset, .connectionRefused, .timedOut, .unreachable, .nameNotFound, .nameNotAnswered: true
        default: false
        }
    }
}

/// A connection as both of its ends can name it: the endpoint that opened it, and the port that it was opened to.
/// The other address may be somebody else's than was meant.
public struct Connection: Hashable, Sendable, CustomStringConvertible {
    public var client: Endpoint
    public var port: UInt16
    public init(_ client: Endpoint, to port: UInt16) { (self.client, self.port) = (client, port) }
    /// Such as `10.1.0.5:32770>8443`.
    public var description: String { "\(client)>\(port)" }
}

/// What a device tells the service of by itself (AS-40), by its kind.
public enum ReportCategory: String, Sendable, Codable, CaseIterable {
    case boot
    case app
    case appExit = "app-exit"
    case appCrash = "app-crash"
    case memoryCorruption = "memory-corruption"
    /// An app wanted to go where its manifest does not let it.
    case connectionDenied = "connection-denied"
    /// Somebody tried a port that is closed.
    case portProbed = "port-probed"
    case peerRefused = "peer-refused"
    case timeRefused = "time-refused"
    case imageRefused = "image-refused"
    case updateRefused = "update-refused"
    case update
    case kernelPanic = "kernel-panic"
}

public import SecureChannel
public import Wire

/// What carries HTTP between two nodes.
public enum Security {
    case tls(TLSConfiguration)
    /// `transport-encryption` off.
    case plain
}

/// What a handshake or an exchange is between, for the metrics.
public enum Pair: String, Sendable {
    case deviceService = "device-service"
    case deviceDevice = "device-device"
}

/// The clock and the costs of the node that a connection belongs to.
public struct Locale {
    public var unixSeconds: Int64
    public var cost: CryptoCost
    public init(unixSeconds: Int64, cost: CryptoCost) {
        self.unixSeconds = unixSeconds
        self.cost = cost
    }
}

extension CryptoCost {
    /// What all that takes, one after the other.
    public func time(for work: TLSConnection.Work) -> Duration {
        .nanoseconds(
            Int64(work.signatures) * signNanoseconds + Int64(work.verifications) * verifyNanoseconds
                + Int64(work.agreements) * agreeNanoseconds)
    }
}

/// One stream's TLS, or the lack of it: bytes from the wire to plaintext and back.
struct Transport {
    private let connection: TLSConnection?
    private let presents: Bool
    private var plaintext: [UInt8] = []
    let begun: Instant
    private(set) var opened: Instant?

    init(_ security: Security, host: String?, locale: Locale, _ out: inout Outbox) {
        begun = out.now
        switch security {
        case .tls(let configuration):
            presents = configuration.presentsCertificate
            connection = TLSConnection(configuration, host: host, unixSeconds: locale.unixSeconds)
            settle(locale, &out)
        case .plain:
            presents = false
            connection = nil
            opened = out.now
        }
    }

    var isOpen: Bool { opened != nil }
    /// Which sides showed a certificate: `mutual`, `one-sided`, or `plain` without TLS.
    var mode: String {
        guard let connection else { return "plain" }
        return presents && connection.peer != nil ? "mutual" : "one-sided"
    }
    var peer: Certificate? { connection?.peer }
    var handshake: Duration? { opened.map { $0 - begun } }

    /// Why it ended, if it did.
    var failure: Failure? {
        switch connection?.state {
        case .failed(let why): Failure(why)
        case .closed: Failure(.closedByPeer)
        default: nil
        }
    }

    mutating func receive(_ bytes: [UInt8], locale: Locale, _ out: inout Outbox) {
        guard let connection else {
            plaintext += bytes
            return
        }
        connection.receive(bytes)
        plaintext += connection.takeReceived()
        settle(locale, &out)
    }

    mutating func takePlaintext() -> [UInt8] {
        defer { plaintext = [] }
        return plaintext
    }

    /// Encrypts and sends what there is to send.
    func send(_ bytes: [UInt8], on stream: StreamID, _ out: inout Outbox) {
        if let connection { connection.send(bytes) }
        flush(on: stream, plain: connection == nil ? bytes : [], &out)
    }

    func flush(on stream: StreamID, plain: [UInt8] = [], _ out: inout Outbox) {
        let bytes = connection?.takeOutput() ?? plain
        if !bytes.isEmpty { out.act(.send(stream, bytes)) }
    }

    func takeKeyLog() -> [String] { connection?.takeKeyLog() ?? [] }

    /// Charges the time of what has been computed, and notes when the handshake was done.
    private mutating func settle(_ locale: Locale, _ out: inout Outbox) {
        guard let connection else { return }
        out.spend(locale.cost.time(for: connection.takeWork()))
        if opened == nil && connection.state == .open { opened = out.now }
    }
}

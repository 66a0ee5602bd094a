public import SecureChannel
public import Wire

/// A node's incoming HTTP connections. A value: events go in, effects come out, and a closure answers.
public struct ServerPool {
    /// Who asks, as far as the connection proves it.
    public struct Caller {
        public var port: UInt16
        public var from: Endpoint
        public var certificate: Certificate?
        public var stream: StreamID

        public var address: Address { from.address }
        public var connection: Connection { Connection(from, to: port) }
    }

    /// How many connections a node has room for.
    public struct Capacity: Sendable {
        public var connections: Int
        /// From one address (`request-limits`).
        public var perAddress: Int
        public init(connections: Int = 256, perAddress: Int = .max) {
            self.connections = connections
            self.perAddress = perAddress
        }
    }

    /// A connection that was turned away or whose handshake failed, for whoever draws conclusions.
    public struct Incident {
        public var connection: Connection
        public var failure: Failure
        /// Where no connection was left: one of whoever has most of them.
        public var holder: Connection?
        public init(connection: Connection, failure: Failure, holder: Connection? = nil) {
            (self.connection, self.failure, self.holder) = (connection, failure, holder)
        }
    }

    private struct Session {
        var port: UInt16
        var from: Endpoint
        var transport: Transport
        var http: HTTPChannel
        var deadline: Instant
        var isReported = false
        /// Asked, and not answered yet.
        var pending: [Request] = []
    }

    /// A connection on which nothing happens for so long is closed.
    public static let idleLimit = Duration.seconds(60)

    private var sessions: [StreamID: Session] = [:]
    public var keyLog: ((String) -> Void)?
    private let pair: Pair?
    private let capacity: Capacity
    private let bodyLimitBytes: Int
    private let hosts: Set<String>?
    private var incidents: [Incident] = []

    /// - Parameters:
    ///   - pair: What its handshakes count as; nil if they are nobody's business.
    ///   - hosts: Names that the server goes by, in lower case; nil for any. By an address it is always asked for rightly.
    public init(
        pair: Pair?, capacity: Capacity = Capacity(), bodyLimitBytes: Int = HTTPChannel.usualLimitBytes, hosts: Set<String>? = nil
    ) {
        self.pair = pair
        self.hosts = hosts
        self.bodyLimitBytes = bodyLimitBytes
        self.capacity = capacity
    }

    /// Whether a stream is one of its connections.
    public func has(_ stream: StreamID) -> Bool { sessions[stream] != nil }

    public mutating func takeIncidents() -> [Incident] {
        defer { incidents = [] }
        return incidents
    }

    public var nextDeadline: Instant? { sessions.values.lazy.map { $0.deadline }.min() }

    /// - Parameters:
    ///   - security: How to speak on a port; nil closes the connection.
    ///   - answer: The response to a request; nil if it comes later, by `respond(_:on:_:)`.
    public mutating func handle(
        _ event: Event, locale: Locale, _ out: inout Outbox, security: (UInt16) -> Security?,
        answer: (Request, Caller, inout Outbox) -> Response?
    ) {
        switch event {
        case .accepted(let stream, let port, let from):
            guard let security = security(port), hasRoom(for: from, port, &out) else {
                out.act(.close(stream))
                return
            }
            sessions[stream] = Session(
                port: port, from: from, transport: Transport(security, host: nil, locale: locale, &out),
                http: HTTPChannel(isServer: true, bodyLimitBytes: bodyLimitBytes),
                deadline: out.now + ServerPool.idleLimit)
        case .received(let stream, let bytes): received(stream, bytes, locale, &out, answer)
        case .closed(let stream, let end):
            if sessions[stream]?.transport.isOpen == false { report(stream, Failure(end), &out) }
            sessions[stream] = nil
        case .wake:
            for stream in sessions.keys.sorted() {
                guard let session = sessions[stream], session.deadline <= out.now else { continue }
                if !session.transport.isOpen { report(stream, Failure(.timedOut), &out) }
                close(stream, &out)
            }
        default: break
        }
    }

    private mutating func hasRoom(for from: Endpoint, _ port: UInt16, _ out: inout Outbox) -> Bool {
        let isFull = sessions.count >= capacity.connections
        guard isFull || sessions.values.count(where: { $0.from.address == from.address }) >= capacity.perAddress else { return true }
        let connection = Connection(from, to: port)
        let failure = Failure(isFull ? .noConnectionLeft : .tooManyConnections)
        incidents.append(Incident(connection: connection, failure: failure, holder: isFull ? greatestHolder : nil))
        out.observe(
            .refusal,
            [
                .operation: "accept", .connection: .text("\(connection)"), .address: .text("\(from.address)"), .port: .number(Int64(port)),
            ].merging(failure.details) { $1 })
        return false
    }

    /// A connection of the address that has most of them.
    private var greatestHolder: Connection? {
        var counts: [Address: Int] = [:]
        for session in sessions.values { counts[session.from.address, default: 0] += 1 }
        // Of several the lowest: the order in a dictionary is another in each process.
        guard let greatest = counts.min(by: { ($1.value, $0.key) < ($0.value, $1.key) })?.key,
            let stream = sessions.filter({ $0.value.from.address == greatest }).keys.min(), let session = sessions[stream]
        else { return nil }
        return Connection(session.from, to: session.port)
    }

    /// Answers the first request for which there was no answer at once.
    public mutating func respond(_ response: Response, on stream: StreamID, _ locale: Locale, _ out: inout Outbox) {
        guard let request = sessions[stream]?.pending.first else { return }
        sessions[stream]?.pending.removeFirst()
        answer(request, response, on: stream, locale, &out)
    }

    /// - Parameter request: Nil if there is none that could be read; then nothing else can.
    private mutating func answer(
        _ request: Request?, _ response: Response, on stream: StreamID, _ locale: Locale, _ out: inout Outbox
    ) {
        guard let session = sessions[stream] else { return }
        var response = response
        if let request, request.hasStrayContent {
            let why = Failure(HTTPError.malformed("content in a \(request.method)"))
            refused("receive", session, why, &out)
            // Where there is no GET, that comes first.
            if response.status != 405 { response = Response(refusing: 400, why.code, why.words) }
        }
        if let bytes = try? session.http.encode(response, to: request, unixSeconds: locale.unixSeconds) { push(bytes, on: stream, &out) }
        if request?.isLast ?? true { close(stream, &out) }
    }

    /// Sends bytes as they are; false if nobody is there any more.
    @discardableResult
    public mutating func push(_ bytes: [UInt8], on stream: StreamID, _ out: inout Outbox) -> Bool {
        guard let session = sessions[stream] else { return false }
        session.transport.send(bytes, on: stream, &out)
        sessions[stream]?.deadline = out.now + ServerPool.idleLimit
        return true
    }

    /// Lets go of everything: the node restarts.
    public mutating func abandon(_ out: inout Outbox) {
        for stream in sessions.keys.sorted() { out.act(.close(stream)) }
        sessions = [:]
    }

    private mutating func received(
        _ stream: StreamID, _ bytes: [UInt8], _ locale: Locale, _ out: inout Outbox,
        _ answer: (Request, Caller, inout Outbox) -> Response?
    ) {
        guard var session = sessions[stream] else { return }
        session.transport.receive(bytes, locale: locale, &out)
        session.deadline = out.now + ServerPool.idleLimit
        for line in session.transport.takeKeyLog() { keyLog?(line) }
        let plaintext = session.transport.takePlaintext()
        sessions[stream] = session
        session.transport.flush(on: stream, &out)
        if session.transport.isOpen { report(stream, nil, &out) }
        if !plaintext.isEmpty {
            let caller = Caller(
                port: session.port, from: session.from, certificate: session.transport.peer, stream: stream)
            do throws(HTTPError) {
                let requests = try session.http.receiveRequests(plaintext)
                let interim = session.http.takeInterim()
                if !interim.isEmpty { push(interim, on: stream, &out) }
                for request in requests where sessions[stream] != nil {
                    // RFC 9110 section 7.4: else a page of somebody's in a browser asks here under a name of its own.
                    guard isOurs(request.host) else { throw .unsupported(status: 421, "a request for another host") }
                    if let response = answer(request, caller, &out) {
                        self.answer(request, response, on: stream, locale, &out)
                    } else {
                        sessions[stream]?.pending.append(request)
                    }
                }
                if let failure = session.http.failure { throw failure }
            } catch {
                let why = Failure(error)
                refused("receive", session, why, &out)
                self.answer(nil, Response(refusing: error.status, why.code, why.words), on: stream, locale, &out)
                return
            }
        }
        if let why = session.transport.failure {
            if !session.transport.isOpen { report(stream, why, &out) }
            if session.transport.isOpen && why.code != .closedByPeer { refused("receive", session, why, &out) }
            close(stream, &out)
        }
    }

    private func isOurs(_ host: String?) -> Bool {
        guard let hosts, let host, !host.isEmpty else { return true }
        let name = host.lowercased()
        let isAddress = name.hasPrefix("[") || name.allSatisfy { $0.isNumber || $0 == "." }
        return isAddress || hosts.contains(name.hasSuffix(".") ? String(name.dropLast()) : name)
    }

    private mutating func refused(_ operation: String, _ session: Session, _ why: Failure, _ out: inout Outbox) {
        refused(operation, Connection(session.from, to: session.port), why, &out)
    }

    /// Something came on an open connection that will not be had.
    public mutating func refused(_ operation: String, _ connection: Connection, _ why: Failure, _ out: inout Outbox) {
        incidents.append(Incident(connection: connection, failure: why))
        out.observe(
            .refusal,
            [.operation: .text(operation), .connection: .text("\(connection)"), .address: .text("\(connection.client.address)")].merging(
                why.details
            ) { $1 })
    }

    private mutating func close(_ stream: StreamID, _ out: inout Outbox) {
        out.act(.close(stream))
        sessions[stream] = nil
    }

    private mutating func report(_ stream: StreamID, _ failure: Failure?, _ out: inout Outbox) {
        guard let session = sessions[stream], !session.isReported, let pair else { return }
        sessions[stream]?.isReported = true
        let connection = Connection(session.from, to: session.port)
        if let failure { incidents.append(Incident(connection: connection, failure: failure)) }
        var details: [Fact.Detail: Fact.Value] = [
            .role: "server", .pair: .text(pair.rawValue), .port: .number(Int64(session.port)),
            .result: failure == nil ? "accepted" : "failed",
            .peer: .text(session.transport.peer?.hostNames.first ?? "\(session.from.address)"), .connection: .text("\(connection)"),
        ]
        if let failure { details.merge(failure.details) { $1 } }
        if session.transport.isOpen { details[.mode] = .text(session.transport.mode) }
        if let took = session.transport.handshake { details[.durationNanoseconds] = .number(took.nanoseconds) }
        out.observe(.handshake, details)
    }
}

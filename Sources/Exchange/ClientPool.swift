public import SecureChannel
public import Wire

/// A node's outgoing HTTP exchanges: look up the name, connect, shake hands, ask, wait for the answer.
///
/// A value: events go in, effects and outcomes come out. Each attempt ends in one outcome and leaves one
/// `handshake` observation, whatever goes wrong.
public struct ClientPool<Purpose> {
    public struct Target {
        public var host: String
        public var port: UInt16
        public var security: Security
        public var pair: Pair
        public init(host: String, port: UInt16, security: Security, pair: Pair) {
            self.host = host
            self.port = port
            self.security = security
            self.pair = pair
        }
    }

    public enum Result {
        case response(Response)
        /// No answer came, for this reason.
        case failed(Failure)
    }

    public struct Outcome {
        public var exchange: Int
        public var purpose: Purpose
        public var result: Result
        public var peer: Certificate?
        /// Whom it was meant for.
        public var host: String
        /// The last connection that was had for it; nil if there was none.
        public var connection: Connection?
    }

    private struct Exchange {
        var purpose: Purpose
        var target: Target
        var request: Request
        var deadline: Instant
        var stream: StreamID?
        var connection: Connection?
        var transport: Transport?
        var http: HTTPChannel
        var isReported = false
        var answered = false
    }

    private var exchanges: [Int: Exchange] = [:]
    /// Exchanges by the connection that each has.
    private var numbers: [StreamID: Int] = [:]
    private var nextExchange = 1
    private var nextStream: UInt32 = 1
    public var keyLog: ((String) -> Void)?

    public init() {}

    /// The next instant at which an exchange runs out of time.
    public var nextDeadline: Instant? { exchanges.values.lazy.map { $0.deadline }.min() }

    /// - Parameter bodyLimitBytes: A longer answer is cut off, and the exchange fails.
    public mutating func start(
        _ purpose: Purpose, _ request: Request, to target: Target, within limit: Duration,
        bodyLimitBytes: Int = HTTPChannel.usualLimitBytes, _ out: inout Outbox
    ) {
        let number = nextExchange
        nextExchange += 1
        exchanges[number] = Exchange(
            purpose: purpose, target: target, request: request, deadline: out.now + limit,
            http: HTTPChannel(isServer: false, bodyLimitBytes: bodyLimitBytes))
        out.act(.resolve(query: UInt32(number), name: target.host))
    }

    /// Asks again on the connection of an exchange that has just been answered.
    public mutating func ask(
        _ exchange: Int, _ purpose: Purpose, _ request: Request, within limit: Duration,
        bodyLimitBytes: Int = HTTPChannel.usualLimitBytes, _ out: inout Outbox
    ) {
        guard exchanges[exchange] != nil else { return }
        exchanges[exchange]?.http.bodyLimitBytes = bodyLimitBytes
        exchanges[exchange]?.purpose = purpose
        exchanges[exchange]?.request = request
        exchanges[exchange]?.deadline = out.now + limit
        exchanges[exchange]?.answered = false
        send(exchange, &out)
    }

    /// Takes an event if it belongs to an exchange. The caller may `ask(_:_:_:within:_:)` again for each
    /// outcome, and then calls `release(_:)`.
    public mutating func handle(_ event: Event, locale: Locale, _ out: inout Outbox) -> [Outcome] {
        switch event {
        case .resolved(let query, let address): return [resolved(Int(query), address, &out)].compactMap(\.self)
        case .unanswered(let query): return [unanswered(Int(query), &out)].compactMap(\.self)
        case .connected(let stream, let local): connected(stream, local, locale, &out)
        case .received(let stream, let bytes): return [received(stream, bytes, locale, &out)].compactMap(\.self)
        case .closed(let stream, let end):
            return [numbers[stream].flatMap { fail($0, Failure(end), &out) }].compactMap(\.self)
        case .wake: return expire(&out)
        default: break
        }
        return []
    }

    /// Closes the connections that were answered and not asked again.
    public mutating func release(_ out: inout Outbox) {
        for number in exchanges.keys.sorted() where exchanges[number]?.answered == true { remove(number, &out) }
    }

    /// Lets go of everything without a word to whoever asked: the device restarts.
    public mutating func abandon(_ out: inout Outbox) {
        for number in exchanges.keys.sorted() { remove(number, &out) }
    }

    private mutating func remove(_ number: Int, _ out: inout Outbox) {
        guard let stream = exchanges.removeValue(forKey: number)?.stream else { return }
        numbers[stream] = nil
        out.act(.close(stream))
    }

    private mutating func expire(_ out: inout Outbox) -> [Outcome] {
        exchanges.keys.sorted().filter { (exchanges[$0]?.deadline ?? .never) <= out.now }.compactMap {
            fail($0, Failure(.timedOut), &out)
        }
    }

    private mutating func resolved(_ number: Int, _ address: Address?, _ out: inout Outbox) -> Outcome? {
        guard let exchange = exchanges[number], exchange.stream == nil else { return nil }
        guard let address else { return fail(number, Failure(.nameNotFound), &out) }
        let stream = StreamID(raw: nextStream)
        nextStream += 1
        exchanges[number]?.stream = stream
        numbers[stream] = number
        out.act(.connect(stream, to: Endpoint(address, exchange.target.port)))
        return nil
    }

    private mutating func unanswered(_ number: Int, _ out: inout Outbox) -> Outcome? {
        guard let exchange = exchanges[number], exchange.stream == nil else { return nil }
        return fail(number, Failure(.nameNotAnswered, "nobody answered the look-up"), &out)
    }

    private mutating func connected(_ stream: StreamID, _ local: Endpoint, _ locale: Locale, _ out: inout Outbox) {
        guard let number = numbers[stream], let exchange = exchanges[number] else { return }
        exchanges[number]?.connection = Connection(local, to: exchange.target.port)
        let transport = Transport(exchange.target.security, host: exchange.target.host, locale: locale, &out)
        exchanges[number]?.transport = transport
        if transport.isOpen { send(number, &out) } else { transport.flush(on: stream, &out) }
    }

    private mutating func send(_ number: Int, _ out: inout Outbox) {
        guard let exchange = exchanges[number], let stream = exchange.stream,
            let bytes = try? exchange.http.encode(exchange.request, host: exchange.target.host)
        else { return }
        exchange.transport?.send(bytes, on: stream, &out)
    }

    private mutating func received(
        _ stream: StreamID, _ bytes: [UInt8], _ locale: Locale, _ out: inout Outbox
    ) -> Outcome? {
        guard let number = numbers[stream], var transport = exchanges[number]?.transport else { return nil }
        let wasOpen = transport.isOpen
        transport.receive(bytes, locale: locale, &out)
        for line in transport.takeKeyLog() { keyLog?(line) }
        let plaintext = transport.takePlaintext()
        exchanges[number]?.transport = transport
        transport.flush(on: stream, &out)
        if !wasOpen && transport.isOpen { send(number, &out) }
        if !plaintext.isEmpty, let exchange = exchanges[number] {
            report(number, nil, &out)
            do {
                if let response = try exchange.http.receiveResponses(plaintext).first {
                    exchanges[number]?.answered = true
                    return Outcome(
                        exchange: number, purpose: exchange.purpose, result: .response(response),
                        peer: transport.peer, host: exchange.target.host, connection: exchange.connection)
                }
            } catch {
                if case .bodyTooLarge(let limit) = error {
                    return fail(number, Failure(.answerTooLong, "answer is longer than \(limit) bytes"), &out)
                }
                return fail(number, Failure(.notHTTP), &out)
            }
        }
        if let why = transport.failure { return fail(number, why, &out) }
        return nil
    }

    private mutating func fail(_ number: Int, _ reason: Failure, _ out: inout Outbox) -> Outcome? {
        guard let exchange = exchanges[number], !exchange.answered else { return nil }
        report(number, reason, &out)
        remove(number, &out)
        return Outcome(
            exchange: number, purpose: exchange.purpose, result: .failed(reason), peer: exchange.transport?.peer,
            host: exchange.target.host, connection: exchange.connection)
    }

    /// One observation for each connection: the first thing that settles how the handshake ended.
    private mutating func report(_ number: Int, _ failure: Failure?, _ out: inout Outbox) {
        guard let exchange = exchanges[number], !exchange.isReported else { return }
        exchanges[number]?.isReported = true
        var details: [Fact.Detail: Fact.Value] = [
            .role: "client", .pair: .text(exchange.target.pair.rawValue), .peer: .text(exchange.target.host),
            .result: failure == nil ? "accepted" : "failed",
        ]
        if let failure { details.merge(failure.details) { $1 } }
        if let connection = exchange.connection { details[.connection] = .text("\(connection)") }
        if let mode = exchange.transport?.mode, exchange.transport?.isOpen == true { details[.mode] = .text(mode) }
        details[.port] = .number(Int64(exchange.target.port))
        if let took = exchange.transport?.handshake { details[.durationNanoseconds] = .number(took.nanoseconds) }
        out.observe(.handshake, details)
    }
}

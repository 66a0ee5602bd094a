public import SecureChannel
public import Wire

/// Why a connection or an exchange came to nothing: a code for whoever acts on it, words for whoever reads of it.
public struct Failure: Error, Equatable, Sendable {
    public var code: Code
    public var words: String
    /// Of what was refused since it is not valid at the time that this side's clock shows.
    public var bound: ValidityBound?

    public init(_ code: Code, _ words: String? = nil, bound: ValidityBound? = nil) {
        self.code = code
        self.words = words ?? code.words
        self.bound = bound
    }

    public init(_ end: StreamEnd) {
        let code: Code =
            switch end {
            case .finished: .closedByPeer
            case .reset: .connectionReset
            case .refused: .connectionRefused
            case .timedOut: .timedOut
            case .unreachable: .unreachable
            }
        self.init(code)
    }

    init(_ error: HTTPError) {
        switch error {
        case .malformed, .unsupported: self.init(.malformed, "\(error)")
        case .bodyTooLarge: self.init(.requestTooLong, "\(error)")
        }
    }

    public init(_ failure: TLSConnection.Failure) {
        let code: Code =
            switch failure {
            case .certificate: .certificateRefused
            case .validity: .certificateNotCurrent
            case .alert: .tlsAlert
            case .record: .protocolRefused
            }
        self.init(code, failure.words)
        if case .validity(_, let bound) = failure { self.bound = bound }
    }

    /// What a server said in place of what was asked for.
    public init(_ response: Response) {
        let refusal = JSON.decode(ServiceAPI.Refusal.self, response.body)
        self.init(refusal?.code ?? (response.status >= 500 ? .serverError : .refused), refusal?.reason ?? "status \(response.status)")
    }

    /// As an observation has it.
    public var details: [Fact.Detail: Fact.Value] {
        var details: [Fact.Detail: Fact.Value] = [.code: .text(code.rawValue), .reason: .text(words)]
        switch bound {
        case .notBefore(let seconds)?: details[.notBeforeSeconds] = .number(seconds)
        case .notAfter(let seconds)?: details[.notAfterSeconds] = .number(seconds)
        case nil: break
        }
        return details
    }
}

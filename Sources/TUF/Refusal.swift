/// Why metadata or a target was not accepted.
public enum TUFRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(role: String, String)
    case signatures(role: String, valid: Int, threshold: Int)
    /// Older than what is trusted already: a rollback.
    case rollback(role: String, offered: Int64, trusted: Int64)
    /// Not the version that the role above names: a mix of what never belonged together.
    case mismatch(role: String, offered: Int64, named: Int64)
    /// At this time, in Unix seconds.
    case expired(role: String, at: Int64)
    case length(file: String, limitBytes: Int)
    case hash(file: String)
    case missing(file: String)
    case unknownTarget(String)
    case noTrustedRoot
    case tooManyRoots

    /// One word for the kind, as metrics and detection count it.
    public var kind: String {
        switch self {
        case .malformed: "malformed"
        case .signatures, .noTrustedRoot: "signature"
        case .rollback: "rollback"
        case .mismatch: "mismatch"
        case .expired: "expired"
        case .length: "length"
        case .hash: "hash"
        case .missing, .unknownTarget: "missing"
        case .tooManyRoots: "root"
        }
    }

    public var description: String {
        switch self {
        case .malformed(let role, let why): "\(role) does not parse: \(why)"
        case .signatures(let role, let valid, let threshold): "\(role) has \(valid) of \(threshold) signatures"
        case .rollback(let role, let offered, let trusted): "\(role) \(offered) is older than \(trusted), which is trusted"
        case .mismatch(let role, let offered, let named): "\(role) is \(offered) where \(named) is named"
        case .expired(let role, _): "\(role) has expired"
        case .length(let file, let limit): "\(file) is not of the stated length (at most \(limit) bytes)"
        case .hash(let file): "\(file) has another hash than stated"
        case .missing(let file): "\(file) is missing"
        case .unknownTarget(let name): "no role names the target \(name)"
        case .noTrustedRoot: "there is no root to trust"
        case .tooManyRoots: "more root versions than are followed at once"
        }
    }
}

/// Why metadata or a target was not accepted.
public enum TUFRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed(role: String, String)
    /// Its `_type` is another's.
    case wrongType(role: String)
    /// A threshold below 1 or absurdly high, in the delegator's file.
    case illegalThreshold(role: String, delegator: String)
    /// Two signatures by one key.
    case repeatedSignature(role: String)
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
        case .malformed, .wrongType, .illegalThreshold, .repeatedSignature: "malformed"
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

    /// The role whose file was at fault, where it is not simply the one that was asked for.
    var role: String? {
        switch self {
        case .malformed(let role, _), .wrongType(let role), .repeatedSignature(let role), .signatures(let role, _, _),
            .mismatch(let role, _, _), .expired(let role, _), .illegalThreshold(_, let role):
            role
        case .rollback, .length, .hash, .missing, .unknownTarget, .noTrustedRoot, .tooManyRoots: nil
        }
    }

    /// One word for each case, for whoever runs the client as a program.
    public var code: String {
        switch self {
        case .malformed: "malformed"
        case .wrongType: "wrong-type"
        case .illegalThreshold: "illegal-threshold"
        case .repeatedSignature: "repeated-signature"
        case .signatures: "unmet-threshold"
        case .rollback: "rollback"
        case .mismatch: "version-mismatch"
        case .expired: "expired"
        case .length: "length"
        case .hash: "hash"
        case .missing: "missing"
        case .unknownTarget: "unknown-target"
        case .noTrustedRoot: "no-trusted-root"
        case .tooManyRoots: "too-many-roots"
        }
    }

    public var description: String {
        switch self {
        case .malformed(let role, let why): "\(role) does not parse: \(why)"
        case .wrongType(let role): "\(role) does not parse: its _type is another's"
        case .illegalThreshold(let role, let delegator): "\(delegator) does not parse: an illegal threshold for \(role)"
        case .repeatedSignature(let role): "\(role) does not parse: two signatures by one key"
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

/// What a verifier says of an attester, aspect by aspect (draft-ietf-rats-ar4si, section 2.3.4).
public struct TrustworthinessVector: Equatable, Sendable {
    /// One aspect.
    public enum Claim: String, Sendable, CaseIterable {
        case instanceIdentity = "instance-identity"
        case configuration
        case executables
        case fileSystem = "file-system"
        case hardware
        case runtimeOpaque = "runtime-opaque"
        case storageOpaque = "storage-opaque"
        case sourcedData = "sourced-data"
    }

    /// How far an aspect is to be trusted (section 2.3.2), from the best to the worst.
    public enum Tier: Int, Sendable, Comparable, CaseIterable {
        /// The verifier says nothing of it.
        case none = 0
        case affirming = 2
        case warning = 32
        case contraindicated = 96

        public static func < (a: Tier, b: Tier) -> Bool { a.rawValue < b.rawValue }

        /// As an EAR in JSON writes it.
        public var name: String {
            switch self {
            case .none: "none"
            case .affirming: "affirming"
            case .warning: "warning"
            case .contraindicated: "contraindicated"
            }
        }
    }

    /// The value of a claim: -128…127. Those that have names here are what our appraisers give.
    public struct Value: RawRepresentable, Equatable, Sendable {
        public let rawValue: Int8
        public init(rawValue: Int8) { self.rawValue = rawValue }

        public static let noAssertion = Value(rawValue: 0)
        /// Something in the evidence is not known to the verifier.
        public static let unknownEvidence = Value(rawValue: 1)
        /// The attester is known and not known to be compromised; the hardware is genuine; the configuration is an approved one.
        public static let affirmed = Value(rawValue: 2)
        /// Only approved executables were loaded during boot.
        public static let approvedBoot = Value(rawValue: 3)
        /// Something is loaded that nobody has approved.
        public static let unrecognizedExecutables = Value(rawValue: 33)
        /// The configuration exposes what is not acceptable; the key is of a device that is not to be trusted.
        public static let contraindicated = Value(rawValue: 96)
        /// The attester, or its hardware, should be known and is not.
        public static let unrecognized = Value(rawValue: 97)
        /// The evidence's cryptography does not hold.
        public static let cryptographyFailed = Value(rawValue: 99)

        public var tier: Tier {
            switch rawValue {
            case -1...1: .none
            case 2...31, -32 ... -2: .affirming
            case 32...95, -96 ... -33: .warning
            default: .contraindicated
            }
        }
    }

    private var values: [Claim: Value] = [:]
    public init(_ values: [Claim: Value] = [:]) { self.values = values }

    public subscript(_ claim: Claim) -> Value {
        get { values[claim] ?? .noAssertion }
        set { values[claim] = newValue }
    }

    /// Every aspect says the same: what can be said of evidence whose signature does not hold.
    public init(all value: Value) { values = Dictionary(uniqueKeysWithValues: Claim.allCases.map { ($0, value) }) }

    /// The worst of all claims (draft-ietf-rats-ear-04, section 4: `ear_status`).
    public var status: Tier { Claim.allCases.map { self[$0].tier }.max() ?? .none }

    public static func == (a: TrustworthinessVector, b: TrustworthinessVector) -> Bool { Claim.allCases.allSatisfy { a[$0] == b[$0] } }
}

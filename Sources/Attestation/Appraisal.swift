/// What came of the appraisal of one piece of evidence, whatever its format (RFC 9334: attestation result).
public struct Appraisal: Equatable, Sendable {
    public typealias Claim = TrustworthinessVector.Claim

    /// Why claims are not affirmed, for people and for whoever looks for who is behind it.
    public struct Finding: Equatable, Sendable {
        public var reason: String
        /// Of the challenge that the evidence answers, in hex, if it was read so far.
        public var nonce: String?
        /// The measurement that it is about, in hex.
        public var digest: String?
        public init(_ reason: String, nonce: String? = nil, digest: String? = nil) {
            (self.reason, self.nonce, self.digest) = (reason, nonce, digest)
        }
    }

    public var vector: TrustworthinessVector
    /// The first thing that was not as it should be; nil if everything was.
    public var finding: Finding?

    public init(_ vector: TrustworthinessVector, _ finding: Finding? = nil) { (self.vector, self.finding) = (vector, finding) }
}

/// What a relying party wants of an attestation result (RFC 9334 section 8.5): the aspects that must be affirmed. It knows no format of
/// evidence.
public struct AppraisalPolicy: Equatable, Sendable {
    public var affirmed: Set<Appraisal.Claim>
    public init(affirmed: Set<Appraisal.Claim>) { self.affirmed = affirmed }

    /// Measured boot on hardware that is known, in a configuration that is approved.
    public static let measuredBoot = AppraisalPolicy(affirmed: [.instanceIdentity, .configuration, .executables, .hardware])

    public enum Verdict: Equatable, Sendable {
        case accepted
        case rejected(Appraisal.Finding)

        /// Why it was rejected; nil if it was not.
        public var reason: String? { if case .rejected(let finding) = self { finding.reason } else { nil } }
    }

    public func decide(_ appraisal: Appraisal) -> Verdict {
        let missing = Appraisal.Claim.allCases.filter { affirmed.contains($0) && appraisal.vector[$0].tier != .affirming }
        if missing.isEmpty { return .accepted }
        return .rejected(appraisal.finding ?? .init("not affirmed: \(missing.map(\.rawValue).joined(separator: ", "))"))
    }
}

/// What may run on devices: digests by the type of what is measured (RFC 9334: reference values).
public struct ReferenceValues: Equatable, Sendable {
    /// SHA-256 in hex by type.
    public private(set) var digests: [UInt32: Set<String>]
    /// Types that every device must have measured.
    public let required: Set<UInt32>

    /// - Parameters:
    ///   - values: Type and SHA-256 in hex, as the factory made them.
    ///   - optional: Types that a device need not have.
    public init(_ values: [(type: UInt32, sha256: String)], optional: Set<UInt32>) {
        digests = Dictionary(grouping: values, by: \.type).mapValues { Set($0.map(\.sha256)) }
        required = Set(values.map(\.type)).subtracting(optional)
    }

    /// With what has been released since the factory.
    public func with(_ more: [(type: UInt32, sha256: String)]) -> ReferenceValues {
        var all = self
        for value in more { all.digests[value.type, default: []].insert(value.sha256) }
        return all
    }

    func has(_ type: UInt32, _ digest: String) -> Bool { digests[type]?.contains(digest) == true }
}

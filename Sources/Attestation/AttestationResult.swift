import FoundationEssentials
public import SecureChannel

/// An attestation result in the field's form: an EAR (draft-ietf-rats-ear-04) as a signed JWT (RFC 7519, ES256).
public struct AttestationResult {
    public static let profile = "tag:ietf.org,2026:rats/ear#04"
    public static let developer = "Orrery"

    /// Who has appraised: the version of the verifier.
    public var build: String
    /// Unix seconds.
    public var issuedAt: Int64
    /// By the name of the attester.
    public var appraisals: [String: Appraisal]

    public init(build: String, issuedAt: Int64, appraisals: [String: Appraisal]) {
        (self.build, self.issuedAt, self.appraisals) = (build, issuedAt, appraisals)
    }

    private struct Header: Encodable {
        var alg = "ES256"
        var typ = "JWT"
    }

    private struct Claims: Encodable {
        struct Verifier: Encodable { var build, developer: String }
        struct Submodule: Encodable {
            enum CodingKeys: String, CodingKey {
                case status = "ear_status"
                case vector = "ear_trustworthiness_vector"
            }
            var status: String
            var vector: [String: Int8]
        }
        enum CodingKeys: String, CodingKey {
            case profile = "eat_profile"
            case issuedAt = "iat"
            case verifier = "ear_verifier_id"
            case submodules = "submods"
        }
        var profile: String
        var issuedAt: Int64
        var verifier: Verifier
        var submodules: [String: Submodule]
    }

    /// - Parameter key: The verifier's.
    /// - Returns: The compact form (RFC 7515 section 7.1).
    public func signed(by key: P256PrivateKey) -> String {
        let claims = Claims(
            profile: AttestationResult.profile, issuedAt: issuedAt, verifier: .init(build: build, developer: AttestationResult.developer),
            submodules: appraisals.mapValues { appraisal in
                let vector = Appraisal.Claim.allCases.map { ($0.rawValue, appraisal.vector[$0].rawValue) }
                return .init(
                    status: appraisal.vector.status.name,
                    vector: Dictionary(uniqueKeysWithValues: vector.filter { $0.1 != 0 }))
            })
        let body = AttestationResult.part(Header()) + "." + AttestationResult.part(claims)
        return body + "." + AttestationResult.base64url(key.sign(digest: sha256(Array(body.utf8))))
    }

    private static func part(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return base64url((try? encoder.encode(value)).map(Array.init) ?? [])
    }

    /// RFC 4648 section 5, without padding.
    private static func base64url(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

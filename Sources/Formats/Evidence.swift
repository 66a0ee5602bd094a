/// Why evidence is none. Its words name the clause.
public enum EvidenceError: Error, Equatable, Sendable, CustomStringConvertible {
    case notCBOR(CBOR.Failure)
    case notTagged
    case notSign1
    case noPayload
    case header(HeaderFault)
    case wrongAlgorithm
    case wrongProfile
    case missingClaim(Int64)
    case badClaim(Int64)

    /// What RFC 9052 section 3 does not allow in a header.
    public enum HeaderFault: Equatable, Sendable {
        case notMap, badLabel, wrongType, labelTwice, twoIVs, noAlgorithm, algorithmUnprotected, criticalUnprotected, criticalUnknown

        var words: String {
            switch self {
            case .notMap: "3: the protected header is no map"
            case .badLabel: "1.5: a label is neither a number nor a text"
            case .wrongType: "3.1: a parameter is of the wrong type"
            case .labelTwice: "3: a label stands in both headers"
            case .twoIVs: "3.1: there are an IV and a partial IV"
            case .noAlgorithm: "3.1: no algorithm is named"
            case .algorithmUnprotected: "3.1: the algorithm is named where nothing protects it"
            case .criticalUnprotected: "3.1: the list of critical parameters is not protected"
            case .criticalUnknown: "3.1: a critical parameter is missing or not known here"
            }
        }
    }

    public var description: String {
        switch self {
        case .notCBOR(let failure): "it is no CBOR: \(failure) (RFC 9783 5.1.1)"
        case .notTagged: "it is not tagged as COSE_Sign1 (RFC 9783 5.1.1)"
        case .notSign1: "it is no COSE_Sign1 (RFC 9052 4.2)"
        case .noPayload: "it holds no payload (RFC 9783 5.1.1)"
        case .header(let fault): "RFC 9052 \(fault.words)"
        case .wrongAlgorithm: "it is signed with another algorithm than it may be (RFC 9783 5.2)"
        case .wrongProfile: "it is of another profile than \(PSAToken.profile) (RFC 9783 4.5.2)"
        case .missingClaim(let claim): "claim \(claim) is missing (\(PSAToken.rule(of: claim)))"
        case .badClaim(let claim): "claim \(claim) is not as it must be (\(PSAToken.rule(of: claim)))"
        }
    }
}

/// The silicon that images are for and evidence speaks of; its SHA-256 is the implementation ID.
public enum SiliconModel { public static let name = "orrery/mt3620-model/1" }

/// A PSA attestation token (RFC 9783, profile `tag:psacertified.org,2023:psa#tfm`).
public struct PSAToken: Equatable, Sendable {
    public struct Component: Equatable, Sendable {
        /// The image type's number in the original, as text; in others' tokens such as `BL`. Empty if not said.
        public var type: String
        /// SHA-256 of the image package; in others' tokens 32, 48 or 64 bytes.
        public var measurement: [UInt8]
        /// SHA-256 of the signer's public key; likewise.
        public var signer: [UInt8]
        public var version: String?
        /// The hash algorithm's name.
        public var description: String?

        public init(type: String, measurement: [UInt8], signer: [UInt8], version: String? = nil, description: String? = nil) {
            (self.type, self.measurement, self.signer) = (type, measurement, signer)
            (self.version, self.description) = (version, description)
        }
    }

    /// The major state of a lifecycle (section 4.3.1).
    public enum Lifecycle: Int64, Sendable, CaseIterable {
        case unknown = 0x0000
        case assemblyAndTest = 0x1000
        case provisioning = 0x2000
        case secured = 0x3000
        case nonRootOfTrustDebug = 0x4000
        case recoverableDebug = 0x5000
        case decommissioned = 0x6000

        /// "a Verifier can only trust reports … in SECURED or NON_PSA_ROT_DEBUG".
        public var isTrustworthy: Bool { self == .secured || self == .nonRootOfTrustDebug }

        public var name: String {
            switch self {
            case .unknown: "unknown"
            case .assemblyAndTest: "assembly and test"
            case .provisioning: "PSA RoT provisioning"
            case .secured: "secured"
            case .nonRootOfTrustDebug: "non-PSA RoT debug"
            case .recoverableDebug: "recoverable PSA RoT debug"
            case .decommissioned: "decommissioned"
            }
        }
    }

    public static let profile = "tag:psacertified.org,2023:psa#tfm"
    /// Security lifecycle "secured" (RFC 9783 section 4.3.1).
    public static let secured = Lifecycle.secured.rawValue

    /// 32, 48 or 64 bytes; ours have 32.
    public var nonce: [UInt8]
    /// 33 bytes: 0x01, then (in ours) the SHA-256 of the attestation public key.
    public var instance: [UInt8]
    /// 32 bytes: which silicon design this is.
    public var implementation: [UInt8]
    /// The major state in bits 15 to 8, the implementation's own in bits 7 to 0.
    public var lifecycle: Int64
    public var components: [Component]
    /// Who asked: positive on the secure side, negative on the other.
    public var client: Int64
    /// 8 to 32 bytes.
    public var bootSeed: [UInt8]?
    /// EAN-13, a dash and five digits.
    public var certification: String?
    public var verificationService: String?

    public init(
        nonce: [UInt8], instance: [UInt8], implementation: [UInt8], lifecycle: Int64 = PSAToken.secured,
        components: [Component], client: Int64 = 1, bootSeed: [UInt8]? = nil, certification: String? = nil,
        verificationService: String? = nil
    ) {
        (self.nonce, self.instance, self.implementation, self.lifecycle) = (nonce, instance, implementation, lifecycle)
        (self.components, self.client, self.bootSeed) = (components, client, bootSeed)
        (self.certification, self.verificationService) = (certification, verificationService)
    }

    /// Nil for a state that the RFC does not know.
    public var majorLifecycle: Lifecycle? {
        guard (0...0xFFFF).contains(lifecycle) else { return nil }
        return Lifecycle(rawValue: lifecycle & 0xFF00)
    }

    private enum Claim {
        static let nonce: Int64 = 10
        static let instance: Int64 = 256
        static let profile: Int64 = 265
        static let bootSeed: Int64 = 268
        static let client: Int64 = 2394
        static let lifecycle: Int64 = 2395
        static let implementation: Int64 = 2396
        static let certification: Int64 = 2398
        static let components: Int64 = 2399
        static let verificationService: Int64 = 2400
    }

    /// What a claim must be, with the section of RFC 9783.
    static func rule(of claim: Int64) -> String {
        switch claim {
        case Claim.nonce: "RFC 9783 4.1.1: a nonce of 32, 48 or 64 bytes"
        case Claim.client: "RFC 9783 4.1.2: a client ID from -2147483648 to 2147483647, and not 0"
        case Claim.instance: "RFC 9783 4.2.1: an instance ID of 33 bytes, the first of them 0x01"
        case Claim.implementation: "RFC 9783 4.2.2: an implementation ID of 32 bytes"
        case Claim.certification: "RFC 9783 4.2.3: a certification reference of 13 digits, a dash and 5 digits"
        case Claim.lifecycle: "RFC 9783 4.3.1: a security lifecycle of 0x0000 to 0x60ff whose second digit is 0"
        case Claim.bootSeed: "RFC 9783 4.3.2: a boot seed of 8 to 32 bytes"
        case Claim.components: "RFC 9783 4.4.1: software components, each with a measurement and a signer ID of 32, 48 or 64 bytes"
        case Claim.verificationService: "RFC 9783 4.5.1: a verification service as text"
        default: "RFC 9783 4"
        }
    }

    public func encoded() -> [UInt8] {
        let list = components.map { component in
            var entries: [(key: CBOR, value: CBOR)] = [
                (.integer(1), .text(component.type)), (.integer(2), .bytes(component.measurement)),
                (.integer(5), .bytes(component.signer)),
            ]
            if let version = component.version { entries.append((.integer(4), .text(version))) }
            if let description = component.description { entries.append((.integer(6), .text(description))) }
            return CBOR.map(entries)
        }
        var claims: [(key: CBOR, value: CBOR)] = [
            (.integer(Claim.nonce), .bytes(nonce)), (.integer(Claim.instance), .bytes(instance)),
            (.integer(Claim.profile), .text(PSAToken.profile)), (.integer(Claim.client), .integer(client)),
            (.integer(Claim.lifecycle), .integer(lifecycle)),
            (.integer(Claim.implementation), .bytes(implementation)), (.integer(Claim.components), .array(list)),
        ]
        if let bootSeed { claims.append((.integer(Claim.bootSeed), .bytes(bootSeed))) }
        if let certification { claims.append((.integer(Claim.certification), .text(certification))) }
        if let verificationService { claims.append((.integer(Claim.verificationService), .text(verificationService))) }
        return CBOR.map(claims).encoded()
    }

    /// Takes claims that it does not know (RFC 9783 section 5.1.3), and numbers that are longer than they must be.
    public init(_ payload: [UInt8]) throws(EvidenceError) {
        let claims: CBOR
        do { claims = try CBOR(payload, takesVariations: true) } catch { throw .notCBOR(error) }
        guard let profile = claims[Claim.profile] else { throw .missingClaim(Claim.profile) }
        guard profile.asText == PSAToken.profile else { throw .wrongProfile }
        func bytes(_ claim: Int64, _ isGood: ([UInt8]) -> Bool) throws(EvidenceError) -> [UInt8] {
            guard let value = claims[claim] else { throw .missingClaim(claim) }
            guard let bytes = value.asBytes, isGood(bytes) else { throw .badClaim(claim) }
            return bytes
        }
        func integer(_ claim: Int64) throws(EvidenceError) -> Int64 {
            guard let value = claims[claim] else { throw .missingClaim(claim) }
            guard let integer = value.asInteger else { throw .badClaim(claim) }
            return integer
        }
        nonce = try bytes(Claim.nonce) { PSAToken.hashLengths.contains($0.count) }
        instance = try bytes(Claim.instance) { $0.count == 33 && $0[0] == 1 }
        implementation = try bytes(Claim.implementation) { $0.count == 32 }
        client = try integer(Claim.client)
        guard client != 0, Int32(exactly: client) != nil else { throw .badClaim(Claim.client) }
        lifecycle = try integer(Claim.lifecycle)
        bootSeed = claims[Claim.bootSeed] == nil ? nil : try bytes(Claim.bootSeed) { (8...32).contains($0.count) }
        certification = claims[Claim.certification]?.asText
        if claims[Claim.certification] != nil {
            let text = Array((certification ?? "").utf8)
            let isGood = text.enumerated().allSatisfy { $0 == 13 ? $1 == 0x2D : (0x30...0x39).contains($1) }
            guard text.count == 19, isGood else { throw .badClaim(Claim.certification) }
        }
        verificationService = claims[Claim.verificationService]?.asText
        if claims[Claim.verificationService] != nil, verificationService == nil { throw .badClaim(Claim.verificationService) }
        guard let list = claims[Claim.components] else { throw .missingClaim(Claim.components) }
        components = try PSAToken.components(list)
        guard majorLifecycle != nil else { throw .badClaim(Claim.lifecycle) }
    }

    private static let hashLengths: Set = [32, 48, 64]

    private static func components(_ list: CBOR) throws(EvidenceError) -> [Component] {
        guard let items = list.asArray, !items.isEmpty else { throw .badClaim(Claim.components) }
        var components: [Component] = []
        for item in items {
            guard let measurement = item[2]?.asBytes, let signer = item[5]?.asBytes, hashLengths.contains(measurement.count),
                hashLengths.contains(signer.count), [1, 4, 6].allSatisfy({ item[$0] == nil || item[$0]?.asText != nil })
            else { throw .badClaim(Claim.components) }
            components.append(
                Component(
                    type: item[1]?.asText ?? "", measurement: measurement, signer: signer, version: item[4]?.asText,
                    description: item[6]?.asText))
        }
        return components
    }
}

/// A COSE_Sign1 message with ES256 (RFC 9052 section 4.2, RFC 9053 section 2.1).
public struct CoseSign1: Equatable, Sendable {
    public var payload: [UInt8]
    public var signature: [UInt8]

    /// alg (1) = ES256 (-7).
    private static let protected = CBOR.map([(.integer(1), .integer(-7))]).encoded()

    /// What is signed: `Sig_structure` without external data.
    public static func toBeSigned(_ payload: [UInt8]) -> [UInt8] {
        CBOR.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
    }

    public init(payload: [UInt8], signature: [UInt8]) {
        self.payload = payload
        self.signature = signature
    }

    public func encoded() -> [UInt8] {
        CBOR.tagged(18, .array([.bytes(CoseSign1.protected), .map([]), .bytes(payload), .bytes(signature)])).encoded()
    }

    public init(_ bytes: [UInt8]) throws(EvidenceError) {
        let item: CBOR
        do { item = try CBOR(bytes) } catch { throw .notCBOR(error) }
        guard case .tagged(18, .array(let parts)) = item, parts.count == 4,
            let header = parts[0].asBytes, let payload = parts[2].asBytes, let signature = parts[3].asBytes
        else { throw .notSign1 }
        guard header == CoseSign1.protected else { throw .wrongAlgorithm }
        self.payload = payload
        self.signature = signature
    }
}

public enum EvidenceError: Error, Equatable, Sendable, CustomStringConvertible {
    case notCBOR(CBOR.Failure)
    case notSign1
    case wrongAlgorithm
    case missingClaim(Int64)
    case wrongProfile

    public var description: String {
        switch self {
        case .notCBOR(let failure): "it is no CBOR: \(failure)"
        case .notSign1: "it is no COSE_Sign1"
        case .wrongAlgorithm: "it is not signed with ES256"
        case .missingClaim(let claim): "claim \(claim) is missing"
        case .wrongProfile: "it is of another profile"
        }
    }
}

/// The silicon that images are for and evidence speaks of; its SHA-256 is the implementation ID.
public enum SiliconModel { public static let name = "orrery/mt3620-model/1" }

/// A PSA attestation token (RFC 9783, profile `tag:psacertified.org,2023:psa#tfm`).
public struct PSAToken: Equatable, Sendable {
    public struct Component: Equatable, Sendable {
        /// The image type's number in the original, as text.
        public var type: String
        /// SHA-256 of the image package.
        public var measurement: [UInt8]
        /// SHA-256 of the signer's public key.
        public var signer: [UInt8]
        public init(type: String, measurement: [UInt8], signer: [UInt8]) {
            self.type = type
            self.measurement = measurement
            self.signer = signer
        }
    }

    public static let profile = "tag:psacertified.org,2023:psa#tfm"
    /// Security lifecycle "secured" (RFC 9783 section 4.3.1).
    public static let secured: Int64 = 0x3000

    /// 32 bytes.
    public var nonce: [UInt8]
    /// 33 bytes: 0x01, then the SHA-256 of the attestation public key.
    public var instance: [UInt8]
    /// 32 bytes: which silicon design this is.
    public var implementation: [UInt8]
    public var lifecycle: Int64
    public var components: [Component]

    public init(
        nonce: [UInt8], instance: [UInt8], implementation: [UInt8], lifecycle: Int64 = PSAToken.secured,
        components: [Component]
    ) {
        self.nonce = nonce
        self.instance = instance
        self.implementation = implementation
        self.lifecycle = lifecycle
        self.components = components
    }

    private enum Claim {
        static let nonce: Int64 = 10
        static let instance: Int64 = 256
        static let profile: Int64 = 265
        static let client: Int64 = 2394
        static let lifecycle: Int64 = 2395
        static let implementation: Int64 = 2396
        static let components: Int64 = 2399
    }

    public func encoded() -> [UInt8] {
        let list = components.map { component in
            CBOR.map([
                (.integer(1), .text(component.type)), (.integer(2), .bytes(component.measurement)),
                (.integer(5), .bytes(component.signer)),
            ])
        }
        return CBOR.map([
            (.integer(Claim.nonce), .bytes(nonce)), (.integer(Claim.instance), .bytes(instance)),
            (.integer(Claim.profile), .text(PSAToken.profile)), (.integer(Claim.client), .integer(1)),
            (.integer(Claim.lifecycle), .integer(lifecycle)),
            (.integer(Claim.implementation), .bytes(implementation)), (.integer(Claim.components), .array(list)),
        ]).encoded()
    }

    public init(_ payload: [UInt8]) throws(EvidenceError) {
        let claims: CBOR
        do { claims = try CBOR(payload) } catch { throw .notCBOR(error) }
        guard claims[Claim.profile]?.asText == PSAToken.profile else { throw .wrongProfile }
        guard let nonce = claims[Claim.nonce]?.asBytes, [32, 48, 64].contains(nonce.count) else {
            throw .missingClaim(Claim.nonce)
        }
        guard let instance = claims[Claim.instance]?.asBytes, instance.count == 33, instance[0] == 1 else {
            throw .missingClaim(Claim.instance)
        }
        guard let implementation = claims[Claim.implementation]?.asBytes, implementation.count == 32 else {
            throw .missingClaim(Claim.implementation)
        }
        guard let lifecycle = claims[Claim.lifecycle]?.asInteger else { throw .missingClaim(Claim.lifecycle) }
        guard let list = claims[Claim.components]?.asArray, !list.isEmpty else {
            throw .missingClaim(Claim.components)
        }
        var components: [Component] = []
        for item in list {
            guard let measurement = item[2]?.asBytes, let signer = item[5]?.asBytes else {
                throw .missingClaim(Claim.components)
            }
            components.append(
                Component(type: item[1]?.asText ?? "", measurement: measurement, signer: signer))
        }
        self.init(
            nonce: nonce, instance: instance, implementation: implementation, lifecycle: lifecycle,
            components: components)
    }
}

public import SecureChannel

/// TPMA_OBJECT (TPM 2.0 Library part 2, section 8.3).
public struct TPMAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let fixedTPM = TPMAttributes(rawValue: 1 << 1)
    public static let stClear = TPMAttributes(rawValue: 1 << 2)
    public static let fixedParent = TPMAttributes(rawValue: 1 << 4)
    public static let sensitiveDataOrigin = TPMAttributes(rawValue: 1 << 5)
    public static let userWithAuth = TPMAttributes(rawValue: 1 << 6)
    public static let adminWithPolicy = TPMAttributes(rawValue: 1 << 7)
    public static let noDictionaryAttack = TPMAttributes(rawValue: 1 << 10)
    public static let restricted = TPMAttributes(rawValue: 1 << 16)
    public static let decrypt = TPMAttributes(rawValue: 1 << 17)
    public static let sign = TPMAttributes(rawValue: 1 << 18)

    /// Made by the TPM, and never outside of it.
    public static let bornInside: TPMAttributes = [.fixedTPM, .fixedParent, .sensitiveDataOrigin]
}

/// The public part of an object (TPMT_PUBLIC, part 2 section 12.2.4) of the kinds that are used here: P-256 keys and
/// sealed data, with SHA-256 as name algorithm.
public struct TPMPublic: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// A parent: decrypts with AES-128 in CFB mode what it is the parent of.
        case storage
        /// ECDSA with SHA-256.
        case signing
        /// Data of somebody else's.
        case sealed
    }

    public var kind: Kind
    public var attributes: TPMAttributes
    /// Digest of the policy that its use, or its administration, needs; empty for none.
    public var policy: [UInt8]
    /// x and y for a key, empty in a template; for sealed data a digest.
    public var unique: [[UInt8]]

    public init(kind: Kind, attributes: TPMAttributes, policy: [UInt8] = [], unique: [[UInt8]]? = nil) {
        (self.kind, self.attributes, self.policy) = (kind, attributes, policy)
        self.unique = unique ?? (kind == .sealed ? [[]] : [[], []])
    }

    // MARK: Templates

    /// The endorsement key: template L-2 (ECC NIST P-256) of the TCG EK Credential Profile for TPM Family 2.0, appendix B.3.4.
    /// Its policy is PolicySecret of the endorsement hierarchy.
    public static let endorsementKey = TPMPublic(
        kind: .storage, attributes: [.bornInside, .adminWithPolicy, .restricted, .decrypt], policy: endorsementPolicy,
        unique: [[UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 32)])

    /// PolicyA of the profile (appendix B.6.2) with SHA-256.
    public static let endorsementPolicy: [UInt8] = [
        0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
        0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA,
    ]

    /// The storage root key: TCG TPM v2.0 Provisioning Guidance section 7.5.1, on P-256.
    public static let storageRootKey = TPMPublic(
        kind: .storage,
        attributes: [.bornInside, .userWithAuth, .noDictionaryAttack, .restricted, .decrypt])

    /// An attestation key: signs what the TPM itself says, and nothing that only looks like it.
    public static let attestationKey = TPMPublic(
        kind: .signing, attributes: [.bornInside, .userWithAuth, .noDictionaryAttack, .restricted, .sign])

    /// A key that signs any digest, such as TLS needs.
    /// - Parameter policy: What its use needs; empty for nothing.
    public static func signingKey(policy: [UInt8] = []) -> TPMPublic {
        var attributes: TPMAttributes = [.bornInside, .noDictionaryAttack, .sign]
        if policy.isEmpty { attributes.insert(.userWithAuth) }
        return TPMPublic(kind: .signing, attributes: attributes, policy: policy)
    }

    /// Data that only the policy opens.
    public static func sealed(policy: [UInt8]) -> TPMPublic {
        TPMPublic(kind: .sealed, attributes: [.fixedTPM, .fixedParent, .noDictionaryAttack], policy: policy)
    }

    // MARK: Form

    private static let p256: UInt16 = 0x0003

    public var encoded: [UInt8] {
        TPMWriter.make { w in
            w.u16(kind == .sealed ? TPMAlgorithm.keyedHash : TPMAlgorithm.ecc)
            w.u16(TPMAlgorithm.sha256)
            w.u32(attributes.rawValue)
            w.sized(policy)
            switch kind {
            case .sealed: w.u16(TPMAlgorithm.null)
            case .storage:
                for field in [TPMAlgorithm.aes, 128, TPMAlgorithm.cfb, TPMAlgorithm.null] { w.u16(field) }
            case .signing:
                for field in [TPMAlgorithm.null, TPMAlgorithm.ecdsa, TPMAlgorithm.sha256] { w.u16(field) }
            }
            if kind != .sealed {
                w.u16(TPMPublic.p256)
                w.u16(TPMAlgorithm.null)
            }
            for field in unique { w.sized(field) }
        }
    }

    public init(_ bytes: [UInt8]) throws(TPMParseError) {
        var reader = TPMReader(bytes)
        let type = try reader.u16()
        try TPMPublic.expect(try reader.u16(), TPMAlgorithm.sha256, "nameAlg")
        attributes = TPMAttributes(rawValue: try reader.u32())
        policy = try reader.sized()
        guard policy.isEmpty || policy.count == 32 else { throw .value(field: "authPolicy.size", UInt64(policy.count)) }
        switch type {
        case TPMAlgorithm.keyedHash:
            kind = .sealed
            try TPMPublic.expect(try reader.u16(), TPMAlgorithm.null, "scheme")
            unique = [try reader.sized()]
        case TPMAlgorithm.ecc:
            let symmetric = try reader.u16()
            if symmetric == TPMAlgorithm.aes {
                kind = .storage
                try TPMPublic.expect(try reader.u16(), 128, "symmetric.keyBits")
                try TPMPublic.expect(try reader.u16(), TPMAlgorithm.cfb, "symmetric.mode")
                try TPMPublic.expect(try reader.u16(), TPMAlgorithm.null, "scheme")
            } else {
                kind = .signing
                try TPMPublic.expect(symmetric, TPMAlgorithm.null, "symmetric")
                try TPMPublic.expect(try reader.u16(), TPMAlgorithm.ecdsa, "scheme")
                try TPMPublic.expect(try reader.u16(), TPMAlgorithm.sha256, "scheme.hashAlg")
            }
            try TPMPublic.expect(try reader.u16(), TPMPublic.p256, "curveID")
            try TPMPublic.expect(try reader.u16(), TPMAlgorithm.null, "kdf")
            unique = [try reader.sized(), try reader.sized()]
        default: throw .value(field: "type", UInt64(type))
        }
        guard unique.allSatisfy({ $0.count <= 32 }) else { throw .value(field: "unique.size", UInt64(unique[0].count)) }
        try reader.end()
    }

    private static func expect(_ value: UInt16, _ expected: UInt16, _ field: String) throws(TPMParseError) {
        guard value == expected else { throw .value(field: field, UInt64(value)) }
    }

    /// The name by which it is known everywhere: the name algorithm, and the digest of the public part (part 1 section 16).
    public var name: [UInt8] { TPMWriter.make { $0.u16(TPMAlgorithm.sha256) } + sha256(encoded) }

    /// Nil for sealed data, and for what is no point on the curve.
    public var key: P256PublicKey? {
        guard unique.count == 2, unique.allSatisfy({ $0.count <= 32 }) else { return nil }
        return try? P256PublicKey(unique.flatMap { [UInt8](repeating: 0, count: 32 - $0.count) + $0 })
    }

    /// The same key: all but its coordinates is as in the template.
    public func isMade(from template: TPMPublic) -> Bool {
        (kind, attributes, policy) == (template.kind, template.attributes, template.policy)
    }
}

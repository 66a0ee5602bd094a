import SecureChannel

/// TPMS_CLOCK_INFO (part 2, section 10.11.1).
public struct TPMClockInfo: Hashable, Sendable {
    /// Milliseconds that the TPM has had power for, all in all.
    public var clock: UInt64
    /// Power cycles since it was manufactured or cleared.
    public var resetCount: UInt32
    /// Resumes since the last of them.
    public var restartCount: UInt32
    /// False if the clock may have been ahead before: the TPM was not shut down in order.
    public var isSafe: Bool

    public init(clock: UInt64, resetCount: UInt32, restartCount: UInt32, isSafe: Bool) {
        (self.clock, self.resetCount, self.restartCount, self.isSafe) = (clock, resetCount, restartCount, isSafe)
    }

    public init(_ reader: inout TPMReader) throws(TPMParseError) {
        clock = try reader.u64()
        resetCount = try reader.u32()
        restartCount = try reader.u32()
        let safe = try reader.u8()
        guard safe <= 1 else { throw .value(field: "safe", UInt64(safe)) }
        isSafe = safe == 1
    }

    /// Whether the same TPM can have said the one after the other: its counters and its clock only rise. A clear begins
    /// anew, and makes other keys.
    func isAtOrAfter(_ other: TPMClockInfo) -> Bool {
        (resetCount, restartCount, clock) >= (other.resetCount, other.restartCount, other.clock)
    }
}

/// What a quote says: TPMS_ATTEST with TPMS_QUOTE_INFO (part 2, section 10.12.8).
public struct QuoteStatement: Hashable, Sendable {
    /// Name of the key that signed it, with those of the keys above it.
    public let qualifiedSigner: [UInt8]
    /// The verifier's nonce.
    public let extraData: [UInt8]
    public let clockInfo: TPMClockInfo
    public let firmwareVersion: UInt64
    public let selection: PCRSelection
    public let pcrDigest: [UInt8]

    /// TPM_GENERATED_VALUE: what a restricted key signs for somebody else never begins so.
    public static let magic: UInt32 = 0xFF54_4347
    public static let quoteType: UInt16 = 0x8018

    public init(_ bytes: [UInt8]) throws(TPMParseError) {
        var reader = TPMReader(bytes)
        let magic = try reader.u32()
        guard magic == QuoteStatement.magic else { throw .value(field: "magic", UInt64(magic)) }
        let type = try reader.u16()
        guard type == QuoteStatement.quoteType else { throw .value(field: "type", UInt64(type)) }
        qualifiedSigner = try reader.sized()
        extraData = try reader.sized()
        clockInfo = try TPMClockInfo(&reader)
        firmwareVersion = try reader.u64()
        selection = try PCRSelection(reading: &reader)
        pcrDigest = try reader.sized()
        try reader.end()
    }
}

/// TPMT_SIGNATURE with ECDSA and SHA-256 (part 2, section 11.3.4).
public struct TPMSignature: Hashable, Sendable {
    /// 64 bytes, r then s.
    public let raw: [UInt8]

    public init(_ bytes: [UInt8]) throws(TPMParseError) {
        var reader = TPMReader(bytes)
        for (field, expected) in [("sigAlg", TPMAlgorithm.ecdsa), ("hash", TPMAlgorithm.sha256)] {
            let value = try reader.u16()
            guard value == expected else { throw .value(field: field, UInt64(value)) }
        }
        var raw: [UInt8] = []
        for _ in 0..<2 {
            let number = try reader.sized()
            guard number.count <= 32 else { throw .value(field: "signature.size", UInt64(number.count)) }
            raw += [UInt8](repeating: 0, count: 32 - number.count) + number
        }
        try reader.end()
        self.raw = raw
    }
}

/// A quote as it comes from a TPM, with the values that it is about.
public struct Quote: Hashable, Sendable {
    /// TPMS_ATTEST, what is signed.
    public var statement: [UInt8]
    /// TPMT_SIGNATURE.
    public var signature: [UInt8]

    public init(statement: [UInt8], signature: [UInt8]) { (self.statement, self.signature) = (statement, signature) }
}

/// Why a quote does not count.
public enum QuoteRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is signed is no quote that a TPM made.
    case statement(TPMParseError)
    case signatureForm(TPMParseError)
    /// The key is none that signs only what the TPM itself says.
    case notAttestationKey
    /// Another key of the same or another TPM signed it.
    case anotherKey
    case signature
    /// It is an answer to another question, perhaps an older one.
    case nonce
    /// It is about other registers than were asked for.
    case selection
    /// The registers had other values than are told.
    case registers
    /// The TPM was further on already: its state was put back, or the quote is an old one.
    case wentBack

    public var description: String {
        switch self {
        case .statement(let error): "what is signed is no quote: \(error)"
        case .signatureForm(let error): "the signature is none: \(error)"
        case .notAttestationKey: "the key is no attestation key"
        case .anotherKey: "another key signed it"
        case .signature: "the signature is wrong"
        case .nonce: "it has another nonce"
        case .selection: "it is about other registers"
        case .registers: "the registers had other values"
        case .wentBack: "the TPM was further on already"
        }
    }
}

/// An attestation key that the verifier knows: it is in the TPM whose endorsement key is certified (``Credential``).
public struct EnrolledAttestationKey: Hashable, Sendable {
    public let publicArea: TPMPublic
    /// As the first quote told it: only the key itself could.
    public var qualifiedName: [UInt8]?

    public init(publicArea: TPMPublic, qualifiedName: [UInt8]? = nil) throws(QuoteRefusal) {
        guard publicArea.kind == .signing, publicArea.attributes.isSuperset(of: [.bornInside, .restricted, .sign]),
            publicArea.attributes.isDisjoint(with: [.decrypt]), publicArea.key != nil
        else { throw .notAttestationKey }
        (self.publicArea, self.qualifiedName) = (publicArea, qualifiedName)
    }

    /// Appraises a quote; the checks come in the order of ``QuoteRefusal``.
    /// - Parameters:
    ///   - nonce: The verifier's, of this exchange.
    ///   - values: What the registers are said to have held, for example by replay of the event log.
    ///   - last: What the same TPM said last.
    public func appraise(
        _ quote: Quote, nonce: [UInt8], selection: PCRSelection, values: PCRValues, after last: TPMClockInfo? = nil
    ) throws(QuoteRefusal) -> QuoteStatement {
        let statement: QuoteStatement
        do throws(TPMParseError) { statement = try QuoteStatement(quote.statement) } catch { throw .statement(error) }
        let signature: TPMSignature
        do throws(TPMParseError) { signature = try TPMSignature(quote.signature) } catch { throw .signatureForm(error) }
        if let qualifiedName, statement.qualifiedSigner != qualifiedName { throw .anotherKey }
        guard let key = publicArea.key, key.isValid(signature: signature.raw, digest: sha256(quote.statement)) else { throw .signature }
        guard constantTimeEqual(statement.extraData, nonce) else { throw .nonce }
        guard statement.selection == selection else { throw .selection }
        guard statement.pcrDigest == selection.digest(of: values) else { throw .registers }
        if let last, !statement.clockInfo.isAtOrAfter(last) { throw .wentBack }
        return statement
    }
}

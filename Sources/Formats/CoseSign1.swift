/// A COSE_Sign1 message (RFC 9052 section 4.2) with what its headers must be (section 3).
public struct CoseSign1: Equatable, Sendable {
    /// The protected header as it was signed: a map, or nothing.
    public let protected: [UInt8]
    public var payload: [UInt8]
    public var signature: [UInt8]
    /// What it says it is signed with, by IANA's number.
    public let algorithm: Int64

    /// RFC 9053 section 2.1: ECDSA with SHA-256, SHA-384 and SHA-512.
    public static let es256: Int64 = -7
    public static let es384: Int64 = -35
    public static let es512: Int64 = -36

    private static let es256Header = CBOR.map([(.integer(Label.algorithm), .integer(es256))]).encoded()

    private enum Label {
        static let algorithm: Int64 = 1
        static let critical: Int64 = 2
        static let contentType: Int64 = 3
        static let keyID: Int64 = 4
        static let iv: Int64 = 5
        static let partialIV: Int64 = 6
    }

    /// What a device signs to make one with ES256: `Sig_structure` without external data (section 4.4).
    public static func toBeSigned(_ payload: [UInt8]) -> [UInt8] { toBeSigned(es256Header, payload) }

    private static func toBeSigned(_ protected: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        CBOR.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
    }

    /// What the signature is over.
    public var toBeSigned: [UInt8] { CoseSign1.toBeSigned(protected, payload) }

    /// One with ES256.
    public init(payload: [UInt8], signature: [UInt8]) {
        protected = CoseSign1.es256Header
        algorithm = CoseSign1.es256
        self.payload = payload
        self.signature = signature
    }

    public func encoded() -> [UInt8] {
        CBOR.tagged(18, .array([.bytes(protected), .map([]), .bytes(payload), .bytes(signature)])).encoded()
    }

    /// - Parameter bytes: Tagged (18), as evidence must be (RFC 9783 section 5.1.1); numbers may be longer than they must.
    public init(_ bytes: [UInt8]) throws(EvidenceError) {
        let item: CBOR
        do { item = try CBOR(bytes, takesVariations: true) } catch { throw .notCBOR(error) }
        guard case .tagged(18, let message) = item else { throw .notTagged }
        guard case .array(let parts) = message, parts.count == 4, let header = parts[0].asBytes, case .map(let open) = parts[1],
            let signature = parts[3].asBytes
        else { throw .notSign1 }
        guard let payload = parts[2].asBytes else { throw .noPayload }
        algorithm = try CoseSign1.algorithm(header, open)
        protected = header
        self.payload = payload
        self.signature = signature
    }

    /// Checks both headers; the algorithm that the protected one names.
    private static func algorithm(_ header: [UInt8], _ open: [(key: CBOR, value: CBOR)]) throws(EvidenceError) -> Int64 {
        var closed: [(key: CBOR, value: CBOR)] = []
        // An empty header is an empty string, and an empty map is to be taken too.
        if !header.isEmpty {
            guard case .map(let entries)? = try? CBOR(header, takesVariations: true) else { throw .header(.notMap) }
            closed = entries
        }
        for (key, value) in closed + open {
            switch key {
            case .integer(Label.keyID), .integer(Label.iv), .integer(Label.partialIV):
                guard value.asBytes != nil else { throw .header(.wrongType) }
            case .integer(Label.contentType):
                guard value.asText != nil || value.asInteger.map({ $0 >= 0 }) == true else { throw .header(.wrongType) }
            case .integer, .wide, .text: break
            default: throw .header(.badLabel)
            }
        }
        let labels = (closed + open).map { $0.key.encoded() }
        guard Set(labels).count == labels.count else { throw .header(.labelTwice) }
        let all = CBOR.map(closed + open)
        guard all[Label.iv] == nil || all[Label.partialIV] == nil else { throw .header(.twoIVs) }
        if CBOR.map(open)[Label.critical] != nil { throw .header(.criticalUnprotected) }
        if let critical = CBOR.map(closed)[Label.critical] {
            guard let list = critical.asArray, !list.isEmpty else { throw .header(.wrongType) }
            // Section 3.1: what is critical must be there, and must be understood; of all labels only these are.
            let understood: [CBOR] = [.integer(Label.algorithm), .integer(Label.keyID)]
            for label in list {
                guard closed.contains(where: { $0.key == label }), understood.contains(label) else { throw .header(.criticalUnknown) }
            }
        }
        guard let value = CBOR.map(closed)[Label.algorithm] else {
            throw .header(CBOR.map(open)[Label.algorithm] == nil ? .noAlgorithm : .algorithmUnprotected)
        }
        guard let algorithm = value.asInteger else { throw value.asText == nil ? .header(.wrongType) : .wrongAlgorithm }
        return algorithm
    }
}

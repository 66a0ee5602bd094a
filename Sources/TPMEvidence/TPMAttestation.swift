import FoundationEssentials

/// Evidence of a device with a TPM, as it goes to the verifier: a quote, and what it is to be read with.
public struct TPMAttestation: Equatable, Sendable {
    public static let mediaType = "application/vnd.orrery.tpm2-attestation+json"
    /// Of all of it, in bytes.
    public static let longest = 64 << 10

    public var quote: Quote
    /// TPMT_PUBLIC of the key that signed it.
    public var attestationKey: [UInt8]
    /// In the TCG's crypto-agile form.
    public var eventLog: [UInt8]
    /// What was in the verifier's credential (TPM2_ActivateCredential); empty if nothing was.
    public var activation: [UInt8]

    public init(quote: Quote, attestationKey: [UInt8], eventLog: [UInt8], activation: [UInt8]) {
        (self.quote, self.attestationKey, self.eventLog, self.activation) = (quote, attestationKey, eventLog, activation)
    }

    private struct Form: Codable {
        enum CodingKeys: String, CodingKey {
            case statement = "attest"
            case signature
            case attestationKey = "attestation_key"
            case eventLog = "event_log"
            case activation
        }
        var statement, signature, attestationKey, eventLog, activation: Data
    }

    /// JSON, with each part in base64.
    public var encoded: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let form = Form(
            statement: Data(quote.statement), signature: Data(quote.signature), attestationKey: Data(attestationKey),
            eventLog: Data(eventLog), activation: Data(activation))
        return (try? encoder.encode(form)).map(Array.init) ?? []
    }

    /// Nil if it is none.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count <= TPMAttestation.longest, let form = try? JSONDecoder().decode(Form.self, from: Data(bytes)) else { return nil }
        self.init(
            quote: Quote(statement: Array(form.statement), signature: Array(form.signature)), attestationKey: Array(form.attestationKey),
            eventLog: Array(form.eventLog), activation: Array(form.activation))
    }
}

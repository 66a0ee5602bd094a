import Configuration
import Formats
import SecureChannel
import Wire

/// The verifier of RFC 9334: appraises evidence against reference values. Pure: a verdict with its reason.
struct Verifier {
    enum Verdict: Equatable {
        case accepted
        /// With the nonce and the measurement that it is about, in hex, if the evidence was read so far.
        case rejected(String, nonce: String? = nil, digest: String? = nil)

        /// Why it was rejected; nil if it was not.
        var reason: String? { if case .rejected(let why, _, _) = self { why } else { nil } }
    }

    /// SHA-256 in hex by image type: what may run on a device.
    private let references: [UInt32: Set<String>]
    /// Types that every device must have measured.
    private let required: Set<UInt32>

    init(_ measurements: [ReferenceMeasurement]) {
        references = Dictionary(grouping: measurements, by: \.type).mapValues { Set($0.map(\.sha256)) }
        required = Set(measurements.map(\.type)).subtracting([UInt32(ImageType.applications.rawValue)])
    }

    /// With what has been released since the factory.
    func with(_ more: [ReferenceMeasurement]) -> Verifier {
        var all = references
        for measurement in more { all[measurement.type, default: []].insert(measurement.sha256) }
        return Verifier(references: all, required: required)
    }

    private init(references: [UInt32: Set<String>], required: Set<UInt32>) {
        (self.references, self.required) = (references, required)
    }

    /// - Parameter takeNonce: True if the nonce was given to this device, is still good and was not used.
    func appraise(_ evidence: [UInt8], deviceID: String, takeNonce: (String) -> Bool) -> Verdict {
        guard let bytes = [UInt8](hex: deviceID), let key = try? P256PublicKey(bytes) else {
            return .rejected("device ID is not a P-256 key")
        }
        let message: CoseSign1
        let token: PSAToken
        do {
            message = try CoseSign1(evidence)
            token = try PSAToken(message.payload)
        } catch {
            return .rejected("evidence does not parse: \(error)")
        }
        guard message.algorithm == CoseSign1.es256 else { return .rejected("evidence does not parse: \(EvidenceError.wrongAlgorithm)") }
        guard key.isValid(signature: message.signature, digest: sha256(message.toBeSigned)) else {
            return .rejected("signature is not this device's")
        }
        let nonce = token.nonce.hex
        guard token.instance == [1] + sha256(key.bytes) else { return .rejected("instance ID is another device's", nonce: nonce) }
        guard takeNonce(nonce) else { return .rejected("nonce is unknown, used or expired", nonce: nonce) }
        guard token.majorLifecycle == .secured else { return .rejected("lifecycle is not secured", nonce: nonce) }
        return appraise(token.components, nonce)
    }

    private func appraise(_ components: [PSAToken.Component], _ nonce: String) -> Verdict {
        var seen: Set<UInt32> = []
        for component in components {
            guard let type = UInt32(component.type) else { return .rejected("measurement of unknown type", nonce: nonce) }
            guard references[type]?.contains(component.measurement.hex) == true else {
                let name = ImageType(rawValue: UInt16(truncatingIfNeeded: type))?.name ?? "type \(type)"
                let digest = component.measurement.hex
                return .rejected("measurement of \(name) is not a reference value", nonce: nonce, digest: digest)
            }
            seen.insert(type)
        }
        return required.subtracting(seen).isEmpty ? .accepted : .rejected("a boot stage was not measured", nonce: nonce)
    }
}

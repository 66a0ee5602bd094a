import Catalogue

/// What the verifier has given to a device to answer, once.
public struct IssuedChallenge: Equatable, Sendable {
    /// In a credential that only the endorsed hardware can read: empty if the device asked for none, nil if none need be shown.
    public var secret: [UInt8]?
    public init(secret: [UInt8]?) { self.secret = secret }
}

/// Appraises evidence of whatever format a kind of device has, into one result (RFC 9334).
public struct Verifier {
    /// Takes back the challenge that a nonce (in hex) was part of; nil if it was not given to this device, is over, or was used.
    public typealias TakeChallenge = (_ nonce: String) -> IssuedChallenge?

    private let references: [String: ReferenceValues]

    /// - Parameter references: What may run on each hardware: type of the image and SHA-256 in hex.
    public init(_ references: [String: [(type: UInt32, sha256: String)]]) {
        self.references = references.mapValues(PSAAppraiser.references)
    }

    /// - Parameters:
    ///   - kind: Of the device, by its name.
    ///   - hardware: Which its images are for.
    ///   - deviceID: The public key that evidence is signed with, x and y in hex.
    ///   - hasHardwareRoot: Its keys are in hardware, if its kind has some.
    ///   - released: What may run there, beside what the factory made.
    public func appraise(
        _ evidence: [UInt8], of kind: String, hardware: String, hasHardwareRoot: Bool, deviceID: String,
        released: [(type: UInt32, sha256: String)], _ takeChallenge: TakeChallenge
    ) -> AppraisalPolicy.Verdict {
        let known = (references[hardware] ?? ReferenceValues([], optional: [])).with(released)
        switch DeviceKind(rawValue: kind) {
        case .mt3620?:
            let appraisal = PSAAppraiser(known).appraise(evidence, deviceID: deviceID) { takeChallenge($0) != nil }
            return AppraisalPolicy.measuredBoot.decide(appraisal)
        case .linuxTPM? where hasHardwareRoot:
            return AppraisalPolicy.measuredBoot.decide(TPMAppraiser(known).appraise(evidence, deviceID: deviceID, takeChallenge))
        case nil: return .rejected(.init("there is no kind of device '\(kind)'"))
        case .linuxTPM?, .linuxPlain?:
            return AppraisalPolicy.identity.decide(IdentityAppraiser().appraise(evidence, deviceID: deviceID, takeChallenge))
        }
    }
}

extension AppraisalPolicy {
    /// Of devices that can show no more: whoever signs has their key.
    public static let identity = AppraisalPolicy(affirmed: [.instanceIdentity])
}

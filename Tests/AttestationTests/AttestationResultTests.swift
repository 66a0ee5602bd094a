import Attestation
import Foundation
import SecureChannel
import Testing

@Suite struct AttestationResultTests {
    /// The borders of draft-ietf-rats-ar4si, section 2.3.2.
    @Test(arguments: [
        (Int8(0), "none"), (1, "none"), (-1, "none"), (2, "affirming"), (31, "affirming"), (-2, "affirming"), (-32, "affirming"),
        (32, "warning"), (95, "warning"), (-33, "warning"), (-96, "warning"), (96, "contraindicated"), (127, "contraindicated"),
        (-97, "contraindicated"), (-128, "contraindicated"),
    ])
    func tiers(value: Int8, tier: String) { #expect(TrustworthinessVector.Value(rawValue: value).tier.name == tier) }

    @Test func policyAsksForWhatItNames() {
        let halfGood = Appraisal(.init([.instanceIdentity: .affirmed, .hardware: .affirmed]))
        #expect(AppraisalPolicy(affirmed: [.hardware]).decide(halfGood) == .accepted)
        #expect(AppraisalPolicy.measuredBoot.decide(halfGood).reason == "not affirmed: configuration, executables")
        #expect(AppraisalPolicy(affirmed: []).decide(Appraisal(.init(all: .cryptographyFailed))) == .accepted)
    }

    /// The claims of the draft's own example, and a signature that the verifier's key has made.
    @Test func signedResult() throws {
        let key = P256PrivateKey()
        let vector = TrustworthinessVector([.instanceIdentity: .affirmed, .executables: .approvedBoot, .hardware: .unrecognized])
        let token = AttestationResult(build: "v1", issuedAt: 1_666_091_373, appraisals: ["fridge-1": Appraisal(vector)]).signed(by: key)
        let parts = token.split(separator: ".").map(String.init)
        try #require(parts.count == 3)
        func decoded(_ text: String) throws -> Data {
            let padded = text.replacing("-", with: "+").replacing("_", with: "/") + String(repeating: "=", count: (4 - text.count % 4) % 4)
            return try #require(Data(base64Encoded: padded))
        }
        #expect(String(decoding: try decoded(parts[0]), as: UTF8.self) == #"{"alg":"ES256","typ":"JWT"}"#)
        #expect(
            String(decoding: try decoded(parts[1]), as: UTF8.self)
                == #"{"ear_verifier_id":{"build":"v1","developer":"Orrery"},"eat_profile":"tag:ietf.org,2026:rats/ear#04","iat":1666091373,"#
                + #""submods":{"fridge-1":{"ear_status":"contraindicated","ear_trustworthiness_vector":{"executables":3,"hardware":97,"#
                + #""instance-identity":2}}}}"#)
        let digest = sha256(Array("\(parts[0]).\(parts[1])".utf8))
        #expect(key.publicKey.isValid(signature: Array(try decoded(parts[2])), digest: digest))
    }
}

import Foundation
import TPM
import Testing

/// TPM_RC, its names and its parts.
@Suite struct ResponseCodeTests {
    /// What libtss2-rc says of the same numbers, through Debian's tpm2_rc_decode.
    @Test(
        arguments: [
            (0x18B, "TPM_RC_HANDLE (handle 1)", "tpm:handle(1):"), (0x2C4, "TPM_RC_VALUE (parameter 2)", "tpm:parameter(2):"),
            (0x98E, "TPM_RC_AUTH_FAIL (session 1)", "tpm:session(1):"), (0x99D, "TPM_RC_POLICY_FAIL (session 1)", "tpm:session(1):"),
            (0x101, "TPM_RC_FAILURE", "tpm:error(2.0):"), (0x921, "TPM_RC_LOCKOUT", "tpm:warn(2.0):"),
            (0x9A2, "TPM_RC_BAD_AUTH (session 1)", "tpm:session(1):"),
            (0x5DF, "TPM_RC_INTEGRITY (parameter 5)", "tpm:parameter(5):"),
        ] as [(UInt32, String, String)])
    func debianAgrees(code: UInt32, text: String, words: String) async throws {
        #expect(TPMResponseCode(code).description == text)
        let board = try Board()
        let said = try await board.tool("tpm2_rc_decode", ["0x" + String(code, radix: 16)])
        #expect(said.output.hasPrefix(words), "\(said.output)")
    }

    @Test func whatHasNoName() {
        #expect(TPMResponseCode(0x000A_0008).description == "0xa0008")
        // Four bits for a parameter (part 2, table 15); Debian's library takes three.
        #expect(TPMResponseCode(0xFDF).place == .parameter(15))
        #expect(TPMResponseCode(0x18B).base == .handle)
        #expect(TPMError.refused(TPMResponseCode(0x99D)).code == .policyFail)
        #expect(TPMError.argument.code == nil)
    }
}

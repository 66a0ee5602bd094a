import SecureChannel
import TPM
import TPMEvidence
import Testing

@Suite struct QuoteTests {
    static let nonce = [UInt8](0..<32)
    static let selection = PCRSelection([0, 1, 4, 7])

    /// Debian's tpm2_checkquote takes a quote of ours, and none for another nonce.
    @Test func debianVerifiesIt() async throws {
        let board = try Board()
        let key = try board.stack.takeOwnership().attestationKey
        try board.stack.extend(4, sha256([1, 2, 3]))
        let quote = try board.stack.quote(TPMStack.Persistent.attestationKey, nonce: Self.nonce, Self.selection)
        let arguments = [
            "-u", try board.write(Array(#require(key.key).pem.utf8), "ak.pem"), "-m", try board.write(quote.statement, "quote"),
            "-s", try board.write(quote.signature, "signature"), "-g", "sha256",
        ]
        let good = try await board.tool("tpm2_checkquote", arguments + ["-q", Self.nonce.hex])
        #expect(good.isGood, "\(good.output)")
        let bad = try await board.tool("tpm2_checkquote", arguments + ["-q", Self.nonce.reversed().hex])
        #expect(!bad.isGood, "\(bad.output)")
    }
}

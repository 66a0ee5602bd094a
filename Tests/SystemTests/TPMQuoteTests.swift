import Foundation
import Testing

/// Debian's tpm2_checkquote on a quote that went over the wire of a run.
@Suite struct TPMQuoteTests {
    private static let topology = """
        name: quote
        stop: 5m
        networks: { home: { latency: 8ms }, cloud: { latency: 30ms } }
        links: [[home, cloud]]
        service: { network: cloud, catalog: acme }
        devices: { board: { network: home, kind: linux-tpm } }
        """

    /// As `TPMAttestation` writes it.
    private struct Evidence: Decodable {
        enum CodingKeys: String, CodingKey {
            case attest, signature
            case attestationKey = "attestation_key"
        }
        var attest, signature, attestationKey: Data
    }

    @Test func othersVerifyIt() async throws {
        let testbed = try Testbed()
        let file = try testbed.write(Self.topology, "quote.yaml")
        #expect(try await testbed.orrery(["run", file, "--out", "runs"]).code == 0)
        let journal = try String(contentsOfFile: testbed.folder + "/runs/quote/latest/journal.ndjson", encoding: .utf8)
        let line = try #require(journal.split(separator: "\n").first { $0.contains("\"evidence-appraised\"") })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
        let fact = try #require(object as? [String: Any])
        #expect(fact["result"] as? String == "accepted")
        let encoded = try #require(fact["evidence"] as? String)
        let evidence = try JSONDecoder().decode(Evidence.self, from: try #require(Data(base64Encoded: encoded)))
        // TPMS_ATTEST: magic, type, the signer's qualified name, then the verifier's nonce.
        let statement = [UInt8](evidence.attest)
        let name = Int(statement[6]) << 8 | Int(statement[7])
        let nonce = statement[(10 + name)..<(42 + name)].map { String(format: "%02x", $0) }.joined()
        let length = UInt16(evidence.attestationKey.count)
        try (Data([UInt8(length >> 8), UInt8(length & 0xFF)]) + evidence.attestationKey).write(
            to: URL(fileURLWithPath: testbed.folder + "/ak.pub"))
        try evidence.attest.write(to: URL(fileURLWithPath: testbed.folder + "/attest"))
        try evidence.signature.write(to: URL(fileURLWithPath: testbed.folder + "/signature"))
        func check(_ qualification: String, _ attest: String) async throws -> (code: Int32?, output: String) {
            let ended = try await testbed.ended(
                "tpm2_checkquote",
                [
                    "-u", testbed.folder + "/ak.pub", "-m", testbed.folder + "/" + attest, "-s", testbed.folder + "/signature",
                    "-g", "sha256", "-q", qualification,
                ])
            return (ended.code, ended.output + ended.errors)
        }
        let good = try await check(nonce, "attest")
        #expect(good.code == 0, "\(good.output)")
        #expect(try await check(String(nonce.reversed()), "attest").code != 0)
        var bent = statement
        bent[bent.count - 1] ^= 1
        try Data(bent).write(to: URL(fileURLWithPath: testbed.folder + "/bent"))
        #expect(try await check(nonce, "bent").code != 0)
    }
}

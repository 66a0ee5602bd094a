import Foundation
import SecureChannel
import TPM
import TPMEvidence
import Testing

/// Debian's tpm2-tools (libtss2's ESYS, other people's marshalling and templates) speak to our TPM themselves.
@Suite struct DebianToolsTests {
    private struct Held: @unchecked Sendable { let transport: any TPMTransport }

    /// The TPM behind two pipes with names, for one run of a tool.
    private func tool(_ board: Board, _ name: String, _ arguments: [String]) async throws -> String {
        let (commands, responses) = (board.folder.path + "/commands", board.folder.path + "/responses")
        if !FileManager.default.fileExists(atPath: commands) {
            let made = try await board.tool("mkfifo", [commands, responses])
            #expect(made.isGood, "\(made.output)")
        }
        // It is this thread's while the test waits for the tool.
        let held = Held(transport: board.stack.transport)
        Thread {
            guard let input = FileHandle(forReadingAtPath: commands), let output = FileHandle(forWritingAtPath: responses) else { return }
            while let head = try? input.read(upToCount: 10), head.count == 10 {
                let size = head[2..<6].reduce(0) { $0 << 8 | Int($1) }
                let body = size > 10 ? (try? input.read(upToCount: size - 10)) ?? Data() : Data()
                try? output.write(contentsOf: held.transport.transmit([UInt8](head + body)))
            }
        }.start()
        let ended = try await board.tool(name, arguments + ["-T", "cmd:cat \(responses) & exec cat > \(commands)"])
        #expect(ended.isGood, "\(name): \(ended.output)")
        return ended.output
    }

    @Test func templatesAndNames() async throws {
        let board = try Board()
        let ek = try board.stack.endorse { _ throws(CryptoError) in [UInt8](repeating: 7, count: 1500) }
        let key = try board.stack.takeOwnership().attestationKey
        // Its own template for an endorsement key on P-256 makes the key that ours did.
        _ = try await tool(board, "tpm2_createek", ["-G", "ecc", "-c", board.folder.path + "/ek.context", "-u", board.folder.path + "/ek"])
        #expect(try board.read("ek") == TPMWriter.make { $0.sized(ek.encoded) })
        _ = try await tool(
            board, "tpm2_readpublic", ["-c", "0x81010002", "-n", board.folder.path + "/name", "-q", board.folder.path + "/qualified"])
        #expect(try board.read("name") == key.name)
        #expect(try board.read("qualified") == board.stack.qualifiedName(of: TPMStack.Persistent.attestationKey))
        _ = try await tool(board, "tpm2_nvread", ["0x01C0000A", "-o", board.folder.path + "/certificate"])
        #expect(try board.read("certificate") == board.stack.endorsementCertificate())
        #expect(try board.read("certificate").count == 1500)
    }

    /// It takes a quote, and our verifier takes that; it opens what we sealed.
    @Test func quotesAndSealedData() async throws {
        let board = try Board()
        let enrolled = try EnrolledAttestationKey(publicArea: try board.stack.takeOwnership().attestationKey)
        _ = try await tool(board, "tpm2_pcrextend", ["4:sha256=\(sha256([1]).hex)"])
        let selection = PCRSelection([0, 4])
        var expected = PCRValues.atReset
        expected.extend(4, sha256([1]))
        let folder = board.folder.path
        _ = try await tool(
            board, "tpm2_quote",
            ["-c", "0x81010002", "-l", "sha256:0,4", "-q", "0102", "-m", folder + "/quote", "-s", folder + "/signature", "-g", "sha256"])
        let quote = Quote(statement: try board.read("quote"), signature: try board.read("signature"))
        #expect(throws: Never.self) { try enrolled.appraise(quote, nonce: [1, 2], selection: selection, values: expected) }
        let sealed = try board.stack.seal(Array("secret".utf8), to: selection)
        let publicArea = try board.write(TPMWriter.make { $0.sized(sealed.publicArea.encoded) }, "sealed.public")
        let privateArea = try board.write(TPMWriter.make { $0.sized(sealed.privateArea) }, "sealed.private")
        _ = try await tool(board, "tpm2_load", ["-C", "0x81000001", "-u", publicArea, "-r", privateArea, "-c", folder + "/sealed"])
        #expect(try await tool(board, "tpm2_unseal", ["-c", folder + "/sealed", "-p", "pcr:sha256:0,4"]) == "secret")
    }
}

import Foundation
import SecureChannel
import TPM
import TPMEvidence
import Testing
import Wire

/// Keys in the TPM, and what is bound to them or to registers.
@Suite struct KeyTests {
    @Test func primaryKeysAreTheSameEachTime() throws {
        let (board, other) = (try Board(), try Board("other"))
        func make(_ board: Board, _ hierarchy: TPMStack.Hierarchy, _ template: TPMPublic) throws -> TPMPublic {
            let (handle, publicArea) = try board.stack.createPrimary(hierarchy, template)
            try board.stack.flush(handle)
            #expect(publicArea.isMade(from: template))
            return publicArea
        }
        let (ek, srk) = (try make(board, .endorsement, .endorsementKey), try make(board, .owner, .storageRootKey))
        #expect(try make(board, .endorsement, .endorsementKey) == ek)
        #expect(try make(other, .endorsement, .endorsementKey) != ek)
        try board.stack.clear()
        // The manufacturer's outlives its owners, and an owner's does not.
        #expect(try make(board, .endorsement, .endorsementKey) == ek)
        #expect(try make(board, .owner, .storageRootKey) != srk)
    }

    /// The TPM opens a credential that was made for its endorsement key and its attestation key, and no other.
    @Test func credentials() throws {
        let (board, other) = (try Board(), try Board("other"))
        let names = (try board.stack.takeOwnership().attestationKey.name, try other.stack.takeOwnership().attestationKey.name)
        func endorsementKey(_ board: Board) throws -> P256PublicKey {
            try #require(try board.stack.publicArea(of: TPMStack.Persistent.endorsementKey).key)
        }
        func activate(_ credential: Credential) throws(TPMError) -> [UInt8] {
            try board.stack.activate(
                credential, key: TPMStack.Persistent.attestationKey, endorsementKey: TPMStack.Persistent.endorsementKey)
        }
        let secret = [UInt8](100..<132)
        let mine = try Credential(secret, endorsementKey: endorsementKey(board), name: names.0)
        #expect(try activate(mine) == secret)
        #expect(try activate(Credential([5], endorsementKey: endorsementKey(board), name: names.0)) == [5])
        func code(_ credential: Credential) -> TPMResponseCode? {
            do throws(TPMError) { _ = try activate(credential) } catch { return error.code }
            return nil
        }
        #expect(code(try Credential(secret, endorsementKey: endorsementKey(board), name: names.1)) == .integrity)
        #expect(code(try Credential(secret, endorsementKey: endorsementKey(other), name: names.0)) == .integrity)
        var blob = mine.blob
        blob[blob.count - 1] ^= 1
        #expect(code(Credential(blob: blob, secret: mine.secret)) == .integrity)
        #expect(throws: CryptoError.self) {
            try Credential([UInt8](repeating: 0, count: 33), endorsementKey: endorsementKey(board), name: names.0)
        }
    }

    /// And so it does with one that Debian's tpm2_makecredential made.
    @Test func debianMakesACredential() async throws {
        let board = try Board()
        let name = try board.stack.takeOwnership().attestationKey.name
        let key = try #require(try board.stack.publicArea(of: TPMStack.Persistent.endorsementKey).key)
        let path = board.folder.path + "/credential"
        let made = try await board.tool(
            "tpm2_makecredential",
            [
                "-T", "none", "-G", "ecc", "-u", try board.write(Array(key.pem.utf8), "ek.pem"), "-s",
                try board.write([1, 2, 3, 4], "secret"),
                "-n", name.hex, "-o", path,
            ])
        #expect(made.isGood, "\(made.output)")
        // Behind a header of 8 bytes: the blob, and the secret.
        var reader = TPMReader(try board.read("credential").dropFirst(8))
        let (blob, secret) = (try reader.sized(), try reader.sized())
        let credential = Credential(
            blob: TPMWriter.make { $0.sized(blob) }, secret: TPMWriter.make { $0.sized(secret) })
        let opened = try board.stack.activate(
            credential, key: TPMStack.Persistent.attestationKey, endorsementKey: TPMStack.Persistent.endorsementKey)
        #expect(opened == [1, 2, 3, 4])
    }

    @Test func whatIsSealedOpensOnlyAsItWas() throws {
        let board = try Board()
        _ = try board.stack.takeOwnership()
        let selection = PCRSelection([4, 7])
        try board.stack.extend(4, sha256([1]))
        let sealed = try board.stack.seal(Array("disk key".utf8), to: selection)
        #expect(try board.stack.unseal(sealed, selection) == Array("disk key".utf8))
        // It lies in a file, and outlives the power.
        let kept = try WrappedObject(sealed.encoded)
        try board.cutPower()
        #expect(throws: TPMError.self) { try board.stack.unseal(kept, selection) }
        try board.stack.extend(4, sha256([1]))
        #expect(try board.stack.unseal(kept, selection) == Array("disk key".utf8))
        try board.stack.extend(7, sha256([2]))
        do throws(TPMError) {
            _ = try board.stack.unseal(kept, selection)
            Issue.record("it opens")
        } catch { #expect(error.code == .policyFail) }
        // Sealed to what registers will be, as an updater does before the next start.
        var later = try board.stack.registers(selection)
        later.extend(7, sha256([3]))
        let next = try board.stack.seal([9], to: selection, values: later)
        #expect(throws: TPMError.self) { try board.stack.unseal(next, selection) }
        try board.stack.extend(7, sha256([3]))
        #expect(try board.stack.unseal(next, selection) == [9])
        // Another TPM has nothing of it.
        let other = try Board("other")
        _ = try other.stack.takeOwnership()
        do throws(TPMError) {
            _ = try other.stack.unseal(kept, selection)
            Issue.record("it loads")
        } catch { #expect(error.code == .integrity) }
        #expect(throws: TPMError.argument) { try board.stack.seal([UInt8](repeating: 0, count: 129), to: selection) }
    }

    /// A key whose use is bound to registers.
    @Test func aKeyForOneSystemAlone() throws {
        let board = try Board()
        _ = try board.stack.takeOwnership()
        let selection = PCRSelection([7])
        let policy = try #require(TPMPolicy.pcr(selection, try board.stack.registers(selection)))
        let made = try board.stack.create(.signingKey(policy: policy), under: TPMStack.Persistent.storageRootKey)
        let handle = try board.stack.load(made, under: TPMStack.Persistent.storageRootKey)
        let key = try TPMSigningKey(board.stack, handle, policy: .registers(selection))
        let digest = sha256([1])
        #expect(key.publicKey.isValid(signature: key.sign(digest: digest), digest: digest))
        #expect(throws: TPMError.self) { try board.stack.sign(handle, digest: digest) }
        try board.stack.extend(7, sha256([2]))
        #expect(!key.publicKey.isValid(signature: key.sign(digest: digest), digest: digest))
        #expect(key.refusal?.code == .policyFail)
    }

    @Test func registers() throws {
        let board = try Board()
        let all = PCRSelection(0..<24)
        #expect(try board.stack.registers(all) == .atReset)
        var expected = PCRValues.atReset
        try board.stack.extend(2, sha256([1]))
        expected.extend(2, sha256([1]))
        // The TPM makes the digest itself.
        #expect(try board.stack.event(3, [1, 2]) == sha256([1, 2]))
        expected.extend(3, sha256([1, 2]))
        #expect(try board.stack.registers(all) == expected)
        #expect(throws: TPMError.argument) { try board.stack.extend(24, sha256([1])) }
        #expect(throws: TPMError.argument) { try board.stack.extend(1, [1]) }
    }

    /// Two handshakes with the key in the TPM: as a server and as a client.
    @Test func tls() throws {
        let board = try Board()
        _ = try board.stack.takeOwnership()
        let (key, rootKey, now) = (try TPMSigningKey(board.stack), P256PrivateKey(), Int64(1_767_225_600))
        let root = try CertificateTemplate(
            commonName: "root", organization: "test", serial: [1], notBefore: now - 100, notAfter: now + 1_000_000,
            usage: .authority(pathLength: 0)
        ).issue(for: rootKey.publicKey, by: rootKey, issuer: nil)
        let leaf = try CertificateTemplate(
            commonName: "board", organization: "test", serial: [2], notBefore: now - 10, notAfter: now + 3600, hostNames: ["board"],
            usage: .endEntity
        ).issue(for: key.publicKey, by: rootKey, issuer: root)
        let identity = TLSConfiguration.Identity(chain: [leaf], key: key)
        let rule = TLSConfiguration.PeerRule(roots: [root], isCertificateRequired: true, profile: .init(longestLeafSeconds: 90_000))
        let client = TLSConnection(try TLSConfiguration(role: .client, identity: identity, rule: rule), host: "board", unixSeconds: now)
        let server = TLSConnection(try TLSConfiguration(role: .server, identity: identity, rule: rule), host: nil, unixSeconds: now)
        for _ in 0..<8 {
            server.receive(client.takeOutput())
            client.receive(server.takeOutput())
        }
        #expect(client.state == .open && server.state == .open, "\(client.state) \(server.state)")
        #expect(key.refusal == nil)
        // A certificate request is signed there, too.
        #expect(try CertificateRequest(commonName: "board", key: key).publicKey == key.publicKey)
    }
}

import Factory
import SecureChannel
import TPM
import TPMEvidence
import Testing

/// From the factory to the verifier: a TPM with a certificate, whose attestation key is enrolled.
@Suite struct EndorsementTests {
    private static let now: Int64 = 1_767_225_600

    private func refusal(_ der: [UInt8], _ key: P256PublicKey, _ works: TPMManufacturer, at time: Int64 = now) throws -> EndorsementRefusal?
    {
        let validator = try PathValidator(roots: [works.root.der], others: [works.intermediate.der])
        do throws(EndorsementRefusal) {
            _ = try Certificate.appraise(endorsement: der, of: key, by: validator, unixSeconds: time)
            return nil
        } catch { return error }
    }

    @Test func theWholeWay() throws {
        let (board, works) = (try Board(), try TPMManufacturer(unixSeconds: Self.now))
        // In the factory.
        _ = try board.stack.endorse { key throws(CryptoError) in try works.certify(key).der }
        try board.stack.shutdown()
        // In the field, after years.
        try board.cutPower()
        let key = try board.stack.takeOwnership().attestationKey
        let der = try board.stack.endorsementCertificate()
        let endorsed = try board.stack.publicArea(of: TPMStack.Persistent.endorsementKey)
        // At the verifier.
        let validator = try PathValidator(roots: [works.root.der], others: [works.intermediate.der])
        let endorsementKey = try #require(endorsed.key)
        let identity = try Certificate.appraise(
            endorsement: der, of: endorsementKey, by: validator, unixSeconds: Self.now + 5 * 365 * 86_400)
        #expect(identity == TPMManufacturer.libtpms)
        let secret = Randomness.bytes(32)
        let credential = try Credential(secret, endorsementKey: endorsementKey, name: key.name)
        let opened = try board.stack.activate(
            credential, key: TPMStack.Persistent.attestationKey, endorsementKey: TPMStack.Persistent.endorsementKey)
        #expect(opened == secret)
        // What the certificate says is what the TPM says of itself: TPM_PT_MANUFACTURER, TPM_PT_FIRMWARE_VERSION_1.
        #expect(try board.stack.property(0x105) == 0x4942_4D00)
        #expect(try board.stack.property(0x10B) == 0x2019_1023)
        // A new owner finds the same certificate, and the same key after taking ownership.
        try board.stack.clear()
        #expect(try board.stack.takeOwnership().attestationKey != key)
        #expect(try board.stack.endorsementCertificate() == der)
        #expect(try board.stack.publicArea(of: TPMStack.Persistent.endorsementKey) == endorsed)
    }

    @Test func eachRefusalIsItsOwn() throws {
        let works = try TPMManufacturer(unixSeconds: Self.now)
        let (key, other) = (P256PrivateKey().publicKey, P256PrivateKey().publicKey)
        let good = try works.certify(key)
        #expect(try refusal(good.der, key, works) == nil)
        #expect(try refusal(good.der, other, works) == .anotherKey)
        #expect(try refusal(good.der, key, TPMManufacturer(unixSeconds: Self.now)) == .path(.rule("unknown issuer")))
        guard case .path(.validity) = try refusal(good.der, key, works, at: good.notAfter + 1) else {
            Issue.record("it is for ever")
            return
        }
        guard case .certificate = try refusal(Array(good.der.dropLast()), key, works) else {
            Issue.record("it is cut off")
            return
        }
        // One of the same authority that is for something else.
        let tls = try CertificateTemplate(
            commonName: "x", organization: "x", serial: [1], notBefore: Self.now - 10, notAfter: Self.now + 10, hostNames: ["x"],
            usage: .endEntity
        ).issue(for: key, by: works.intermediateKey.key, issuer: works.intermediate)
        #expect(try refusal(tls.der, key, works) == .purpose)
        // A name that would be two.
        #expect(throws: CryptoError.self) {
            try TPMManufacturer(unixSeconds: Self.now, identity: TPMIdentity(manufacturer: "id:1,id:2", model: "a", version: "b")).certify(
                key)
        }
    }

    /// OpenSSL's own program agrees on what is in it.
    @Test func opensslReadsIt() async throws {
        let (board, works) = (try Board(), try TPMManufacturer(unixSeconds: Self.now))
        let certificate = try works.certify(P256PrivateKey().publicKey)
        let path = try board.write(certificate.pem, "ek.pem")
        let text = try await board.tool("openssl", ["x509", "-in", path, "-noout", "-text"])
        for part in [
            "X509v3 Subject Alternative Name: critical", "DirName:/2.23.133.2.1=id:49424D00/2.23.133.2.2=swtpm/2.23.133.2.3=id:20191023",
            "2.23.133.8.1", "Key Agreement", "CA:FALSE", "Subject: \n",
        ] {
            #expect(text.output.contains(part), "\(part) in \(text.output)")
        }
        let verified = try await board.tool(
            "openssl",
            [
                "verify", "-x509_strict", "-attime", String(Self.now), "-CAfile", try board.write(works.root.pem, "root.pem"), "-untrusted",
                try board.write(works.intermediate.pem, "intermediate.pem"), path,
            ])
        #expect(verified.isGood, "\(verified.output)")
    }
}

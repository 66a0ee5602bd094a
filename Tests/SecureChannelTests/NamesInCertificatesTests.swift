import SecureChannel
import Testing

/// A name is one name, whatever is in it.
@Suite struct NamesInCertificatesTests {
    private static func issue(hosts: [String] = ["a.b"], uris: [String] = ["urn:x"], name: String = "d") throws -> Certificate {
        let key = P256PrivateKey()
        return try CertificateTemplate(
            commonName: name, organization: "x", serial: [1], notBefore: 0, notAfter: 1_000_000, hostNames: hosts, uris: uris,
            usage: .endEntity
        ).issue(for: key.publicKey, by: key, issuer: nil)
    }

    @Test func namesComeBackAsTheyWere() throws {
        let made = try NamesInCertificatesTests.issue(hosts: ["a.b", "c-1.d"], uris: ["urn:x:1", "https://a/b?c=DNS:x"])
        #expect(made.hostNames == ["a.b", "c-1.d"])
        #expect(made.uris == ["urn:x:1", "https://a/b?c=DNS:x"])
    }

    @Test(arguments: ["urn:fridge,DNS:service.acme.internal", "urn:a b", "urn:a\n", "urn:a\u{0}b", "urn:ü", ""])
    func aURIThatCouldBeReadAsMoreIsRefused(uri: String) {
        #expect(throws: CryptoError.self) { try NamesInCertificatesTests.issue(uris: [uri]) }
    }

    @Test(arguments: ["a.b,c.d", "a.b\u{0}.c", "a b", "a/b", "URI:x", ""]) func aHostThatIsNoneIsRefused(host: String) {
        #expect(throws: CryptoError.self) { try NamesInCertificatesTests.issue(hosts: [host]) }
    }

    @Test(arguments: ["a,CN=b", "a\u{0}b", "a\nb", ""]) func aCommonNameOfTwoIsRefused(name: String) {
        #expect(throws: CryptoError.self) { try NamesInCertificatesTests.issue(name: name) }
    }
}

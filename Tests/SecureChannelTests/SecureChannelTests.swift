import SecureChannel
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 examples.
    @Test func sha256Vectors() {
        #expect(sha256(Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(sha256([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        let stream = SHA256Stream()
        stream.update(Array("a".utf8))
        stream.update(Array("bc".utf8))
        #expect(stream.finish() == sha256(Array("abc".utf8)))
    }

    @Test func hexRefusesWhatIsNotHex() {
        #expect([UInt8](hex: "00ff7A") == [0, 255, 0x7A])
        for text in ["0", "0g", "::", "\u{100}0"] { #expect([UInt8](hex: text) == nil) }
    }
}

@Suite struct KeyTests {
    /// RFC 6979 A.2.5, P-256 with SHA-256, message "sample".
    @Test func rfc6979Signature() throws {
        let key = try P256PrivateKey(
            scalar: [UInt8](hex: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")!)
        #expect(
            key.publicKey.bytes.hex
                == "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                + "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299")
        let signature = [UInt8](
            hex: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                + "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8")!
        let digest = sha256(Array("sample".utf8))
        #expect(key.publicKey.isValid(signature: signature, digest: digest))
        #expect(key.publicKey.isValid(signature: key.sign(digest: digest), digest: digest))
        #expect(!key.publicKey.isValid(signature: signature, digest: sha256(Array("other".utf8))))
    }

    @Test func badKeysAreRefused() {
        #expect(throws: CryptoError.self) { try P256PrivateKey(scalar: [UInt8](repeating: 0, count: 32)) }
        #expect(throws: CryptoError.self) { try P256PrivateKey(scalar: [UInt8](repeating: 0xFF, count: 32)) }
        #expect(throws: CryptoError.self) { try P256PublicKey([UInt8](repeating: 1, count: 64)) }
    }
}

/// A root and what it issues.
struct TestPKI {
    static let now: Int64 = 1_767_225_600
    let rootKey = P256PrivateKey()
    let root: Certificate

    init() {
        root = try! CertificateTemplate(
            commonName: "root", organization: "test", serial: [1], notBefore: Self.now - 100, notAfter: Self.now + 1_000_000,
            usage: .authority(pathLength: 0)
        ).issue(for: rootKey.publicKey, by: rootKey, issuer: nil)
    }

    func identity(
        _ host: String, serial: [UInt8] = [2], from: Int64 = now - 10, until: Int64 = now + 3600, hosts: [String]? = nil
    ) -> TLSConfiguration.Identity {
        let key = P256PrivateKey()
        let certificate = try! CertificateTemplate(
            commonName: host, organization: "test", serial: serial, notBefore: from, notAfter: until,
            hostNames: hosts ?? [host], usage: .endEntity
        ).issue(for: key.publicKey, by: rootKey, issuer: root)
        return .init(chain: [certificate], key: key)
    }

    func rule(required: Bool = true, accept: @escaping @Sendable (Certificate) -> String? = { _ in nil }) -> TLSConfiguration.PeerRule {
        .init(roots: [root], isCertificateRequired: required, profile: .init(longestLeafSeconds: 90_000), accept: accept)
    }
}

@Suite struct TLSTests {
    let pki = TestPKI()

    /// Runs both sides on memory until neither has more to say.
    private func shake(_ client: TLSConnection, _ server: TLSConnection) {
        while true {
            let (out, back) = (client.takeOutput(), server.takeOutput())
            if out.isEmpty && back.isEmpty { return }
            server.receive(out)
            client.receive(back)
        }
    }

    private func connect(
        client: TLSConfiguration.Identity?, server: TLSConfiguration.Identity, host: String = "server",
        clientRule: TLSConfiguration.PeerRule? = nil, serverRule: TLSConfiguration.PeerRule? = nil,
        clientClock: Int64 = TestPKI.now, serverClock: Int64 = TestPKI.now
    ) throws -> (client: TLSConnection, server: TLSConnection) {
        let one = TLSConnection(
            try TLSConfiguration(role: .client, identity: client, rule: clientRule ?? pki.rule()), host: host,
            unixSeconds: clientClock)
        let other = TLSConnection(
            try TLSConfiguration(role: .server, identity: server, rule: serverRule ?? pki.rule()), host: nil,
            unixSeconds: serverClock)
        shake(one, other)
        return (one, other)
    }

    @Test func mutualHandshakeAndData() throws {
        let (client, server) = try connect(client: pki.identity("client"), server: pki.identity("server"))
        #expect(client.state == .open && server.state == .open)
        #expect(server.peer?.hostNames == ["client"])
        client.send(Array("hello".utf8))
        shake(client, server)
        #expect(server.takeReceived() == Array("hello".utf8))
    }

    @Test func eachClockJudgesForItself() throws {
        let late = try connect(
            client: pki.identity("client"), server: pki.identity("server"), clientClock: TestPKI.now + 7200)
        #expect(late.client.state.reason == "expired")
        let early = try connect(
            client: pki.identity("client"), server: pki.identity("server"), serverClock: TestPKI.now - 50)
        #expect(early.server.state.reason == "not yet valid")
    }

    @Test func wrongNameForeignIssuerAndMissingCertificate() throws {
        #expect(try connect(client: nil, server: pki.identity("other")).client.state.reason == "wrong name")
        let foreign = TestPKI()
        #expect(try connect(client: foreign.identity("client"), server: pki.identity("server")).server.state.reason == "unknown issuer")
        guard let why = try connect(client: nil, server: pki.identity("server")).server.state.reason else {
            Issue.record("a server took a client without certificate")
            return
        }
        #expect(why == "peer did not return a certificate")
    }

    @Test func policyDecidesOnSoundChains() throws {
        let (client, server) = try connect(
            client: pki.identity("client"), server: pki.identity("server"), serverRule: pki.rule { _ in "peer not allowed" })
        #expect(server.state.reason == "peer not allowed")
        guard let alert = client.state.reason else {
            Issue.record("the client was not told")
            return
        }
        #expect(alert.hasPrefix("peer alert"))
    }

    /// libcrypto accepts these; RFC 5280 does not.
    @Test func strictProfile() throws {
        let long = pki.identity("client", until: TestPKI.now + 100_000)
        #expect(
            try connect(client: long, server: pki.identity("server")).server.state.reason == "profile: leaf lives longer than 90000 s")
        let zero = pki.identity("client", serial: [0])
        let zeroReason = try connect(client: zero, server: pki.identity("server")).server.state.reason
        #expect(zeroReason == "RFC 5280 4.1.2.2: serial number is not positive")
        let huge = pki.identity("client", serial: [UInt8](repeating: 0x7F, count: 21))
        let hugeReason = try connect(client: huge, server: pki.identity("server")).server.state.reason
        #expect(hugeReason == "RFC 5280 4.1.2.2: serial number above 20 octets")
        let nameless = pki.identity("client", hosts: [])
        #expect(
            try connect(client: nameless, server: pki.identity("server")).server.state.reason == "profile: no subject alternative name")
    }

    @Test func aChangedByteEndsTheConnection() throws {
        let (client, server) = try connect(client: pki.identity("client"), server: pki.identity("server"))
        client.send(Array("hello".utf8))
        var bytes = client.takeOutput()
        bytes[bytes.count - 3] ^= 1
        server.receive(bytes)
        #expect(server.state.reason == "decryption failed or bad record mac")
        #expect(server.takeReceived().isEmpty)
    }

    @Test func garbageIsRefused() throws {
        let server = TLSConnection(
            try TLSConfiguration(role: .server, identity: pki.identity("server"), rule: pki.rule()), host: nil,
            unixSeconds: TestPKI.now)
        server.receive(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        guard case .failed = server.state else {
            Issue.record("TLS took plain HTTP")
            return
        }
    }
}

@Suite struct CertificateTests {
    let pki = TestPKI()

    @Test func certificatesThatDoNotParseAreRefused() {
        let der = pki.root.der
        #expect(throws: CryptoError.self) { try Certificate(der: []) }
        #expect(throws: CryptoError.self) { try Certificate(der: der + [0]) }
        for index in stride(from: 0, to: der.count, by: 3) {
            var changed = der
            changed[index] ^= 0xFF
            _ = try? Certificate(der: changed)
        }
    }

    @Test func requestsProvePossession() throws {
        let key = P256PrivateKey()
        let request = try CertificateRequest(commonName: "device", key: key)
        let parsed = try CertificateRequest(der: request.der)
        #expect(parsed.publicKey == key.publicKey && parsed.subjectName == "device")
        var forged = request.der
        forged[forged.count - 1] ^= 1
        #expect(throws: CryptoError.self) { try CertificateRequest(der: forged) }
    }

    @Test func bundles() throws {
        let chain = pki.identity("a").chain + [pki.root]
        // A set has no order (X.690 section 11.6): one is the other.
        let bundle = try CertificateBundle.encode(chain)
        #expect(try Set(CertificateBundle.decode(bundle)) == Set(chain) && CertificateBundle.encode(chain.reversed()) == bundle)
        #expect(try Certificate.list(joinedDER: chain.joinedDER) == chain)
        #expect(throws: CryptoError.self) { try Certificate.list(joinedDER: Array(chain.joinedDER.dropLast())) }
        #expect(throws: CryptoError.self) { try CertificateBundle.decode([1, 2, 3]) }
    }
}

import COpenSSL

/// One side of TLS: who it is, whom it trusts, and what it asks of a peer.
///
/// Made once and used for many connections; no tickets, no resumption (RFC 8446; DESIGN §7).
@safe public final class TLSConfiguration {
    /// A chain, leaf first, and the key of the leaf, which may lie in silicon.
    public struct Identity {
        public var chain: [Certificate]
        public var key: any SigningKey
        public init(chain: [Certificate], key: any SigningKey) {
            self.chain = chain
            self.key = key
        }
    }

    /// What a peer must show.
    public struct PeerRule: Sendable {
        /// Roots of trust. Empty means: take any peer (for an adversary, or with `certificate-auth` off).
        public var roots: [Certificate]
        /// Further roots, as DER, whose keys may be of other kinds.
        public var otherRoots: [[UInt8]] = []
        /// Authorities below the roots that are known here, for peers that show their own certificate alone.
        public var intermediates: [Certificate] = []
        public var isCertificateRequired: Bool
        /// Nil for chains of the kinds that ``Algorithms/common`` has, as libcrypto judges them.
        public var profile: CertificateProfile?
        /// Decides on a chain that is sound: nil, or why this peer is refused.
        public var accept: @Sendable (Certificate) -> String?

        public init(
            roots: [Certificate], isCertificateRequired: Bool, profile: CertificateProfile?,
            accept: @escaping @Sendable (Certificate) -> String? = { _ in nil }
        ) {
            self.roots = roots
            self.isCertificateRequired = isCertificateRequired
            self.profile = profile
            self.accept = accept
        }

        public static let anybody = PeerRule(
            roots: [], isCertificateRequired: false, profile: .init(longestLeafSeconds: .max))

        var trustsAnybody: Bool { roots.isEmpty && otherRoots.isEmpty }

        /// Servers of the world's, for whoever trusts these authorities: RSA from 2,048 bits on, P-256 or P-384, SHA-256 or longer.
        public static func common(roots: [[UInt8]]) -> PeerRule {
            var rule = PeerRule(roots: [], isCertificateRequired: false, profile: nil)
            rule.otherRoots = roots
            return rule
        }
    }

    public enum Role: Sendable { case client, server }

    public enum Algorithms: Sendable {
        /// TLS 1.3 with P-256.
        case strong
        /// TLS 1.2 too, and P-224 (`strong-algorithms` off).
        case weakToo
        /// TLS 1.2 with P-224 at the best: what an adversary asks for.
        case weakOnly
        /// What servers of the world speak and is sound: TLS 1.2 with forward secrecy and AEAD, and TLS 1.3 (RFC 9325).
        case common

        var versions: (least: Int32, most: Int32) {
            switch self {
            case .strong: (TLS1_3_VERSION, TLS1_3_VERSION)
            case .weakToo, .common: (TLS1_2_VERSION, TLS1_3_VERSION)
            case .weakOnly: (TLS1_2_VERSION, TLS1_2_VERSION)
            }
        }
        var groups: String {
            switch self {
            case .strong: "P-256"
            case .weakToo: "P-256:P-224"
            case .weakOnly: "P-224:P-256"
            case .common: "P-256:X25519:P-384"
            }
        }
        var suites: String {
            self == .common ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256" : "TLS_AES_128_GCM_SHA256"
        }
        /// OpenSSL's security level: 2 is 112 bits, no SHA-1.
        var level: Int32? {
            switch self {
            case .strong: nil
            case .weakToo, .weakOnly: 0
            case .common: 2
            }
        }
    }

    let context: OpaquePointer
    let role: Role
    let rule: PeerRule
    let identity: Identity?
    public var presentsCertificate: Bool { identity != nil }

    public init(
        role: Role, identity: Identity?, rule: PeerRule, algorithms: Algorithms = .strong, keepsKeyLog: Bool = false
    ) throws(CryptoError) {
        self.role = role
        self.rule = rule
        self.identity = identity
        unsafe context = SSL_CTX_new(role == .client ? TLS_client_method() : TLS_server_method())
        let (least, most) = algorithms.versions
        guard unsafe tls_versions(context, least, most) == 1, unsafe ssl_ctx_set_groups(context, algorithms.groups) == 1 else {
            throw .failed(ErrorQueue.take())
        }
        if let level = algorithms.level { unsafe SSL_CTX_set_security_level(context, level) }
        if algorithms == .common { unsafe SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") }
        unsafe SSL_CTX_set_num_tickets(context, 0)
        unsafe _ = ssl_ctx_no_session_cache(context)
        unsafe SSL_CTX_set_ciphersuites(context, algorithms.suites)
        // Idle connections give their buffers back: a device has few bytes to spare.
        unsafe _ = SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(SSL_MODE_RELEASE_BUFFERS), nil)
        if let identity { unsafe try present(identity) }
        unsafe try require()
        if keepsKeyLog {
            unsafe SSL_CTX_set_keylog_callback(context) { ssl, line in
                guard let line = unsafe line else { return }
                unsafe TLSConnection.of(ssl)?.log(String(cString: line))
            }
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    @unsafe private func present(_ identity: Identity) throws(CryptoError) {
        guard let leaf = identity.chain.first else { throw .badCertificate("an identity without certificate") }
        let x509 = unsafe try Certificate.decode(leaf.der)
        defer { unsafe X509_free(x509) }
        let key = unsafe try identity.key.makeEVPKey()
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_certificate(context, x509) == 1, unsafe SSL_CTX_use_PrivateKey(context, key) == 1
        else { throw .badKey("the key does not belong to the certificate: \(ErrorQueue.take())") }
        for certificate in identity.chain.dropFirst() {
            let x509 = unsafe try Certificate.decode(certificate.der)
            unsafe _ = ssl_ctx_add_chain(context, x509)
            unsafe X509_free(x509)
        }
    }

    @unsafe private func require() throws(CryptoError) {
        let store = unsafe SSL_CTX_get_cert_store(context)
        for root in rule.roots.map(\.der) + rule.otherRoots + rule.intermediates.map(\.der) {
            let x509 = unsafe try Certificate.decode(root)
            unsafe X509_STORE_add_cert(store, x509)
            unsafe X509_free(x509)
        }
        var mode = SSL_VERIFY_NONE
        if role == .server && (rule.isCertificateRequired || !rule.trustsAnybody) { mode = SSL_VERIFY_PEER }
        if role == .client && !rule.trustsAnybody { mode = SSL_VERIFY_PEER }
        if rule.isCertificateRequired { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
        unsafe SSL_CTX_set_verify(context, mode, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            context, { store, _ in unsafe TLSConnection.judge(store) }, nil)
    }
}

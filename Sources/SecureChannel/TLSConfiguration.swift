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
        public var isCertificateRequired: Bool
        public var profile: CertificateProfile
        /// Decides on a chain that is sound: nil, or why this peer is refused.
        public var accept: @Sendable (Certificate) -> String?

        public init(
            roots: [Certificate], isCertificateRequired: Bool, profile: CertificateProfile,
            accept: @escaping @Sendable (Certificate) -> String? = { _ in nil }
        ) {
            self.roots = roots
            self.isCertificateRequired = isCertificateRequired
            self.profile = profile
            self.accept = accept
        }

        public static let anybody = PeerRule(
            roots: [], isCertificateRequired: false, profile: .init(longestLeafSeconds: .max))
    }

    public enum Role: Sendable { case client, server }

    public enum Algorithms: Sendable {
        /// TLS 1.3 with P-256.
        case strong
        /// TLS 1.2 too, and P-224 (`strong-algorithms` off).
        case weakToo
        /// TLS 1.2 with P-224 at the best: what an adversary asks for.
        case weakOnly

        var versions: (least: Int32, most: Int32) {
            switch self {
            case .strong: (TLS1_3_VERSION, TLS1_3_VERSION)
            case .weakToo: (TLS1_2_VERSION, TLS1_3_VERSION)
            case .weakOnly: (TLS1_2_VERSION, TLS1_2_VERSION)
            }
        }
        var groups: String {
            switch self {
            case .strong: "P-256"
            case .weakToo: "P-256:P-224"
            case .weakOnly: "P-224:P-256"
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
        if algorithms != .strong { unsafe SSL_CTX_set_security_level(context, 0) }
        unsafe SSL_CTX_set_num_tickets(context, 0)
        unsafe _ = ssl_ctx_no_session_cache(context)
        unsafe SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256")
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
        for root in rule.roots {
            let x509 = unsafe try Certificate.decode(root.der)
            unsafe X509_STORE_add_cert(store, x509)
            unsafe X509_free(x509)
        }
        unsafe X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), UInt(X509_V_FLAG_X509_STRICT))
        var mode = SSL_VERIFY_NONE
        if role == .server && (rule.isCertificateRequired || !rule.roots.isEmpty) { mode = SSL_VERIFY_PEER }
        if role == .client && !rule.roots.isEmpty { mode = SSL_VERIFY_PEER }
        if rule.isCertificateRequired { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
        unsafe SSL_CTX_set_verify(context, mode, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            context, { store, _ in unsafe TLSConnection.judge(store) }, nil)
    }
}

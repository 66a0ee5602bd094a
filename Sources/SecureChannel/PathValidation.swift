import COpenSSL

/// Why a certification path is refused.
public enum PathRefusal: Equatable, Sendable {
    /// A rule, with the section of RFC 5280 where libcrypto does not know it.
    case rule(String)
    /// One of its certificates is not valid yet, or no longer.
    case validity(String, ValidityBound)

    public var words: String {
        switch self {
        case .rule(let why), .validity(let why, _): why
        }
    }
}

/// Validation of certification paths (RFC 5280 section 6.1) with keys and signatures of any kind: libcrypto's, strict, and
/// the rules of section 4 that it leaves out. What a link asks beyond that is in ``CertificateProfile``.
///
/// The RFC's inputs (6.1.1) are: any policy will do, none is required, mappings and anyPolicy are allowed. Revocation
/// (6.3) is not part of it: the testbed's leafs live a day, and nobody fetches a CRL.
@safe public final class PathValidator {
    private let store: OpaquePointer?
    private let others: OpaquePointer?

    /// - Parameters:
    ///   - roots: Trust anchors in DER.
    ///   - others: Certificates in DER from which paths to the leafs may be built.
    /// - Throws: If one of them does not parse.
    public init(roots: [[UInt8]], others: [[UInt8]]) throws(CryptoError) {
        unsafe store = X509_STORE_new()
        unsafe self.others = x509_stack_new()
        for der in roots {
            let x509 = unsafe try Certificate.decode(der)
            unsafe X509_STORE_add_cert(store, x509)
            unsafe X509_free(x509)
        }
        for der in others { unsafe _ = x509_stack_push(self.others, try Certificate.decode(der)) }
    }

    deinit {
        unsafe X509_STORE_free(store)
        unsafe x509_stack_free(others)
    }

    /// Nil if there is a path from a root to the certificate that keeps all rules.
    /// - Parameters:
    ///   - leaf: In DER.
    ///   - host: The name or the address that a TLS server's certificate must hold; nil to ask for neither.
    public func refusal(of leaf: [UInt8], host: String? = nil, unixSeconds: Int64) -> PathRefusal? {
        guard let x509 = unsafe try? Certificate.decode(leaf) else { return .rule("the certificate does not parse") }
        defer { unsafe X509_free(x509) }
        let context = unsafe X509_STORE_CTX_new()
        defer {
            unsafe X509_STORE_CTX_free(context)
            ErrorQueue.clear()
        }
        guard unsafe X509_STORE_CTX_init(context, store, x509, others) == 1 else { return .rule(ErrorQueue.take()) }
        let parameters = unsafe X509_STORE_CTX_get0_param(context)
        unsafe PathValidator.configure(parameters, host: host, unixSeconds: unixSeconds, isStrict: true)
        if host != nil { unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) }
        return unsafe PathValidator.refusal(context, isStrict: true)
    }

    // MARK: What TLS shares

    /// What libcrypto is asked for, whoever asks.
    /// - Parameter isStrict: Whether certificates must be made by all rules, and not only be unambiguous: many of the world's
    ///   servers have some that are not.
    @unsafe static func configure(_ parameters: OpaquePointer?, host: String?, unixSeconds: Int64, isStrict: Bool) {
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt((isStrict ? X509_V_FLAG_X509_STRICT : 0) | X509_V_FLAG_POLICY_CHECK))
        // Critical policy extensions are honoured only if policies are looked at; by default no policy at all would do.
        unsafe X509_VERIFY_PARAM_add0_policy(parameters, OBJ_txt2obj("2.5.29.32.0", 1))
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(unixSeconds))
        // RFC 9525: identity is in the alternative names alone (6.3), and a wildcard is a whole label (6.3).
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard let host, unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 else { return }
        unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0)
    }

    /// Builds the path and judges it; `context` then holds the path.
    @unsafe static func refusal(_ context: OpaquePointer?, isStrict: Bool) -> PathRefusal? {
        unsafe X509_STORE_CTX_set_verify_cb(context) { isGood, context in
            // 4.1.2.5: valid from notBefore through notAfter, both included. Libcrypto's end is a second early.
            guard isGood == 0, unsafe X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_HAS_EXPIRED else { return isGood }
            let last = unsafe Certificate.unixSeconds(X509_get0_notAfter(X509_STORE_CTX_get_current_cert(context)))
            guard unsafe last == X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(context)) else { return 0 }
            unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
            return 1
        }
        guard unsafe X509_verify_cert(context) == 1 else {
            let code = unsafe X509_STORE_CTX_get_error(context)
            let why = unsafe words[code] ?? String(cString: X509_verify_cert_error_string(Int(code)))
            let culprit = unsafe X509_STORE_CTX_get_current_cert(context)
            switch code {
            case X509_V_ERR_CERT_HAS_EXPIRED:
                return unsafe .validity(why, .notAfter(Certificate.unixSeconds(X509_get0_notAfter(culprit))))
            case X509_V_ERR_CERT_NOT_YET_VALID:
                return unsafe .validity(why, .notBefore(Certificate.unixSeconds(X509_get0_notBefore(culprit))))
            // A certificate with broken extensions is nobody's to libcrypto: what is broken says more.
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
                let isLeaf = unsafe X509_STORE_CTX_get_error_depth(context) == 0
                guard let culprit = unsafe culprit, let rule = unsafe CertificateRules.refusal(of: culprit, isLeaf: isLeaf) else {
                    return .rule(why)
                }
                return .rule("RFC 5280 \(rule)")
            default: return .rule(why)
            }
        }
        guard isStrict else { return nil }
        let chain = unsafe X509_STORE_CTX_get0_chain(context)
        for index in unsafe 0..<x509_stack_count(chain) {
            guard let x509 = unsafe x509_stack_at(chain, index) else { continue }
            if let why = unsafe CertificateRules.refusal(of: x509, isLeaf: index == 0) { return .rule("RFC 5280 \(why)") }
        }
        return nil
    }

    /// Short names for the refusals that reports count.
    private static let words: [Int32: String] = [
        X509_V_ERR_CERT_HAS_EXPIRED: "expired",
        X509_V_ERR_CERT_NOT_YET_VALID: "not yet valid",
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown issuer",
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT: "unknown issuer",
        X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed",
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: "unknown issuer",
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown issuer",
        X509_V_ERR_CERT_SIGNATURE_FAILURE: "bad signature",
        X509_V_ERR_HOSTNAME_MISMATCH: "wrong name",
        X509_V_ERR_IP_ADDRESS_MISMATCH: "wrong name",
        X509_V_ERR_INVALID_PURPOSE: "wrong purpose",
    ]
}

import COpenSSL

/// What the testbed's own links ask beyond RFC 5280 (``PathValidator``): P-256 throughout, short lives, names and
/// purposes that are said. A refusal names the rule.
public struct CertificateProfile: Sendable {
    /// A leaf may not live longer; the original's daily certificate lives 24 to 25 hours (AS-2).
    public var longestLeafSeconds: Int64

    public init(longestLeafSeconds: Int64) { self.longestLeafSeconds = longestLeafSeconds }

    /// Nil if a valid path, leaf first, keeps all rules.
    @unsafe func refusal(of chain: OpaquePointer?, leaf: Certificate) -> String? {
        for index in unsafe 0..<x509_stack_count(chain) {
            guard let x509 = unsafe x509_stack_at(chain, index) else { continue }
            // RFC 5758; both algorithm fields agree (RFC 5280 section 4.1.1.2), as libcrypto sees to.
            if unsafe X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256 { return "profile: signature is not ecdsa-with-SHA256" }
            let key = unsafe X509_get0_pubkey(x509)
            if unsafe EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != 256 {
                return "profile: key is not on P-256"
            }
            if index == 0, let why = unsafe leafRefusal(x509, leaf) { return "profile: \(why)" }
        }
        if leaf.notAfter - leaf.notBefore > longestLeafSeconds {
            return "profile: leaf lives longer than \(longestLeafSeconds) s"
        }
        return nil
    }

    @unsafe private func leafRefusal(_ x509: OpaquePointer, _ certificate: Certificate) -> String? {
        let flags = unsafe X509_get_extension_flags(x509)
        if flags & UInt32(EXFLAG_CA) != 0 { return "leaf is an authority" }
        // Identity is in the alternative names (RFC 5280 section 4.2.1.6).
        if certificate.hostNames.isEmpty && certificate.uris.isEmpty { return "no subject alternative name" }
        if unsafe flags & UInt32(EXFLAG_KUSAGE) == 0 || X509_get_key_usage(x509) & UInt32(KU_DIGITAL_SIGNATURE) == 0 {
            return "leaf may not sign"
        }
        if flags & UInt32(EXFLAG_XKUSAGE) == 0 { return "no extended key usage" }
        return nil
    }
}

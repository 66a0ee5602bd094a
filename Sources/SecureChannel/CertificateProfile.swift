import COpenSSL

/// A strict profile of RFC 5280 on top of what libcrypto checks, which alone accepts a third of the chains
/// that must fail. A refusal names the rule.
public struct CertificateProfile: Sendable {
    /// A leaf may not live longer; the original's daily certificate lives 24 to 25 hours (AS-2).
    public var longestLeafSeconds: Int64

    public init(longestLeafSeconds: Int64) { self.longestLeafSeconds = longestLeafSeconds }

    /// Nil if the chain, leaf first, keeps all rules.
    @unsafe func refusal(of chain: OpaquePointer?, leaf: Certificate) -> String? {
        for index in unsafe 0..<x509_stack_count(chain) {
            guard let x509 = unsafe x509_stack_at(chain, index) else { continue }
            if let why = unsafe refusal(of: x509, index == 0 ? leaf : nil) { return "profile: \(why)" }
        }
        if leaf.notAfter - leaf.notBefore > longestLeafSeconds {
            return "profile: leaf lives longer than \(longestLeafSeconds) s"
        }
        return nil
    }

    /// - Parameter leaf: What has been read of the certificate already, if it is the leaf.
    @unsafe private func refusal(of x509: OpaquePointer, _ leaf: Certificate?) -> String? {
        // 4.1.2.1: extensions need version 3.
        if unsafe X509_get_version(x509) != 2 { return "not version 3" }
        // 4.1.2.2: positive, at most 20 octets.
        let serial = unsafe X509_get0_serialNumber(x509)
        if unsafe ASN1_STRING_length(serial) > 20 { return "serial number above 20 octets" }
        // Libcrypto keeps the sign in the type and drops leading zeros; zero itself is one zero octet.
        let isZero = unsafe ASN1_STRING_length(serial) == 1 && ASN1_STRING_get0_data(serial).pointee == 0
        if unsafe isZero || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER { return "serial number is not positive" }
        // 4.1.1.2: both algorithm fields agree; ours are all ecdsa-with-SHA256 (RFC 5758).
        if unsafe X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256 { return "signature is not ecdsa-with-SHA256" }
        // All of a catalog's keys are on P-256.
        let key = unsafe X509_get0_pubkey(x509)
        if unsafe EVP_PKEY_get_base_id(key) != EVP_PKEY_EC || EVP_PKEY_get_bits(key) != 256 { return "key is not on P-256" }
        let flags = unsafe X509_get_extension_flags(x509)
        if flags & UInt32(EXFLAG_INVALID | EXFLAG_CRITICAL) != 0 { return "unknown critical or broken extension" }
        // 4.2: no extension twice.
        let count = unsafe X509_get_ext_count(x509)
        var seen: Set<Int32> = []
        for index in 0..<count {
            let nid = unsafe OBJ_obj2nid(X509_EXTENSION_get_object(X509_get_ext(x509, index)))
            if nid != NID_undef && !seen.insert(nid).inserted { return "an extension stands twice" }
        }
        // 4.2.1.1, 4.2.1.2: key identifiers; only a self-signed authority may do without the issuer's.
        if unsafe X509_get0_subject_key_id(x509) == nil && leaf == nil { return "authority without subject key identifier" }
        let isSelfIssued = flags & UInt32(EXFLAG_SI) != 0
        if unsafe X509_get0_authority_key_id(x509) == nil && !isSelfIssued {
            return "no authority key identifier"
        }
        let usage = unsafe X509_get_key_usage(x509)
        if let leaf { return leafRefusal(leaf, flags: flags, usage: usage) }
        // 4.2.1.9, 4.2.1.3: an authority says so, critically, and may sign certificates.
        if flags & UInt32(EXFLAG_CA) == 0 { return "issuer is not an authority" }
        if unsafe X509_EXTENSION_get_critical(
            X509_get_ext(x509, X509_get_ext_by_NID(x509, NID_basic_constraints, -1))) == 0
        {
            return "basic constraints are not critical"
        }
        if flags & UInt32(EXFLAG_KUSAGE) == 0 || usage & UInt32(KU_KEY_CERT_SIGN) == 0 {
            return "authority may not sign certificates"
        }
        return nil
    }

    private func leafRefusal(_ certificate: Certificate, flags: UInt32, usage: UInt32) -> String? {
        if flags & UInt32(EXFLAG_CA) != 0 { return "leaf is an authority" }
        // 4.2.1.6: identity is in the alternative names.
        if certificate.hostNames.isEmpty && certificate.uris.isEmpty { return "no subject alternative name" }
        if flags & UInt32(EXFLAG_KUSAGE) == 0 || usage & UInt32(KU_DIGITAL_SIGNATURE) == 0 {
            return "leaf may not sign"
        }
        if flags & UInt32(EXFLAG_XKUSAGE) == 0 { return "no extended key usage" }
        return nil
    }
}

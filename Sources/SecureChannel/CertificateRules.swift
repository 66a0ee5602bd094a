import COpenSSL

/// What RFC 5280 section 4 asks of each certificate of a path and libcrypto, even when strict, does not look at. A refusal
/// begins with the section.
enum CertificateRules {
    /// - Parameter isLeaf: Whether it is the first of its path, which need not be an authority.
    @unsafe static func refusal(of x509: OpaquePointer, isLeaf: Bool) -> String? {
        // Extensions need version 3, and what follows needs extensions.
        if unsafe X509_get_version(x509) != 2 { return "4.1.2.1: not version 3" }
        let serial = unsafe X509_get0_serialNumber(x509)
        if unsafe ASN1_STRING_length(serial) > 20 { return "4.1.2.2: serial number above 20 octets" }
        // Libcrypto keeps the sign in the type and drops leading zeros; zero itself is one zero octet.
        let isZero = unsafe ASN1_STRING_length(serial) == 1 && ASN1_STRING_get0_data(serial).pointee == 0
        if unsafe isZero || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER { return "4.1.2.2: serial number is not positive" }
        if unsafe X509_NAME_entry_count(X509_get_issuer_name(x509)) == 0 { return "4.1.2.4: issuer without a name" }
        let flags = unsafe X509_get_extension_flags(x509)
        let isAuthority = flags & UInt32(EXFLAG_CA) != 0
        if let why = unsafe refusalOfExtensions(x509, isAuthority: isAuthority) { return why }
        if flags & UInt32(EXFLAG_INVALID | EXFLAG_CRITICAL) != 0 { return "4.2: unknown critical or broken extension" }
        // Only a self-signed authority may do without its issuer's.
        if unsafe X509_get0_authority_key_id(x509) == nil && flags & UInt32(EXFLAG_SI) == 0 {
            return "4.2.1.1: no authority key identifier"
        }
        if unsafe isAuthority && X509_get0_subject_key_id(x509) == nil {
            return "4.2.1.2: authority without subject key identifier"
        }
        return !isLeaf && !isAuthority ? "4.2.1.9: issuer is not an authority" : nil
    }

    @unsafe private static func refusalOfExtensions(_ x509: OpaquePointer, isAuthority: Bool) -> String? {
        var seen: Set<[UInt8]> = []
        for index in unsafe 0..<X509_get_ext_count(x509) {
            let item = unsafe X509_get_ext(x509, index)
            let name = unsafe X509_EXTENSION_get_object(item)
            let identifier = unsafe Array(UnsafeBufferPointer(start: OBJ_get0_data(name), count: OBJ_length(name)))
            if !seen.insert(identifier).inserted { return "4.2: an extension stands twice" }
            let nid = unsafe OBJ_obj2nid(name)
            let isCritical = unsafe X509_EXTENSION_get_critical(item) == 1
            if nid == NID_name_constraints && !isCritical { return "4.2.1.10: name constraints are not critical" }
            if nid == NID_inhibit_any_policy && !isCritical { return "4.2.1.14: inhibition of anyPolicy is not critical" }
            if nid == NID_basic_constraints && isAuthority && !isCritical { return "4.2.1.9: basic constraints are not critical" }
            if nid == NID_name_constraints && !isAuthority { return "4.2.1.10: name constraints in what is no authority" }
        }
        return nil
    }
}

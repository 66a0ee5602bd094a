import COpenSSL

/// MBSTRING_UTF8, a macro of a macro.
let utf8Text = MBSTRING_FLAG

/// What a certification authority puts into a certificate.
public struct CertificateTemplate: Sendable {
    public enum Usage: Sendable {
        /// A certification authority with at most so many authorities below it.
        case authority(pathLength: Int)
        /// TLS client and server.
        case endEntity
        /// A TPM's endorsement key. The certificate has no subject: which TPM it is for is in the alternative name.
        case endorsementKey(TPMIdentity)
    }

    public var commonName: String
    public var organization: String
    public var serial: [UInt8]
    public var notBefore: Int64
    public var notAfter: Int64
    public var hostNames: [String]
    public var uris: [String]
    public var usage: Usage

    public init(
        commonName: String, organization: String, serial: [UInt8], notBefore: Int64, notAfter: Int64,
        hostNames: [String] = [], uris: [String] = [], usage: Usage
    ) {
        self.commonName = commonName
        self.organization = organization
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.hostNames = hostNames
        self.uris = uris
        self.usage = usage
    }

    /// Signs a certificate for `subjectKey`; self-signed if `issuer` is nil.
    public func issue(
        for subjectKey: P256PublicKey, by issuerKey: any SigningKey, issuer: Certificate?
    ) throws(CryptoError) -> Certificate {
        try checkNames()
        let x509 = unsafe X509_new()
        defer { unsafe X509_free(x509) }
        unsafe X509_set_version(x509, 2)
        let number = unsafe BN_bin2bn(serial, Int32(serial.count), nil)
        unsafe _ = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509))
        unsafe BN_free(number)
        unsafe ASN1_TIME_set(X509_getm_notBefore(x509), Int(notBefore))
        unsafe ASN1_TIME_set(X509_getm_notAfter(x509), Int(notAfter))
        unsafe addSubject(to: x509)
        let publicKey = unsafe EVP_PKEY_new()
        defer { unsafe EVP_PKEY_free(publicKey) }
        let ec = unsafe try subjectKey.makeECKey()
        unsafe EVP_PKEY_set1_EC_KEY(publicKey, ec)
        unsafe EC_KEY_free(ec)
        unsafe X509_set_pubkey(x509, publicKey)

        let issuerX509 = unsafe try issuer.map { (c) throws(CryptoError) in unsafe try Certificate.decode(c.der) }
        defer { unsafe X509_free(issuerX509) }
        unsafe X509_set_issuer_name(x509, X509_get_subject_name(issuerX509 ?? x509))
        for (nid, value) in extensions(selfSigned: issuer == nil) {
            var context = unsafe X509V3_CTX()
            unsafe X509V3_set_ctx(&context, issuerX509 ?? x509, x509, nil, nil, 0)
            guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, nid, value) else {
                throw .badCertificate(ErrorQueue.take())
            }
            unsafe X509_add_ext(x509, made, -1)
            unsafe X509_EXTENSION_free(made)
        }
        unsafe try addNames(to: x509)
        let signer = unsafe try issuerKey.makeEVPKey()
        defer { unsafe EVP_PKEY_free(signer) }
        guard unsafe X509_sign(x509, signer, EVP_sha256()) > 0 else { throw .failed(ErrorQueue.take()) }
        return try Certificate(der: unsafe Certificate.encode(x509))
    }

    @unsafe private func addSubject(to x509: OpaquePointer?) {
        if case .endorsementKey = usage { return }
        let subject = unsafe X509_get_subject_name(x509)
        unsafe X509_NAME_add_entry_by_NID(
            subject, NID_organizationName, utf8Text, Array(organization.utf8), Int32(organization.utf8.count), -1, 0)
        // RFC 5280 appendix A: a common name has at most 64 characters.
        let name = Array(commonName.utf8.prefix(64))
        unsafe X509_NAME_add_entry_by_NID(subject, NID_commonName, utf8Text, name, Int32(name.count), -1, 0)
    }

    private func extensions(selfSigned: Bool) -> [(Int32, String)] {
        var list: [(Int32, String)] = []
        switch usage {
        case .authority(let pathLength):
            list.append((NID_basic_constraints, "critical,CA:TRUE,pathlen:\(pathLength)"))
            list.append((NID_key_usage, "critical,keyCertSign,cRLSign"))
        case .endEntity:
            list.append((NID_basic_constraints, "critical,CA:FALSE"))
            list.append((NID_key_usage, "critical,digitalSignature"))
            list.append((NID_ext_key_usage, "clientAuth,serverAuth"))
        case .endorsementKey:
            list.append((NID_basic_constraints, "critical,CA:FALSE"))
            list.append((NID_key_usage, "critical,keyAgreement"))
            list.append((NID_ext_key_usage, TPMIdentity.purpose))
        }
        list.append((NID_subject_key_identifier, "hash"))
        if !selfSigned { list.append((NID_authority_key_identifier, "keyid:always")) }
        return list
    }

    /// What would be another name to somebody who reads it carelessly is not signed.
    private func checkNames() throws(CryptoError) {
        func refuse(_ text: String, _ isGood: (UInt8) -> Bool) throws(CryptoError) {
            guard !text.isEmpty, text.utf8.allSatisfy(isGood) else {
                throw .badCertificate(
                    "'\(text.unicodeScalars.map { $0.value < 32 ? "?" : String($0) }.joined())' is no name for a certificate")
            }
        }
        let (comma, asterisk) = (UInt8(ascii: ","), UInt8(ascii: "*"))
        var texts = [commonName, organization]
        if case .endorsementKey(let identity) = usage { texts = identity.values }
        for text in texts { try refuse(text) { $0 >= 0x20 && $0 != 0x7F && $0 != comma } }
        for host in hostNames {
            try refuse(host) { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || [0x2D, 0x2E, asterisk].contains($0) }
        }
        for uri in uris { try refuse(uri) { $0 > 0x20 && $0 < 0x7F && $0 != comma } }
    }

    /// By the library's calls, never by its configuration language: there a comma in a name begins the next one.
    @unsafe private func addNames(to x509: OpaquePointer?) throws(CryptoError) {
        if case .endorsementKey(let identity) = usage { return unsafe try identity.add(to: x509) }
        guard !hostNames.isEmpty || !uris.isEmpty else { return }
        let names = unsafe general_names_new()
        defer { unsafe general_names_free(names) }
        for (type, text) in hostNames.map({ (GEN_DNS, $0) }) + uris.map({ (GEN_URI, $0) }) {
            let bytes = Array(text.utf8)
            guard unsafe general_names_add(names, type, bytes, Int32(bytes.count)) == 1 else { throw .failed(ErrorQueue.take()) }
        }
        guard unsafe X509_add1_ext_i2d(x509, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, 0) == 1 else {
            throw .failed(ErrorQueue.take())
        }
    }
}

/// A PKCS#10 request (RFC 2986): a public key, a name, and proof that the asker holds the private key.
public struct CertificateRequest: Sendable {
    public let der: [UInt8]
    public let subjectName: String
    public let publicKey: P256PublicKey

    /// Signs a request with the key that it is for.
    public init(commonName: String, key: any SigningKey) throws(CryptoError) {
        let request = unsafe X509_REQ_new()
        defer { unsafe X509_REQ_free(request) }
        unsafe X509_REQ_set_version(request, 0)
        let name = Array(commonName.utf8.prefix(64))
        unsafe X509_NAME_add_entry_by_NID(
            X509_REQ_get_subject_name(request), NID_commonName, utf8Text, name, Int32(name.count), -1, 0)
        let signer = unsafe try key.makeEVPKey()
        defer { unsafe EVP_PKEY_free(signer) }
        unsafe X509_REQ_set_pubkey(request, signer)
        guard unsafe X509_REQ_sign(request, signer, EVP_sha256()) > 0 else { throw .failed(ErrorQueue.take()) }
        var bytes = [UInt8](repeating: 0, count: unsafe Int(i2d_X509_REQ(request, nil)))
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            unsafe _ = i2d_X509_REQ(request, &cursor)
        }
        der = bytes
        subjectName = String(decoding: name, as: UTF8.self)
        publicKey = key.publicKey
    }

    /// Refuses bytes that are no request, and a request whose signature is not by its own key.
    public init(der: [UInt8]) throws(CryptoError) {
        let (request, count) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let request = unsafe d2i_X509_REQ(nil, &cursor, buffer.count)
            return unsafe (request, cursor.map { unsafe $0 - buffer.baseAddress! } ?? 0)
        }
        guard let request = unsafe request else { throw .badRequest(ErrorQueue.take()) }
        defer { unsafe X509_REQ_free(request) }
        guard count == der.count else { throw .badRequest("\(der.count - count) bytes stand behind it") }
        guard let key = unsafe X509_REQ_get0_pubkey(request), let ec = unsafe EVP_PKEY_get0_EC_KEY(key),
            unsafe EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == NID_X9_62_prime256v1
        else {
            ErrorQueue.clear()
            throw .badRequest("the key is not on P-256")
        }
        guard unsafe X509_REQ_verify(request, key) == 1 else {
            ErrorQueue.clear()
            throw .badRequest("the signature is not by the key that it asks for")
        }
        var buffer = [CChar](repeating: 0, count: 256)
        let length = unsafe X509_NAME_get_text_by_NID(
            X509_REQ_get_subject_name(request), NID_commonName, &buffer, 256)
        subjectName = String(
            decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.der = der
        unsafe publicKey = P256PublicKey(ecKey: ec)
    }
}

/// Certificates in a certs-only PKCS#7 (RFC 2315 as RFC 7030 section 4.1.3 uses it).
public enum CertificateBundle {
    /// They are a set, which DER sorts (X.690 section 11.6): their order says nothing.
    public static func encode(_ certificates: [Certificate]) throws(CryptoError) -> [UInt8] {
        let bundle = unsafe PKCS7_new()
        defer { unsafe PKCS7_free(bundle) }
        guard unsafe PKCS7_set_type(bundle, NID_pkcs7_signed) == 1, unsafe pkcs7_make_empty_content(bundle) == 1 else {
            throw .failed(ErrorQueue.take())
        }
        for certificate in certificates.sorted(by: { $0.der.lexicographicallyPrecedes($1.der) }) {
            let x509 = unsafe try Certificate.decode(certificate.der)
            defer { unsafe X509_free(x509) }
            guard unsafe PKCS7_add_certificate(bundle, x509) == 1 else { throw .failed(ErrorQueue.take()) }
        }
        var bytes = [UInt8](repeating: 0, count: unsafe Int(i2d_PKCS7(bundle, nil)))
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            unsafe _ = i2d_PKCS7(bundle, &cursor)
        }
        ErrorQueue.clear()
        return bytes
    }

    public static func decode(_ der: [UInt8]) throws(CryptoError) -> [Certificate] {
        let bundle = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_PKCS7(nil, &cursor, buffer.count)
        }
        guard let bundle = unsafe bundle else { throw .badCertificate(ErrorQueue.take()) }
        defer { unsafe PKCS7_free(bundle) }
        let stack = unsafe pkcs7_certificates(bundle)
        var certificates: [Certificate] = []
        for index in unsafe 0..<x509_stack_count(stack) {
            certificates.append(try Certificate(der: unsafe Certificate.encode(x509_stack_at(stack, index))))
        }
        return certificates
    }
}

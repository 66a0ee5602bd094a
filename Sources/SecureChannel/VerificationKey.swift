import COpenSSL

/// A public key of one of the kinds that update metadata is signed with.
@safe public final class VerificationKey {
    private enum Scheme { case ed25519, ecdsa(Int32), rsaPSS(Int), rsaPKCS1 }

    private let scheme: Scheme
    private let handle: OpaquePointer
    /// The key as SubjectPublicKeyInfo in DER: the same key under two names is one key.
    public let encoded: [UInt8]

    /// - Parameters:
    ///   - type, scheme: As TUF names them (1.0.34 section 4.2): `ed25519`, `ecdsa` with `ecdsa-sha2-nistp256`,
    ///     `…nistp384` or `…nistp521`, `rsa` with `rsassa-pss-sha256`, `…sha512` or (RFC 8017 section 8.2, as older
    ///     repositories have it) `rsa-pkcs1v15-sha256`.
    ///   - text: 64 hexadecimal digits for Ed25519, else PEM. Nil for anything else.
    public init?(type: String, scheme name: String, text: String) {
        let key: OpaquePointer?
        switch (type, name) {
        case ("ed25519", "ed25519"):
            guard let bytes = [UInt8](hex: text), bytes.count == 32 else { return nil }
            scheme = .ed25519
            unsafe key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, 32)
        case ("ecdsa", "ecdsa-sha2-nistp256"), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"):
            scheme = .ecdsa(256)
            unsafe key = VerificationKey.usual(pem: text) ?? VerificationKey.read(pem: text)
        case ("ecdsa", "ecdsa-sha2-nistp384"), ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"):
            scheme = .ecdsa(384)
            unsafe key = VerificationKey.read(pem: text)
        case ("ecdsa", "ecdsa-sha2-nistp521"):
            scheme = .ecdsa(521)
            unsafe key = VerificationKey.read(pem: text)
        case ("rsa", "rsassa-pss-sha256"):
            scheme = .rsaPSS(256)
            unsafe key = VerificationKey.read(pem: text)
        case ("rsa", "rsassa-pss-sha512"):
            scheme = .rsaPSS(512)
            unsafe key = VerificationKey.read(pem: text)
        case ("rsa", "rsa-pkcs1v15-sha256"):
            scheme = .rsaPKCS1
            unsafe key = VerificationKey.read(pem: text)
        default: return nil
        }
        guard let key = unsafe key else {
            ErrorQueue.clear()
            return nil
        }
        let kind = unsafe EVP_PKEY_get_base_id(key)
        let isRight =
            switch scheme {
            case .ed25519: kind == EVP_PKEY_ED25519
            case .ecdsa(let bits): unsafe kind == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == bits
            case .rsaPSS, .rsaPKCS1: unsafe kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= 2048
            }
        guard isRight else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe handle = key
        var der = [UInt8](repeating: 0, count: unsafe max(0, Int(i2d_PUBKEY(key, nil))))
        unsafe der.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            unsafe _ = i2d_PUBKEY(key, &cursor)
        }
        encoded = der
    }

    deinit { unsafe EVP_PKEY_free(handle) }

    @unsafe private static func read(pem: String) -> OpaquePointer? {
        let bio = unsafe StoredCertificate.memory(Array(pem.utf8))
        defer { unsafe BIO_free(bio) }
        return unsafe PEM_read_bio_PUBKEY(bio, nil, nil, nil)
    }

    /// SubjectPublicKeyInfo of a key on P-256 (RFC 5480), up to the octets of its uncompressed point.
    private static let usualHead: [UInt8] =
        [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
        + [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04]

    /// The key that nearly all metadata has, known by its first bytes: to find out what a key is, OpenSSL asks each of its decoders, which
    /// takes four times as long as a signature's verification. Nil for any other.
    @unsafe private static func usual(pem: String) -> OpaquePointer? {
        let bio = unsafe StoredCertificate.memory(Array(pem.utf8))
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var length = 0
        let isRead = unsafe PEM_read_bio(bio, &name, &header, &data, &length) == 1
        defer {
            unsafe CRYPTO_free(name, nil, 0)
            unsafe CRYPTO_free(header, nil, 0)
            unsafe CRYPTO_free(data, nil, 0)
            unsafe BIO_free(bio)
            ErrorQueue.clear()
        }
        guard isRead, let name = unsafe name, let header = unsafe header, let data = unsafe data,
            unsafe String(cString: name) == "PUBLIC KEY", unsafe header.pointee == 0
        else { return nil }
        let der = unsafe Array(UnsafeBufferPointer(start: data, count: length))
        guard der.starts(with: usualHead), let point = try? P256PublicKey(Array(der.dropFirst(usualHead.count))),
            let ec = unsafe try? point.makeECKey()
        else { return nil }
        defer { unsafe EC_KEY_free(ec) }
        let key = unsafe EVP_PKEY_new()
        guard unsafe EVP_PKEY_set1_EC_KEY(key, ec) == 1 else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        return unsafe key
    }

    /// For a signature in the scheme's usual form (ECDSA: DER).
    public func isValid(signature: [UInt8], message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer {
            unsafe EVP_MD_CTX_free(context)
            ErrorQueue.clear()
        }
        var parameters: OpaquePointer?
        let hash: OpaquePointer? =
            switch scheme {
            case .ed25519: nil
            case .ecdsa(384): unsafe EVP_sha384()
            case .ecdsa(521), .rsaPSS(512): unsafe EVP_sha512()
            case .ecdsa, .rsaPSS, .rsaPKCS1: unsafe EVP_sha256()
            }
        guard unsafe EVP_DigestVerifyInit(context, &parameters, hash, nil, handle) == 1 else { return false }
        if case .rsaPSS = scheme {
            // RSA_PSS_SALTLEN_AUTO: whatever salt the signer chose.
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, -2) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

extension P256PublicKey {
    /// SubjectPublicKeyInfo (RFC 5480) in PEM.
    public var pem: String {
        guard let key = unsafe try? makeECKey() else { return "" }
        let bio = unsafe BIO_new(BIO_s_mem())
        defer {
            unsafe EC_KEY_free(key)
            unsafe BIO_free(bio)
        }
        guard unsafe PEM_write_bio_EC_PUBKEY(bio, key) == 1 else { return "" }
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = unsafe BIO_read(bio, &buffer, 512)
        return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
    }
}

/// An ECDSA signature r ‖ s, of 64 bytes for P-256, 96 for P-384 or 132 for P-521, as DER (RFC 3279 section 2.2.3); else nothing.
public func derSignature(_ raw: [UInt8]) -> [UInt8] {
    guard [64, 96, 132].contains(raw.count) else { return [] }
    let half = raw.count / 2
    let signature = unsafe ECDSA_SIG_new()
    defer { unsafe ECDSA_SIG_free(signature) }
    unsafe ECDSA_SIG_set0(
        signature, BN_bin2bn(Array(raw[..<half]), Int32(half), nil), BN_bin2bn(Array(raw[half...]), Int32(half), nil))
    var der = [UInt8](repeating: 0, count: unsafe max(0, Int(i2d_ECDSA_SIG(signature, nil))))
    unsafe der.withUnsafeMutableBufferPointer { buffer in
        var cursor = buffer.baseAddress
        unsafe _ = i2d_ECDSA_SIG(signature, &cursor)
    }
    return der
}

/// A digest by the name that update metadata uses: `sha256` or `sha512`; nil for another.
public func digest(_ algorithm: String, _ bytes: [UInt8]) -> [UInt8]? {
    switch algorithm {
    case "sha256": return sha256(bytes)
    case "sha512":
        var digest = [UInt8](repeating: 0, count: 64)
        unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha512(), nil)
        return digest
    default: return nil
    }
}

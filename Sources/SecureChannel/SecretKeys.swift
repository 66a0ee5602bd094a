import COpenSSL

/// HMAC (RFC 2104) with SHA-256.
public func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: 32)
    unsafe HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, nil)
    return code
}

/// Encrypts with AES-128 in CFB mode (NIST SP 800-38A, blocks of 128 bits) and an initial vector of zeros, which is safe for one
/// message under each key.
public func aes128CFB(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    precondition(key.count == 16, "a key of \(key.count) bytes")
    let context = unsafe EVP_CIPHER_CTX_new()
    defer { unsafe EVP_CIPHER_CTX_free(context) }
    var encrypted = [UInt8](repeating: 0, count: message.count)
    var count: Int32 = 0
    unsafe EVP_EncryptInit_ex(context, EVP_aes_128_cfb128(), nil, key, [UInt8](repeating: 0, count: 16))
    unsafe EVP_EncryptUpdate(context, &encrypted, &count, message, Int32(message.count))
    return encrypted
}

extension P256PrivateKey {
    /// Elliptic-curve Diffie-Hellman (NIST SP 800-56A section 5.7.1.2): the x-coordinate of the shared point, 32 bytes.
    public func sharedSecret(with other: P256PublicKey) throws(CryptoError) -> [UInt8] {
        let peer = unsafe try other.makeECKey()
        defer { unsafe EC_KEY_free(peer) }
        var secret = [UInt8](repeating: 0, count: 32)
        guard unsafe ECDH_compute_key(&secret, 32, EC_KEY_get0_public_key(peer), key, nil) == 32 else {
            throw .failed(ErrorQueue.take())
        }
        return secret
    }
}

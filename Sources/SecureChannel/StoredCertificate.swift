import COpenSSL

extension Certificate {
    /// As files have it (RFC 7468).
    public var pem: [UInt8] {
        guard let bio = unsafe BIO_new(BIO_s_mem()), let x509 = unsafe try? Certificate.decode(der) else { return [] }
        defer {
            unsafe BIO_free(bio)
            unsafe X509_free(x509)
        }
        unsafe _ = PEM_write_bio_X509(bio, x509)
        var bytes = [UInt8](repeating: 0, count: unsafe bio_pending_bytes(bio))
        unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        return bytes
    }

    /// All certificates of a file in PEM.
    /// - Throws: If one of them is none that is understood here, or there is none at all.
    public static func list(pem: [UInt8]) throws(CryptoError) -> [Certificate] {
        var list: [Certificate] = []
        for der in try encoded(pem: pem) { list.append(try Certificate(der: der)) }
        return list
    }

    /// The same as DER, with keys of any kind.
    public static func encoded(pem: [UInt8]) throws(CryptoError) -> [[UInt8]] {
        let bio = unsafe StoredCertificate.memory(pem)
        defer {
            unsafe BIO_free(bio)
            ErrorQueue.clear()
        }
        var list: [[UInt8]] = []
        while let x509 = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
            defer { unsafe X509_free(x509) }
            unsafe list.append(encode(x509))
        }
        guard !list.isEmpty else { throw .badCertificate("no certificate in PEM") }
        return list
    }
}

/// A certificate of whatever kind, as somebody hands it over in PEM: what can be said of it, and whether a key is its own.
@safe public struct StoredCertificate: Sendable {
    /// One line, as RFC 4514 has it.
    public let subject: String
    public let issuer: String
    /// Unix seconds.
    public let notBefore: Int64
    public let notAfter: Int64
    private let pem: [UInt8]

    public init(pem: [UInt8]) throws(CryptoError) {
        let x509 = unsafe try StoredCertificate.read(pem)
        defer { unsafe X509_free(x509) }
        self.pem = pem
        unsafe subject = StoredCertificate.line(X509_get_subject_name(x509))
        unsafe issuer = StoredCertificate.line(X509_get_issuer_name(x509))
        unsafe notBefore = Certificate.unixSeconds(X509_get0_notBefore(x509))
        unsafe notAfter = Certificate.unixSeconds(X509_get0_notAfter(x509))
    }

    /// Whether a private key in PEM is this certificate's.
    /// - Throws: If the key cannot be read: a wrong password, or no key.
    public func isOwn(key: [UInt8], password: [UInt8]) throws(CryptoError) -> Bool {
        let x509 = unsafe try StoredCertificate.read(pem)
        defer { unsafe X509_free(x509) }
        let bio = unsafe StoredCertificate.memory(key)
        defer { unsafe BIO_free(bio) }
        // Without a password, an encrypted key would be asked for at the terminal.
        var text = password + [0]
        let read = unsafe text.withUnsafeMutableBytes { unsafe PEM_read_bio_PrivateKey(bio, nil, nil, $0.baseAddress) }
        guard let read = unsafe read else {
            ErrorQueue.clear()
            throw .badKey("no private key in PEM, or another password")
        }
        defer { unsafe EVP_PKEY_free(read) }
        defer { ErrorQueue.clear() }
        return unsafe X509_check_private_key(x509, read) == 1
    }

    @unsafe private static func read(_ pem: [UInt8]) throws(CryptoError) -> OpaquePointer {
        let bio = unsafe memory(pem)
        defer { unsafe BIO_free(bio) }
        guard let x509 = unsafe PEM_read_bio_X509(bio, nil, nil, nil) else {
            ErrorQueue.clear()
            throw .badCertificate("no certificate in PEM")
        }
        return unsafe x509
    }

    /// Bytes for OpenSSL to read from: copied, since an array's place is its own only during a call.
    @unsafe static func memory(_ bytes: [UInt8]) -> OpaquePointer? {
        let bio = unsafe BIO_new(BIO_s_mem())
        unsafe BIO_write(bio, bytes, Int32(bytes.count))
        return unsafe bio
    }

    @unsafe private static func line(_ name: OpaquePointer?) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        unsafe X509_NAME_print_ex(bio, name, 0, name_line_flags())
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
    }
}

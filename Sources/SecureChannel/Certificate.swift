import COpenSSL

/// An X.509 certificate (RFC 5280) with the fields that decisions are made on.
public struct Certificate: Hashable, Sendable {
    public let der: [UInt8]
    public let subjectName: String
    public let organization: String
    public let serial: [UInt8]
    /// Unix seconds.
    public let notBefore: Int64
    public let notAfter: Int64
    public let publicKey: P256PublicKey
    public let hostNames: [String]
    public let uris: [String]

    public init(der: [UInt8]) throws(CryptoError) {
        let x509 = unsafe try Certificate.decode(der)
        defer { unsafe X509_free(x509) }
        unsafe try self.init(x509)
    }

    /// From what OpenSSL has parsed already: parsing a key again is the dearest part of a handshake.
    @unsafe init(_ x509: OpaquePointer) throws(CryptoError) {
        // EVP_PKEY_get0_EC_KEY would copy the key into the form of OpenSSL 1: the point's octets are enough.
        var point = [UInt8](repeating: 0, count: 65)
        var length = 0
        guard let key = unsafe X509_get0_pubkey(x509), unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_EC,
            unsafe EVP_PKEY_get_bits(key) == 256,
            unsafe EVP_PKEY_get_octet_string_param(key, "pub", &point, 65, &length) == 1, length == 65
        else {
            ErrorQueue.clear()
            throw .badCertificate("the key is not on P-256")
        }
        unsafe der = Certificate.encode(x509)
        publicKey = P256PublicKey(checked: Array(point[1...]))
        let subject = unsafe X509_get_subject_name(x509)
        unsafe subjectName = Certificate.text(subject, NID_commonName)
        unsafe organization = Certificate.text(subject, NID_organizationName)
        unsafe notBefore = Certificate.unixSeconds(X509_get0_notBefore(x509))
        unsafe notAfter = Certificate.unixSeconds(X509_get0_notAfter(x509))
        let number = unsafe X509_get0_serialNumber(x509)
        unsafe serial = Array(
            UnsafeBufferPointer(start: ASN1_STRING_get0_data(number), count: Int(ASN1_STRING_length(number))))
        var names: (hosts: [String], uris: [String]) = ([], [])
        if let raw = unsafe X509_get_ext_d2i(x509, NID_subject_alt_name, nil, nil) {
            let list = OpaquePointer(raw)
            for index in unsafe 0..<general_name_count(list) {
                var type: Int32 = 0
                guard let text = unsafe general_name_text(general_name_at(list, index), &type) else { continue }
                let bytes = unsafe UnsafeBufferPointer(
                    start: ASN1_STRING_get0_data(text), count: Int(ASN1_STRING_length(text)))
                let string = unsafe String(decoding: bytes, as: UTF8.self)
                if type == GEN_DNS { names.hosts.append(string) } else { names.uris.append(string) }
            }
            unsafe GENERAL_NAMES_free(list)
        }
        (hostNames, uris) = names
        ErrorQueue.clear()
    }

    @unsafe static func decode(_ der: [UInt8]) throws(CryptoError) -> OpaquePointer {
        let (x509, consumed) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let x509 = unsafe d2i_X509(nil, &cursor, buffer.count)
            return unsafe (x509, cursor.map { unsafe $0 - buffer.baseAddress! } ?? 0)
        }
        guard let x509 = unsafe x509 else { throw .badCertificate(ErrorQueue.take()) }
        guard consumed == der.count else {
            unsafe X509_free(x509)
            throw .badCertificate("bytes after its end")
        }
        return unsafe x509
    }

    /// Certificates one after the other, in this order, as `joinedDER` wrote them: DER says itself where it ends.
    public static func list(joinedDER bytes: [UInt8]) throws(CryptoError) -> [Certificate] {
        var list: [Certificate] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let (x509, length) = unsafe rest.withUnsafeBufferPointer { buffer in
                var cursor = buffer.baseAddress
                let x509 = unsafe d2i_X509(nil, &cursor, buffer.count)
                return unsafe (x509, cursor.map { unsafe $0 - buffer.baseAddress! } ?? 0)
            }
            guard let x509 = unsafe x509 else { throw .badCertificate(ErrorQueue.take()) }
            defer { unsafe X509_free(x509) }
            list.append(unsafe try Certificate(x509))
            rest = rest.dropFirst(length)
        }
        return list
    }

    @unsafe static func encode(_ x509: OpaquePointer?) -> [UInt8] {
        let length = unsafe Int(i2d_X509(x509, nil))
        guard length > 0 else { return [] }
        var der = [UInt8](repeating: 0, count: length)
        unsafe der.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            unsafe _ = i2d_X509(x509, &cursor)
        }
        return der
    }

    @unsafe private static func text(_ name: OpaquePointer?, _ nid: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let length = unsafe X509_NAME_get_text_by_NID(name, nid, &buffer, 256)
        return String(decoding: buffer.prefix(max(0, Int(length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @unsafe static func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var days: Int32 = 0
        var seconds: Int32 = 0
        let epoch = unsafe ASN1_TIME_set(nil, 0)
        defer { unsafe ASN1_STRING_free(epoch) }
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(seconds)
    }
}

extension [Certificate] {
    /// One after the other, in this order.
    public var joinedDER: [UInt8] { flatMap(\.der) }
}

import COpenSSL

public enum CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    case badKey(String)
    case badCertificate(String)
    case badRequest(String)
    case failed(String)

    public var description: String {
        switch self {
        case .badKey(let reason): "no key: \(reason)"
        case .badCertificate(let reason): "no certificate: \(reason)"
        case .badRequest(let reason): "no certificate request: \(reason)"
        case .failed(let reason): reason
        }
    }
}

/// Something that signs with a P-256 key that it does not give away.
public protocol SigningKey: AnyObject {
    var publicKey: P256PublicKey { get }
    /// ECDSA over a SHA-256 digest; 64 bytes, r then s, big-endian.
    func sign(digest: [UInt8]) -> [UInt8]
}

/// A point on P-256: 64 bytes, x then y, big-endian.
public struct P256PublicKey: Hashable, Sendable {
    public let bytes: [UInt8]

    /// Fails unless the bytes are a point on the curve.
    public init(_ bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == 64 else { throw .badKey("\(bytes.count) bytes in place of 64") }
        self.bytes = bytes
        unsafe EC_KEY_free(try makeECKey())
    }

    /// For ECDSA over a SHA-256 digest, with a signature of 64 bytes r ‖ s.
    public func isValid(signature: [UInt8], digest: [UInt8]) -> Bool {
        guard signature.count == 64, digest.count == 32, let key = unsafe try? makeECKey() else { return false }
        defer { unsafe EC_KEY_free(key) }
        let parsed = unsafe ECDSA_SIG_new()
        defer { unsafe ECDSA_SIG_free(parsed) }
        let r = unsafe BN_bin2bn(Array(signature[..<32]), 32, nil)
        let s = unsafe BN_bin2bn(Array(signature[32...]), 32, nil)
        guard unsafe ECDSA_SIG_set0(parsed, r, s) == 1 else { return false }
        let result = unsafe ECDSA_do_verify(digest, 32, parsed, key)
        ErrorQueue.clear()
        return result == 1
    }

    func makeECKey() throws(CryptoError) -> OpaquePointer {
        let key = unsafe EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)
        guard let key = unsafe key, unsafe EC_KEY_oct2key(key, [4] + bytes, 65, nil) == 1 else {
            unsafe EC_KEY_free(key)
            ErrorQueue.clear()
            throw .badKey("not a point on P-256")
        }
        return unsafe key
    }

    /// From octets that OpenSSL has decoded already.
    init(checked bytes: [UInt8]) { self.bytes = bytes }

    @unsafe init(ecKey: OpaquePointer) {
        var buffer = [UInt8](repeating: 0, count: 65)
        let group = unsafe EC_KEY_get0_group(ecKey)
        let point = unsafe EC_KEY_get0_public_key(ecKey)
        unsafe EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, &buffer, 65, nil)
        bytes = Array(buffer[1...])
    }
}

/// A P-256 key pair in this process's memory.
@safe public final class P256PrivateKey: SigningKey {
    let key: OpaquePointer
    public let publicKey: P256PublicKey

    /// From the 32 bytes of the private scalar; fails for zero and for values beyond the group's order.
    public init(scalar: [UInt8]) throws(CryptoError) {
        guard scalar.count == 32 else { throw .badKey("\(scalar.count) bytes in place of 32") }
        let key = unsafe EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)!
        let group = unsafe EC_KEY_get0_group(key)
        let number = unsafe BN_bin2bn(scalar, 32, nil)
        let point = unsafe EC_POINT_new(group)
        defer {
            unsafe BN_clear_free(number)
            unsafe EC_POINT_free(point)
        }
        guard unsafe EC_KEY_set_private_key(key, number) == 1,
            unsafe EC_POINT_mul(group, point, number, nil, nil, nil) == 1,
            unsafe EC_KEY_set_public_key(key, point) == 1, unsafe EC_KEY_check_key(key) == 1
        else {
            unsafe EC_KEY_free(key)
            ErrorQueue.clear()
            throw .badKey("not a private key of P-256")
        }
        unsafe self.key = key
        unsafe publicKey = P256PublicKey(ecKey: key)
    }

    /// A new key from the process's random source.
    public convenience init() { self.init(copying: P256PrivateKey.draw().key) }

    /// A new key from the process's random source, and its 32 bytes for whoever keeps it.
    public static func draw() -> (scalar: [UInt8], key: P256PrivateKey) {
        // One draw in 2^32 is not below the group's order.
        while true {
            let scalar = Randomness.bytes(32)
            if let key = try? P256PrivateKey(scalar: scalar) { return (scalar, key) }
        }
    }

    private init(copying other: P256PrivateKey) {
        unsafe EC_KEY_up_ref(other.key)
        unsafe key = other.key
        publicKey = other.publicKey
    }

    deinit { unsafe EC_KEY_free(key) }

    public func sign(digest: [UInt8]) -> [UInt8] {
        let signature = unsafe ECDSA_do_sign(digest, Int32(digest.count), key)
        defer { unsafe ECDSA_SIG_free(signature) }
        var raw = [UInt8](repeating: 0, count: 64)
        unsafe raw.withUnsafeMutableBufferPointer { buffer in
            unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), buffer.baseAddress!, 32)
            unsafe BN_bn2binpad(ECDSA_SIG_get0_s(signature), buffer.baseAddress! + 32, 32)
        }
        return raw
    }
}

extension SigningKey {
    /// A key as OpenSSL wants it, whose signatures are made by `self`: OpenSSL never sees the private part.
    ///
    /// The caller frees the result, which keeps `self` alive as long as it is in use.
    @unsafe func makeEVPKey() throws(CryptoError) -> OpaquePointer {
        let key = unsafe try publicKey.makeECKey()
        defer { unsafe EC_KEY_free(key) }
        // Released when OpenSSL drops its last reference to the key.
        let box = unsafe Unmanaged.passRetained(SigningBox(self)).toOpaque()
        unsafe EC_KEY_set_method(key, SigningBox.method)
        unsafe EC_KEY_set_ex_data(key, SigningBox.index, box)
        let pkey = unsafe EVP_PKEY_new()
        guard let pkey = unsafe pkey, unsafe EVP_PKEY_set1_EC_KEY(pkey, key) == 1 else {
            throw .failed(ErrorQueue.take())
        }
        return unsafe pkey
    }
}

/// Carries a ``SigningKey`` through OpenSSL's untyped slot.
final class SigningBox {
    let key: any SigningKey
    init(_ key: any SigningKey) { self.key = key }

    static let index = unsafe ec_key_data_index(
        { _, _, slot, _, _, _ in
            if let box = unsafe slot?.pointee { unsafe _ = Unmanaged<SigningBox>.fromOpaque(box).retain() }
            return 1
        },
        { _, box, _, _, _, _ in
            if let box = unsafe box { unsafe Unmanaged<SigningBox>.fromOpaque(box).release() }
        })

    nonisolated(unsafe) static let method: OpaquePointer? = {
        let method = unsafe EC_KEY_METHOD_new(EC_KEY_OpenSSL())
        unsafe EC_KEY_METHOD_set_sign(
            method,
            { type, digest, count, signature, length, _, _, key in
                let made = unsafe SigningBox.sign(digest, count, key)
                guard let made = unsafe made else { return 0 }
                defer { unsafe ECDSA_SIG_free(made) }
                var out = unsafe signature
                unsafe length?.pointee = UInt32(i2d_ECDSA_SIG(made, &out))
                return 1
            },
            { _, _, _, _ in 1 },
            { digest, count, _, _, key in unsafe SigningBox.sign(digest, count, key) })
        return unsafe method
    }()

    private static func sign(
        _ digest: UnsafePointer<UInt8>?, _ count: Int32, _ key: OpaquePointer?
    ) -> OpaquePointer? {
        guard let slot = unsafe EC_KEY_get_ex_data(key, index), let digest = unsafe digest else { return nil }
        let box = unsafe Unmanaged<SigningBox>.fromOpaque(slot).takeUnretainedValue()
        let raw = box.key.sign(digest: unsafe Array(UnsafeBufferPointer(start: digest, count: Int(count))))
        let signature = unsafe ECDSA_SIG_new()
        unsafe ECDSA_SIG_set0(
            signature, BN_bin2bn(Array(raw[..<32]), 32, nil), BN_bin2bn(Array(raw[32...]), 32, nil))
        return unsafe signature
    }
}

/// OpenSSL keeps errors in a queue per thread; each failure must leave it empty.
enum ErrorQueue {
    static func clear() { ERR_clear_error() }

    /// The reason of the oldest error, as OpenSSL words it.
    static func take() -> String {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown" }
        return unsafe String(cString: text)
    }
}

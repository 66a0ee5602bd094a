import COpenSSL

/// What a manufacturer says of its TPM in the endorsement key's certificate (TCG EK Credential Profile for TPM Family 2.0,
/// section 3.1.2): the attributes of the alternative name.
public struct TPMIdentity: Hashable, Sendable {
    /// `id:` and eight hexadecimal digits: the manufacturer's letters (TCG Vendor ID Registry).
    public var manufacturer: String
    public var model: String
    /// `id:` and hexadecimal digits: the firmware's version.
    public var version: String

    public init(manufacturer: String, model: String, version: String) {
        (self.manufacturer, self.model, self.version) = (manufacturer, model, version)
    }

    /// tcg-at-tpmManufacturer, tcg-at-tpmModel, tcg-at-tpmVersion.
    static let identifiers = ["2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"]
    /// tcg-kp-EKCertificate.
    static let purpose = "2.23.133.8.1"

    var values: [String] { [manufacturer, model, version] }

    /// A critical alternative name of one directory name: the subject is empty then.
    @unsafe func add(to x509: OpaquePointer?) throws(CryptoError) {
        let name = unsafe X509_NAME_new()
        defer { unsafe X509_NAME_free(name) }
        for (identifier, value) in zip(TPMIdentity.identifiers, values) {
            let type = unsafe OBJ_txt2obj(identifier, 1)
            defer { unsafe ASN1_OBJECT_free(type) }
            let bytes = Array(value.utf8)
            guard unsafe X509_NAME_add_entry_by_OBJ(name, type, utf8Text, bytes, Int32(bytes.count), -1, 0) == 1 else {
                throw .failed(ErrorQueue.take())
            }
        }
        let names = unsafe general_names_new()
        defer { unsafe general_names_free(names) }
        guard unsafe general_names_add_directory(names, name) == 1,
            unsafe X509_add1_ext_i2d(x509, NID_subject_alt_name, UnsafeMutableRawPointer(names), 1, 0) == 1
        else { throw .failed(ErrorQueue.take()) }
    }
}

/// Why a certificate is not one of an endorsement key.
public enum EndorsementRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    case certificate(CryptoError)
    /// No path from one of the manufacturers' roots.
    case path(PathRefusal)
    /// Its key usage or its extended key usage is for something else.
    case purpose
    /// Its alternative name lacks what TPM it is.
    case identity
    /// It is another key's.
    case anotherKey

    public var description: String {
        switch self {
        case .certificate(let error): "\(error)"
        case .path(let refusal): refusal.words
        case .purpose: "it is for something else than an endorsement key"
        case .identity: "it does not say which TPM it is for"
        case .anotherKey: "it is another key's"
        }
    }
}

extension Certificate {
    /// What it says of the TPM; nil if it says nothing or only a part.
    public var tpmIdentity: TPMIdentity? {
        guard let x509 = unsafe try? Certificate.decode(der) else { return nil }
        defer {
            unsafe X509_free(x509)
            ErrorQueue.clear()
        }
        guard let raw = unsafe X509_get_ext_d2i(x509, NID_subject_alt_name, nil, nil) else { return nil }
        let list = OpaquePointer(raw)
        defer { unsafe GENERAL_NAMES_free(list) }
        for index in unsafe 0..<general_name_count(list) {
            guard let name = unsafe general_name_directory(general_name_at(list, index)) else { continue }
            let values = TPMIdentity.identifiers.map { unsafe Certificate.text(name, identifier: $0) }
            guard let manufacturer = values[0], let model = values[1], let version = values[2] else { continue }
            return TPMIdentity(manufacturer: manufacturer, model: model, version: version)
        }
        return nil
    }

    @unsafe private static func text(_ name: OpaquePointer?, identifier: String) -> String? {
        let type = unsafe OBJ_txt2obj(identifier, 1)
        defer { unsafe ASN1_OBJECT_free(type) }
        let place = unsafe X509_NAME_get_index_by_OBJ(name, type, -1)
        guard place >= 0, let value = unsafe X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place)) else { return nil }
        return unsafe String(
            decoding: UnsafeBufferPointer(start: ASN1_STRING_get0_data(value), count: Int(ASN1_STRING_length(value))), as: UTF8.self)
    }

    /// Key agreement alone, and the TCG's purpose among the extended ones.
    private var isForEndorsementKey: Bool {
        guard let x509 = unsafe try? Certificate.decode(der) else { return false }
        defer {
            unsafe X509_free(x509)
            ErrorQueue.clear()
        }
        guard unsafe X509_get_key_usage(x509) == UInt32(KU_KEY_AGREEMENT),
            let raw = unsafe X509_get_ext_d2i(x509, NID_ext_key_usage, nil, nil)
        else { return false }
        let purposes = OpaquePointer(raw)
        defer { unsafe EXTENDED_KEY_USAGE_free(purposes) }
        let wanted = unsafe OBJ_txt2obj(TPMIdentity.purpose, 1)
        defer { unsafe ASN1_OBJECT_free(wanted) }
        return unsafe (0..<purpose_count(purposes)).contains { unsafe OBJ_cmp(purpose_at(purposes, $0), wanted) == 0 }
    }

    /// Appraises the certificate of an endorsement key.
    /// - Parameters:
    ///   - key: The endorsement key as the device tells it.
    ///   - manufacturers: Knows the roots, and the authorities below them.
    public static func appraise(
        endorsement der: [UInt8], of key: P256PublicKey, by manufacturers: PathValidator, unixSeconds: Int64
    ) throws(EndorsementRefusal) -> TPMIdentity {
        let certificate: Certificate
        do throws(CryptoError) { certificate = try Certificate(der: der) } catch { throw .certificate(error) }
        if let refusal = manufacturers.refusal(of: der, unixSeconds: unixSeconds) { throw .path(refusal) }
        guard certificate.isForEndorsementKey else { throw .purpose }
        guard let identity = certificate.tpmIdentity else { throw .identity }
        guard certificate.publicKey == key else { throw .anotherKey }
        return identity
    }
}

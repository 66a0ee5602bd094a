import Formats
import SecureChannel

/// The certificate store that the device's apps share (APP-9): certificates by identifiers that are of the whole device.
public final class CertificateServices {
    private struct Entry {
        var certificate: StoredCertificate
        var pem: [UInt8]
        var hasKey: Bool
    }

    private static let longest = 8192
    private static let longestName = 16
    /// Of the flash behind it.
    private static let spaceBytes = 64 << 10
    private var entries: [String: Entry] = [:]

    public init() {}

    public func answer(_ operation: ServiceOperation, _ input: [UInt8]) throws(Errno) -> ServiceAnswer {
        switch operation {
        case .installClientCertificate, .installRootCertificate: try install(input, isClient: operation == .installClientCertificate)
        case .deleteCertificate:
            guard entries.removeValue(forKey: try name(input)) != nil else { throw .ENOENT }
        case .certificateCount: return ServiceAnswer(Int32(entries.count))
        case .certificateAt:
            let names = entries.keys.sorted()
            guard let index = Bytes(input).u32(0), index < UInt32(names.count) else { throw .ERANGE }
            return ServiceAnswer(0, Array(names[Int(index)].utf8))
        case .certificateSpace: return ServiceAnswer(Int32(freeBytes))
        case .certificateSubject: return ServiceAnswer(0, Array(try entry(input).certificate.subject.utf8))
        case .certificateIssuer: return ServiceAnswer(0, Array(try entry(input).certificate.issuer.utf8))
        case .certificateNotBefore: return ServiceAnswer(0, try entry(input).certificate.notBefore.littleEndianBytes)
        case .certificateNotAfter: return ServiceAnswer(0, try entry(input).certificate.notAfter.littleEndianBytes)
        case .moveCertificate:
            let parts = input.split(separator: 0, maxSplits: 1).map(Array.init)
            guard parts.count == 2 else { throw .EINVAL }
            let (old, new) = (try name(parts[0]), try name(parts[1]))
            guard let entry = entries.removeValue(forKey: old) else { throw .ENOENT }
            entries[new] = entry
        default: throw .ENOSYS
        }
        return ServiceAnswer()
    }

    private var freeBytes: Int { CertificateServices.spaceBytes - entries.values.reduce(0) { $0 + $1.pem.count } }

    /// Letters, digits, '.', '-' and '_'.
    private func name(_ bytes: [UInt8]) throws(Errno) -> String {
        let isGood = bytes.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        guard isGood, (1...CertificateServices.longestName).contains(bytes.count) else { throw .EINVAL }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func entry(_ input: [UInt8]) throws(Errno) -> Entry {
        guard let entry = entries[try name(input)] else { throw .ENOENT }
        return entry
    }

    /// Four lengths, then identifier, certificate, key and the key's password.
    private func install(_ input: [UInt8], isClient: Bool) throws(Errno) {
        let fields = Bytes(input)
        var parts: [[UInt8]] = []
        var offset = 16
        for index in 0..<4 {
            guard let length = fields.u32(index * 4), let part = fields.block(offset, Int(length)) else { throw .EINVAL }
            parts.append(part)
            offset += part.count
        }
        let id = try name(parts[0])
        guard (1...CertificateServices.longest).contains(parts[1].count), parts[2].count <= CertificateServices.longest else {
            throw .ERANGE
        }
        guard let certificate = try? StoredCertificate(pem: parts[1]) else { throw .EINVAL }
        if isClient {
            let isOwn: Bool
            do { isOwn = try certificate.isOwn(key: parts[2], password: parts[3]) } catch { throw .EACCES }
            guard isOwn else { throw .EINVAL }
        }
        let stored = parts[1].count + parts[2].count
        guard stored <= freeBytes + (entries[id]?.pem.count ?? 0) else { throw .ENOSPC }
        entries[id] = Entry(certificate: certificate, pem: parts[1] + parts[2], hasKey: isClient)
    }
}

import Formats
import SecureChannel

/// The certificate store that the device's apps share (APP-9): certificates by identifiers that are of the whole device.
public final class CertificateServices {
    private struct Entry {
        var certificate: StoredCertificate
        var pem: [UInt8]
        var key: [UInt8]
    }

    private static let longest = 8192
    private static let longestName = 16
    /// Of the flash behind it.
    private static let spaceBytes = 64 << 10
    private var entries: [String: Entry] = [:]

    /// For whoever keeps the store: all of it, after each change.
    public var onChange: (([UInt8]) -> Void)?
    /// As much as a store can take, as bytes.
    public static let longestEncoding = spaceBytes + (spaceBytes / shortest + 1) * (longestName + 9)
    private static let shortest = 64

    /// - Parameter bytes: What ``onChange`` was told last; what is broken of it is not there.
    public init(_ bytes: [UInt8] = []) {
        let fields = Bytes(bytes)
        var offset = 0
        while let count = fields.block(offset, 1)?[0], let name = fields.block(offset + 1, Int(count)) {
            let place = offset + 1 + Int(count)
            guard let first = fields.u32(place), let second = fields.u32(place + 4), let pem = fields.block(place + 8, Int(first)),
                let key = fields.block(place + 8 + Int(first), Int(second)), let certificate = try? StoredCertificate(pem: pem)
            else { return }
            entries[String(decoding: name, as: UTF8.self)] = Entry(certificate: certificate, pem: pem, key: key)
            offset = place + 8 + pem.count + key.count
        }
    }

    /// Of each by name: its length and it, lengths of certificate and key, those.
    private var encoded: [UInt8] {
        entries.sorted { $0.key < $1.key }.flatMap { name, entry -> [UInt8] in
            let lengths = [UInt32(entry.pem.count), UInt32(entry.key.count)].littleEndianBytes
            return [UInt8(name.utf8.count)] + Array(name.utf8) + lengths + entry.pem + entry.key
        }
    }

    public func answer(_ operation: ServiceOperation, _ input: [UInt8]) throws(Errno) -> ServiceAnswer {
        let answer = try carryOut(operation, input)
        switch operation {
        case .installClientCertificate, .installRootCertificate, .deleteCertificate, .moveCertificate: onChange?(encoded)
        default: break
        }
        return answer
    }

    private func carryOut(_ operation: ServiceOperation, _ input: [UInt8]) throws(Errno) -> ServiceAnswer {
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

    private var freeBytes: Int { CertificateServices.spaceBytes - entries.values.reduce(0) { $0 + $1.pem.count + $1.key.count } }

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
        guard stored <= freeBytes + (entries[id].map { $0.pem.count + $0.key.count } ?? 0) else { throw .ENOSPC }
        entries[id] = Entry(certificate: certificate, pem: parts[1], key: parts[2])
    }
}

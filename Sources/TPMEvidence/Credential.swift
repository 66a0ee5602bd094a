public import SecureChannel

/// A secret that only one TPM can read, and only while it holds a certain key (TPM2_MakeCredential, part 1 section 24): how a
/// verifier learns that an attestation key is in the TPM whose endorsement key is certified. Made without a TPM.
public struct Credential: Hashable, Sendable {
    /// TPM2B_ID_OBJECT.
    public let blob: [UInt8]
    /// TPM2B_ENCRYPTED_SECRET.
    public let secret: [UInt8]

    public init(blob: [UInt8], secret: [UInt8]) { (self.blob, self.secret) = (blob, secret) }

    /// - Parameters:
    ///   - value: At most 32 bytes.
    ///   - endorsementKey: As its certificate has it.
    ///   - name: ``TPMPublic/name`` of the attestation key.
    /// - Throws: If the value is longer.
    public init(_ value: [UInt8], endorsementKey: P256PublicKey, name: [UInt8]) throws(CryptoError) {
        guard value.count <= 32 else { throw .failed("a credential of \(value.count) bytes") }
        let ephemeral = P256PrivateKey()
        let shared = try ephemeral.sharedSecret(with: endorsementKey)
        let (x, y) = (Array(ephemeral.publicKey.bytes[..<32]), Array(ephemeral.publicKey.bytes[32...]))
        // Part 1 appendix C.6.1: KDFe over the shared point, the ephemeral key's x and the static key's x.
        let seed = sha256([0, 0, 0, 1] + shared + Array("IDENTITY".utf8) + [0] + x + endorsementKey.bytes[..<32])
        let encrypted = aes128CFB(
            key: Credential.derive(seed, "STORAGE", name, bits: 128), TPMWriter.make { $0.sized(value) })
        let integrity = hmacSHA256(key: Credential.derive(seed, "INTEGRITY", [], bits: 256), encrypted + name)
        blob = TPMWriter.make { w in
            w.sized(
                TPMWriter.make { inner in
                    inner.sized(integrity)
                    inner.put(encrypted)
                })
        }
        secret = TPMWriter.make { w in
            w.sized(
                TPMWriter.make { point in
                    point.sized(x)
                    point.sized(y)
                })
        }
    }

    /// KDFa (part 1, section 11.4.10.2) with SHA-256 and one block of output.
    static func derive(_ key: [UInt8], _ label: String, _ context: [UInt8], bits: UInt32) -> [UInt8] {
        let block = hmacSHA256(key: key, [0, 0, 0, 1] + Array(label.utf8) + [0] + context + TPMWriter.make { $0.u32(bits) })
        return Array(block.prefix(Int(bits / 8)))
    }
}

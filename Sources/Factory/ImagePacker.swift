public import Formats
public import SecureChannel

/// Packs apps as the SDK does: signed with a key that is public, so that only a device under development takes them (IMG-5).
public enum ImagePacker {
    /// Everybody has it: it is the SHA-256 of its name.
    public static func developmentKey() throws(CryptoError) -> P256PrivateKey {
        try P256PrivateKey(scalar: sha256(Array(ImagePackage.developmentKeyName.utf8)))
    }

    /// A component ID for what has none: the same for the same text.
    public static func component(of text: String) -> GUID { FlashBuilder.guid("component \(text)") }

    /// The same files give the same bytes, but for the signature's random number (`Randomness`).
    /// - Parameters:
    ///   - files: `app_manifest.json`, `bin/app` and resources, by path.
    ///   - builtAt: Unix seconds.
    public static func pack(_ files: [String: [UInt8]], manifest: AppManifest, builtAt: Int64) throws(CryptoError) -> [UInt8] {
        let name = String(manifest.name.prefix(31))
        let body = CompressedROM.pack(files, name: name)
        let key = try developmentKey()
        let package = ImagePackage(
            body: body, type: .applications, component: GUID(manifest.componentID) ?? FlashBuilder.guid(name),
            image: FlashBuilder.guid("image \(sha256(body).hex)"), signer: Array(sha256(key.publicKey.bytes)[..<20]),
            builtAt: UInt64(builtAt), name: name, isUnderDevelopment: true, securityVersion: 1)
        let signed = package.signedPart
        return signed + key.sign(digest: sha256(signed))
    }
}

import Formats
import SecureChannel
import Testing

/// Images, manifests, evidence and certificates.
@Suite struct FormatFuzz {
    private static let files: [String: [UInt8]] = [
        "app_manifest.json": Array("{\"SchemaVersion\":1}".utf8), "bin/app": [UInt8](repeating: 7, count: 300), "data/a/b": [1], "c": [],
    ]
    private static let image = CompressedROM.pack(files, devices: ["dev/x": ImageDevice(major: 4, minor: 64)], name: "app")

    @Test func fileSystems() throws {
        try Fuzz.run("cramfs") { fuzz in
            let bytes = fuzz.mutated([FormatFuzz.image])
            guard let contents = try? CompressedROM.contents(bytes, takesDevices: true) else { return }
            let read = contents.files.values.reduce(0) { $0 + $1.count }
            #expect(read <= 64 << 20)
        }
    }

    /// Eight levels of directories, each of which is all of the level below many times over.
    @Test func directoriesThatPointAtEachOtherAreRefused() {
        var image = [UInt8](repeating: 0, count: 64)
        image.replaceSubrange(0..<4, with: UInt32(0x28CD_3D45).littleEndianBytes)
        let place = 76
        func inode(_ nameWords: Int) -> [UInt8] {
            UInt16(0o040_755).littleEndianBytes + [0, 0] + UInt32(64 * 16).littleEndianBytes
                + UInt32(nameWords | (place / 4) << 6).littleEndianBytes
        }
        image += inode(0)
        for index in 0..<64 { image += inode(1) + [65 + UInt8(index / 26), 65 + UInt8(index % 26), 0, 0] }
        #expect(throws: CompressedROM.Failure.self) { try CompressedROM.unpack(image) }
    }

    /// Files that are the same bytes, over and over.
    @Test func contentThatIsSharedIsCounted() {
        var image = CompressedROM.pack(["a": [UInt8](repeating: 1, count: 1 << 20)], name: "x")
        let (at, entries) = (image.count, 200)
        let head = Array(image[64..<76])
        for index in 0..<entries {
            image += Array(image[76..<88].prefix(12)) + [65 + UInt8(index / 26), 65 + UInt8(index % 26), 0, 0]
        }
        let size = UInt32(entries * 16).littleEndianBytes
        image.replaceSubrange(64..<76, with: head[..<4] + size + UInt32((at / 4) << 6).littleEndianBytes)
        #expect(throws: CompressedROM.Failure.tooManyBytes) { try CompressedROM.unpack(image) }
    }

    @Test func packages() throws {
        let package = ImagePackage(
            body: FormatFuzz.image, type: .applications, component: GUID(bytes: [UInt8](repeating: 1, count: 16))!,
            image: GUID(bytes: [UInt8](repeating: 2, count: 16))!, signer: [UInt8](repeating: 3, count: 20), builtAt: 5, name: "app")
        let sample = package.signedPart + [UInt8](repeating: 9, count: 64)
        let table = FlashLayout(entries: [.init(type: 10, slot: .primary, offset: 65536, length: 5000)]).encoded()
        try Fuzz.run("image-package") { fuzz in
            _ = try? ImagePackage.parse(fuzz.mutated([sample]))
            // Its checksum would refuse nearly all changes.
            let bytes = fuzz.mutated([Array(table.dropLast(4))])
            guard let layout = try? FlashLayout(sector: bytes + crc32(bytes).littleEndianBytes) else { return }
            _ = (layout.free(4096), layout.place(.applications, 0, .primary), layout.encoded())
        }
    }

    private static let manifest = """
        {"SchemaVersion":1,"Name":"x","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app","CmdArgs":["a"],
        "Capabilities":{"Gpio":[1,"$LED"],"Uart":["ISU0"],"AllowedConnections":["a.b"],"AllowedTcpServerPorts":[80],
        "DeviceAuthentication":"25025d2c-66da-4448-bae1-ac26fcdd3627","MutableStorage":{"SizeKB":8},"PowerControls":["ForceReboot"],
        "WifiConfig":true},"ApplicationType":"Default"}
        """
    private static let definition = """
        {"Metadata":{"Type":"Azure Sphere Hardware Definition","Version":1},"Imports":[{"Path":"a.json"}],
        "Peripherals":[{"Name":"LED","Type":"Gpio","Mapping":"B"},{"Name":"B","Type":"Gpio","MainCoreHeaderValue":"8","AppManifestValue":8}]}
        """

    @Test func manifests() throws {
        let words = [
            "null", "true", "-1", "1e400", "1e-5", "9223372036854775808", "99999999999999999999999", "[]", "{}", "\"\"", "\"\\u0000\"",
            "\"\\ud800\"", "[[[[[[[[[[1]]]]]]]]]]", "65536", "\"..\"", "\"/\"", "1.0", String(repeating: "[", count: 3000), "[1,[2,[3]]]",
        ]
        try Fuzz.run("manifest") { fuzz in
            let bytes = fuzz.mutatedText([FormatFuzz.manifest], words: words)
            _ = try? AppManifest(json: bytes)
            let board = fuzz.mutatedText([FormatFuzz.definition], words: words)
            // A file that imports itself.
            let definition = try? HardwareDefinition(board, file: "a.json") { _ in board }
            _ = definition?.header
            _ = try? AppManifest.resolve(Array(FormatFuzz.manifest.utf8), definition)
        }
    }

    @Test func evidence() throws {
        let part = PSAToken.Component(type: "1", measurement: [UInt8](repeating: 1, count: 32), signer: [UInt8](repeating: 2, count: 32))
        let token = PSAToken(
            nonce: [UInt8](repeating: 3, count: 32), instance: [1] + [UInt8](repeating: 4, count: 32),
            implementation: [UInt8](repeating: 5, count: 32), components: [part, part]
        ).encoded()
        let signed = CoseSign1(payload: token, signature: [UInt8](repeating: 6, count: 64)).encoded()
        let other = CBOR.array([.integer(.min), .integer(.max), .text("ü"), .bool(true), .null, .tagged(.max, .map([]))]).encoded()
        try Fuzz.run("cbor") { (fuzz: inout Fuzz) throws in
            let bytes = fuzz.mutated([token, signed, other])
            if let item = try? CBOR(bytes) { #expect(try CBOR(item.encoded()) == item) }
            _ = (try? CoseSign1(bytes)).map { try? PSAToken($0.payload) }
            _ = try? PSAToken(bytes)
        }
    }

    @Test func certificates() throws {
        let key = P256PrivateKey()
        let template = CertificateTemplate(
            commonName: "root", organization: "x", serial: [1], notBefore: 0, notAfter: 1_000_000, hostNames: ["a.b"], uris: ["urn:x"],
            usage: .endEntity)
        let certificate = try template.issue(for: key.publicKey, by: key, issuer: nil)
        let samples = [
            certificate.der, try CertificateRequest(commonName: "d", key: key).der, try CertificateBundle.encode([certificate]),
        ]
        try Fuzz.run("x509") { fuzz in
            let bytes = fuzz.mutated(samples)
            if let certificate = try? Certificate(der: bytes) { _ = (certificate.hostNames, certificate.uris, certificate.subjectName) }
            _ = try? CertificateRequest(der: bytes)
            _ = try? CertificateBundle.decode(bytes)
            _ = try? StoredCertificate(pem: bytes)
        }
    }
}

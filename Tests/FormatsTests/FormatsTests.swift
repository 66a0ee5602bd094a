import Formats
import Testing

@Suite struct CBORTests {
    /// RFC 8949 appendix A, the kinds that evidence uses.
    static let vectors: [(CBOR, [UInt8])] = [
        (.integer(0), [0x00]), (.integer(23), [0x17]), (.integer(24), [0x18, 0x18]), (.integer(1000), [0x19, 0x03, 0xE8]),
        (.integer(1_000_000), [0x1A, 0x00, 0x0F, 0x42, 0x40]),
        (.integer(1_000_000_000_000), [0x1B, 0, 0, 0, 0xE8, 0xD4, 0xA5, 0x10, 0]),
        (.integer(-1), [0x20]), (.integer(-1000), [0x39, 0x03, 0xE7]), (.bytes([1, 2, 3, 4]), [0x44, 1, 2, 3, 4]),
        (.text("IETF"), [0x64, 0x49, 0x45, 0x54, 0x46]), (.text("\u{6C34}"), [0x63, 0xE6, 0xB0, 0xB4]),
        (.array([.integer(1), .array([.integer(2), .integer(3)])]), [0x82, 1, 0x82, 2, 3]),
        (.map([(.integer(1), .integer(2)), (.integer(3), .integer(4))]), [0xA2, 1, 2, 3, 4]),
        (.bool(false), [0xF4]), (.null, [0xF6]), (.tagged(1, .integer(1_363_896_240)), [0xC1, 0x1A, 0x51, 0x4B, 0x67, 0xB0]),
    ]

    @Test(arguments: vectors.indices) func rfc8949(index: Int) throws {
        let (value, bytes) = Self.vectors[index]
        #expect(value.encoded() == bytes)
        #expect(try CBOR(bytes) == value)
    }

    @Test func refusals() {
        #expect(throws: CBOR.Failure.truncated) { try CBOR([0x44, 1]) }
        #expect(throws: CBOR.Failure.notShortest) { try CBOR([0x18, 0x17]) }
        #expect(throws: CBOR.Failure.trailingBytes) { try CBOR([0, 0]) }
        #expect(throws: CBOR.Failure.duplicateKey) { try CBOR([0xA2, 1, 2, 1, 3]) }
        #expect(throws: CBOR.Failure.truncated) { try CBOR([0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) }
        #expect(throws: CBOR.Failure.tooDeep) { try CBOR([UInt8](repeating: 0x81, count: 100)) }
    }
}

@Suite struct ImageTests {
    static let package = ImagePackage(
        body: Array("body".utf8), type: .kernel, component: GUID("25025d2c-66da-4448-bae1-ac26fcdd3627")!,
        image: GUID("00000000-0000-0000-0000-000000000001")!, signer: [UInt8](repeating: 7, count: 20), builtAt: 1_700_000_000,
        name: "kernel")

    @Test func roundTrip() throws {
        let bytes = Self.package.signedPart + [UInt8](repeating: 9, count: 64)
        let (package, signed, signature) = try ImagePackage.parse(bytes)
        #expect(package == Self.package)
        #expect(signed == Self.package.signedPart)
        #expect(signature == [UInt8](repeating: 9, count: 64))
    }

    /// The published layout: magic "4X4M", ID section, length before the signature (IMG-1 … IMG-3).
    @Test func layout() {
        let signed = Self.package.signedPart
        #expect(Array(signed[4..<8]) == Array("4X4M".utf8))
        #expect(Array(signed[12..<16]) == [0x49, 0x44, 36, 0])
        #expect(Array(signed.suffix(4)) == [UInt8(signed.count - 8), 0, 0, 0])
        #expect(Array(Self.package.component.bytes.prefix(8)) == [0x2C, 0x5D, 0x02, 0x25, 0xDA, 0x66, 0x48, 0x44])
    }

    @Test func namedRefusals() {
        let bytes = Self.package.signedPart + [UInt8](repeating: 9, count: 64)
        #expect(throws: ImageError.truncated(bytes: 10)) { try ImagePackage.parse([UInt8](repeating: 0, count: 10)) }
        var wrongMagic = bytes
        wrongMagic[4] = 0
        #expect(throws: ImageError.self) { try ImagePackage.parse(wrongMagic) }
        for length in 0..<bytes.count { #expect(throws: ImageError.self) { try ImagePackage.parse(Array(bytes[..<length])) } }
    }

    /// Flipping any byte gives a package or a named refusal.
    @Test func fuzz() {
        let bytes = Self.package.signedPart + [UInt8](repeating: 9, count: 64)
        for index in bytes.indices {
            for value: UInt8 in [0, 0x7F, 0xFF] {
                var changed = bytes
                changed[index] = value
                _ = try? ImagePackage.parse(changed)
            }
        }
    }
}

@Suite struct ROMTests {
    static let files: [String: [UInt8]] = [
        "app_manifest.json": Array("{}".utf8), "bin/app": Array(0..<200), "empty": [],
    ]

    @Test func roundTrip() throws {
        #expect(try CompressedROM.unpack(CompressedROM.pack(Self.files, name: "test")) == Self.files)
    }

    /// A device node inside an image gave apps what they were not granted (A-07).
    @Test func specialFilesAreRefused() {
        var image = CompressedROM.pack(["null": []], name: "t")
        image[76] = 0x92  // mode 0o20622: a character device
        image[77] = 0x21
        #expect(throws: CompressedROM.Failure.specialFile("null")) { try CompressedROM.unpack(image) }
    }

    @Test func fuzz() {
        let image = CompressedROM.pack(Self.files, name: "test")
        for index in image.indices {
            for value: UInt8 in [0, 0x41, 0xFF] {
                var changed = image
                changed[index] = value
                _ = try? CompressedROM.unpack(changed)
            }
        }
        for length in 0..<image.count { _ = try? CompressedROM.unpack(Array(image[..<length])) }
    }
}

@Suite struct EvidenceTests {
    static let token = PSAToken(
        nonce: [UInt8](repeating: 1, count: 32), instance: [1] + [UInt8](repeating: 2, count: 32),
        implementation: [UInt8](repeating: 3, count: 32),
        components: [.init(type: "1", measurement: [UInt8](repeating: 4, count: 32), signer: [UInt8](repeating: 5, count: 32))])

    @Test func roundTrip() throws {
        let message = CoseSign1(payload: Self.token.encoded(), signature: [UInt8](repeating: 6, count: 64))
        let parsed = try CoseSign1(message.encoded())
        #expect(try PSAToken(parsed.payload) == Self.token)
        #expect(parsed.signature == message.signature)
    }

    /// RFC 8949 appendix A, and each with a byte less.
    @Test(arguments: [
        "1bffffffffffffffff", "3bffffffffffffffff", "1b7fffffffffffffff", "3b7fffffffffffffff", "f90000", "fa47c35000",
        "fb3ff199999999999a", "f4", "f5", "f6", "f7", "f0", "f8ff", "c11a514b67b0", "83010203", "a201020304", "40", "60",
    ])
    func itemsComeBackAsTheyWere(hex: String) throws {
        let bytes = stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
        #expect(try CBOR(bytes).encoded() == bytes)
        #expect(throws: CBOR.Failure.self) { try CBOR(Array(bytes.dropLast())) }
    }

    /// What is longer than it must be is taken only where it is asked for; what has no length, nowhere.
    @Test func variationsAreTakenWhereTheyMayBe() throws {
        #expect(throws: CBOR.Failure.notShortest) { try CBOR([0x18, 1]) }
        #expect(try CBOR([0x18, 1], takesVariations: true) == .integer(1))
        for bytes in [[0x9F, 0xFF], [0xBF, 0xFF], [0x5F, 0xFF], [0xF8, 0x18], [0x1C]] as [[UInt8]] {
            #expect(throws: CBOR.Failure.self) { try CBOR(bytes, takesVariations: true) }
        }
    }

    @Test func optionalClaimsComeBack() throws {
        var token = Self.token
        (token.client, token.bootSeed, token.certification) = (-5, [UInt8](repeating: 7, count: 8), "1234567890123-12345")
        token.verificationService = "https://v"
        token.components[0].version = "1.2"
        token.components[0].description = "sha-256"
        #expect(try PSAToken(token.encoded()) == token)
    }

    @Test func wrongNonceLengthIsRefused() {
        var token = Self.token
        token.nonce = [1, 2, 3]
        #expect(throws: EvidenceError.badClaim(10)) { try PSAToken(token.encoded()) }
    }

    @Test func fuzz() {
        let bytes = CoseSign1(payload: Self.token.encoded(), signature: [UInt8](repeating: 6, count: 64)).encoded()
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0xFF
            if let message = try? CoseSign1(changed) { _ = try? PSAToken(message.payload) }
        }
    }
}

@Suite struct ManifestTests {
    private func manifest(_ text: String) throws -> AppManifest { try AppManifest(json: Array(text.utf8)) }

    @Test func acceptsARealTimeApp() throws {
        let app = try manifest(
            """
            {"SchemaVersion":1,"Name":"a","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app",
             "CmdArgs":[],"Capabilities":{"Gpio":[],"SystemTime":true},"ApplicationType":"RealTimeCapable"}
            """)
        #expect(app.isRealTime)
    }

    /// The schema of azure-sphere §2.3, name by name: all of it is taken, and what is not modelled says what is missing.
    @Test func takesEachCapabilityOfTheSchema() throws {
        let flags = [
            "NetworkConfig", "WifiConfig", "EnterpriseWifiConfig", "TimeSyncConfig", "SystemTime", "DhcpService", "SntpService",
            "CertStore", "SystemEventNotifications", "SoftwareUpdateDeferral", "HardwareAddressConfig", "ReadNetworkProxyConfig",
            "ResetMemoryWatermarks", "HeapMemStats",
        ]
        let app = try manifest(
            """
            {"SchemaVersion":1,"Name":"a","ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app","CmdArgs":[],
             "TargetApplicationRuntimeVersion":16,"TargetBetaApis":"Beta2004","ApplicationType":"Default","MallocVersion":2,"Capabilities":{
             "AllowedConnections":["a.example","10.0.0.1"],"AllowedTcpServerPorts":[80],"AllowedUdpServerPorts":[53],
             "AllowedApplicationConnections":["25025d2c-66da-4448-bae1-ac26fcdd3627"],
             "DeviceAuthentication":"25025d2c-66da-4448-bae1-ac26fcdd3627","Gpio":[8],"Uart":["ISU0"],"I2cMaster":["ISU1"],
             "SpiMaster":["ISU2"],"I2sSubordinate":["I2S0"],"Pwm":["PWM-CONTROLLER-1"],"Adc":["ADC-CONTROLLER-0"],
             "ExternalInterrupt":["EINT3",12],"MutableStorage":{"SizeKB":8},"PowerControls":["ForceReboot"],
             \(flags.map { "\"\($0)\":true" }.joined(separator: ","))}}
            """)
        #expect(flags.allSatisfy(app.isOn) && app.names("ExternalInterrupt") == ["3", "12"])
        #expect(
            app.warnings.map { String($0.prefix { $0 != " " }) }
                == ["HeapMemStats", "ResetMemoryWatermarks", "ExternalInterrupt", "MallocVersion"])
        #expect {
            try manifest(
                """
                {"SchemaVersion":1,"ComponentId":"25025d2c-66da-4448-bae1-ac26fcdd3627","EntryPoint":"/bin/app","Capabilities":{"Levitate":true}}
                """)
        } throws: {
            ($0 as? AppManifest.Refusal)?.reason == "there is no capability 'Levitate'"
        }
    }

    /// Each field made wrong, with the original's id for it.
    @Test(arguments: [
        ("\"SchemaVersion\":1,", "", 4), ("\"SchemaVersion\":1", "\"SchemaVersion\":\"1\"", 17),
        ("\"EntryPoint\":\"/bin/app\",", "", 3), ("\"/bin/app\"", "7", 16), ("\"/bin/app\"", "\"/bin/../app\"", 22),
        ("\"ComponentId\":\"25025d2c", "\"ComponentId\":\"2502", 7), ("\"CmdArgs\":[]", "\"CmdArgs\":[1]", 5),
        ("\"ApplicationType\":\"Default\"", "\"ApplicationType\":3", 26), ("\"Default\"", "\"Other\"", 27),
        ("\"CmdArgs\"", "\"MallocVersion\":3,\"CmdArgs\"", 59), ("\"Capabilities\":{", "\"Capabilities\":[],\"X\":{", 6),
        ("\"Gpio\":[8]", "\"Gpio\":8", 10), ("\"Gpio\":[8]", "\"Gpio\":[8,8]", 10), ("\"Gpio\":[8]", "\"Gpio\":[\"$LED\"]", 10),
        ("\"Gpio\":[8]", "\"Uart\":true", 13), ("\"Gpio\":[8]", "\"I2cMaster\":[1,\"ISU0\"]", 18), ("\"Gpio\":[8]", "\"Pwm\":{}", 35),
        ("\"Gpio\":[8]", "\"AllowedConnections\":[\"*.example\"]", 9), ("\"Gpio\":[8]", "\"AllowedTcpServerPorts\":80", 36),
        ("\"Gpio\":[8]", "\"AllowedTcpServerPorts\":[0]", 37), ("\"Gpio\":[8]", "\"AllowedUdpServerPorts\":{}", 38),
        ("\"Gpio\":[8]", "\"AllowedUdpServerPorts\":[70000]", 39), ("\"Gpio\":[8]", "\"AllowedApplicationConnections\":[\"x\"]", 43),
        ("\"Gpio\":[8]", "\"DeviceAuthentication\":1", 24), ("\"Gpio\":[8]", "\"DeviceAuthentication\":\"nobody\"", 29),
        ("\"Gpio\":[8]", "\"MutableStorage\":8", 31), ("\"Gpio\":[8]", "\"MutableStorage\":{}", 32),
        ("\"Gpio\":[8]", "\"MutableStorage\":{\"SizeKB\":\"8\"}", 33), ("\"Gpio\":[8]", "\"MutableStorage\":{\"SizeKB\":65}", 34),
        ("\"Gpio\":[8]", "\"NetworkConfig\":1", 11), ("\"Gpio\":[8]", "\"WifiConfig\":1", 15),
        ("\"Gpio\":[8]", "\"EnterpriseWifiConfig\":1", 45), ("\"Gpio\":[8]", "\"TimeSyncConfig\":1", 40),
        ("\"Gpio\":[8]", "\"SystemTime\":1", 30), ("\"Gpio\":[8]", "\"DhcpService\":1", 41), ("\"Gpio\":[8]", "\"SntpService\":1", 42),
        ("\"Gpio\":[8]", "\"CertStore\":1", 44), ("\"Gpio\":[8]", "\"SystemEventNotifications\":1", 46),
        ("\"Gpio\":[8]", "\"SoftwareUpdateDeferral\":true", 47), ("\"Gpio\":[8]", "\"PowerControls\":[]", 48),
        ("\"Gpio\":[8]", "\"PowerControls\":[\"Explode\"]", 49),
        ("\"Gpio\":[8]", "\"PowerControls\":[\"ForceReboot\",\"ForceReboot\"]", 50),
        ("\"Gpio\":[8]", "\"HardwareAddressConfig\":1", 51), ("\"Gpio\":[8]", "\"ReadNetworkProxyConfig\":1", 56),
        ("\"Gpio\":[8]", "\"ResetMemoryWatermarks\":1", 57), ("\"Gpio\":[8]", "\"HeapMemStats\":1", 58),
        ("\"Gpio\":[8]", "\"ExternalInterrupt\":12", 10), ("\"Gpio\":[8]", "\"ExternalInterrupt\":[24]", 10),
        ("\"Gpio\":[8]", "\"ExternalInterrupt\":[\"EINT3\",3]", 10), ("\"Gpio\":[8]", "\"ExternalInterrupt\":[\"GPIO3\"]", 10),
        ("\"Gpio\":[8]", "\"LinuxCapabilities\":[\"CAP_NET_ADMIN\"]", 21), ("\"Gpio\":[8]", "\"SupplementaryGroups\":[5]", 20),
    ]) func eachWrongFieldHasItsNumber(_ test: (old: String, new: String, id: Int)) throws {
        let good =
            "{\"SchemaVersion\":1,\"Name\":\"a\",\"ComponentId\":\"25025d2c-66da-4448-bae1-ac26fcdd3627\",\"EntryPoint\":\"/bin/app\",\"CmdArgs\":[],\"ApplicationType\":\"Default\",\"Capabilities\":{\"Gpio\":[8]}}"
        _ = try manifest(good)
        let bad = good.replacing(test.old, with: test.new)
        #expect(bad != good)
        #expect { try manifest(bad) } throws: { ($0 as? AppManifest.Refusal)?.code == 2 << 20 | test.id }
    }

    /// The original's numbers: category 2, id 17 for a wrong schema, 16 for a bad entry point (OS-14).
    @Test func refusalsCarryTheOriginalsNumbers() {
        let good = "\"Name\":\"a\",\"ComponentId\":\"25025d2c-66da-4448-bae1-ac26fcdd3627\",\"Capabilities\":{}"
        for (text, code) in [
            ("{\"SchemaVersion\":2,\(good),\"EntryPoint\":\"/bin/app\"}", 2_097_169),
            ("{\"SchemaVersion\":1,\(good),\"EntryPoint\":\"app\"}", 2_097_168), ("nonsense", 2_097_153),
        ] {
            #expect { try manifest(text) } throws: { ($0 as? AppManifest.Refusal)?.code == code }
        }
    }
}

@Suite struct LayoutTests {
    @Test func roundTripAndChecksum() throws {
        let layout = FlashLayout(entries: [.init(type: 1, slot: .backup, offset: 4096, length: 10)])
        #expect(try FlashLayout(sector: layout.encoded()) == layout)
        var bytes = layout.encoded()
        bytes[14] ^= 1
        #expect(throws: FlashLayout.Failure.badChecksum) { try FlashLayout(sector: bytes) }
        #expect(throws: FlashLayout.Failure.badMagic) { try FlashLayout(sector: []) }
    }

    @Test func crcCheckValue() { #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926) }
}

@Suite struct StageCodeTests {
    @Test func aLineSaysWhatCodeLacksAndDoes() throws {
        let plain = StageCode(stage: "services", version: "26.11", hardening: ["w-xor-x"])
        let line = #"{"stage":"services","version":"26.11","hardening":["w-xor-x"]}"# + "\n"
        #expect(plain.firstLine == Array(line.utf8))
        let bad = StageCode(
            stage: "kernel", version: "1", lacks: [.network, .attester], stopsAfterSeconds: 0, leaksBytesPerSecond: 16)
        for code in [plain, bad] {
            #expect(StageCode(code.firstLine + [0xFF, 10, 0]) == code)
            #expect(StageCode.canStart(code.firstLine))
        }
        for body in [[], [10], Array("{}\n".utf8), [UInt8](repeating: 0xFF, count: 5000)] as [[UInt8]] {
            #expect(StageCode(body) == nil && !StageCode.canStart(body))
        }
    }
}

public import Formats
public import SecureChannel

/// The security processor (HW-3, HW-18): holds the device's keys, measures, attests, signs, counts.
///
/// No accessor gives a private key away, and the attestation key signs nothing but evidence that Pluton
/// itself has put together.
public final class Pluton {
    /// Where the private keys lie: behind the fuses, or (with `hardware-root-of-trust` off) in flash, where
    /// whoever holds the chip can copy them.
    public enum KeyStorage: Sendable { case fuses, flash }

    /// HW-29: a quote has at most so many measurements.
    public static let measurementLimit = 20
    /// RFC 9783 implementation id: which silicon this is.
    public static let implementation = sha256(Array(SiliconModel.name.utf8))

    public let devicePublicKey: P256PublicKey
    public private(set) var measurements: [PSAToken.Component] = []

    private let attestation: P256PrivateKey
    private let general: P256PrivateKey
    private let generalScalar: [UInt8]
    private let fuses: FuseBank

    /// Reads the keys; makes them first if the chip has never had power. TRNG is the process's random source.
    public init(fuses: FuseBank, flash: Flash, storage: KeyStorage) throws(SiliconError) {
        self.fuses = fuses
        let softwareKeys = FlashLayout.softwareKeyOffset
        if fuses.isBlank {
            let (general, attestation) = (P256PrivateKey.draw().scalar, P256PrivateKey.draw().scalar)
            switch storage {
            case .fuses:
                fuses.burn(FuseBank.generalKey.lowerBound, general)
                fuses.burn(FuseBank.attestationKey.lowerBound, attestation)
            // A chip that finds keys in its flash takes them: that is what makes them worth copying.
            case .flash where try flash.read(softwareKeys, 64).allSatisfy({ $0 == 0xFF }):
                try flash.erase(sector: softwareKeys / Flash.sectorBytes)
                try flash.program(softwareKeys, general + attestation)
            case .flash: break
            }
            fuses.markManufactured()
            // The factory is done with it.
            _ = fuses.advance(to: .secure)
            _ = fuses.advance(to: .deviceComplete)
        }
        let keys =
            switch storage {
            case .fuses: fuses.read(FuseBank.generalKey) + fuses.read(FuseBank.attestationKey)
            case .flash: try flash.read(softwareKeys, 64)
            }
        guard let general = try? P256PrivateKey(scalar: Array(keys[..<32])),
            let attestation = try? P256PrivateKey(scalar: Array(keys[32...]))
        else { throw .blankFuses }
        self.general = general
        self.attestation = attestation
        generalScalar = Array(keys[..<32])
        devicePublicKey = attestation.publicKey
    }

    /// 128 hexadecimal characters (HW-18).
    public var deviceID: String { devicePublicKey.bytes.hex }
    public var generalPublicKey: P256PublicKey { general.publicKey }

    /// A reset: the list of measurements begins anew.
    public func restart() { measurements = [] }

    /// Adds a measurement to the list of this boot. False if the list is full.
    public func extend(type: UInt32, digest: [UInt8], signer: [UInt8]) -> Bool {
        guard measurements.count < Pluton.measurementLimit else { return false }
        measurements.append(.init(type: String(type), measurement: digest, signer: signer))
        return true
    }

    /// PROCESS_ATTESTATION (0x4C): evidence over this boot's measurements, bound to the verifier's nonce.
    public func attest(nonce: [UInt8]) -> [UInt8] {
        let token = PSAToken(
            nonce: nonce, instance: [1] + sha256(devicePublicKey.bytes), implementation: Pluton.implementation,
            lifecycle: fuses.securityState.psaLifeCycle, components: measurements)
        let payload = token.encoded()
        let signature = attestation.sign(digest: sha256(CoseSign1.toBeSigned(payload)))
        return CoseSign1(payload: payload, signature: signature).encoded()
    }

    /// The short form of evidence that the command set has (HW-29), over a digest that `PlutonMailbox` has put together.
    func signQuote(_ digest: [UInt8]) -> [UInt8] { attestation.sign(digest: digest) }

    /// READ_RNG (0x40).
    public func random(_ count: Int) -> [UInt8] { Randomness.bytes(count) }

    // MARK: Client authentication key

    /// GENERATE_CLIENT_AUTH_KEY (0x4A): a key that depends on this silicon, on `seed`, and on what has booted below apps. The
    /// seed may lie in flash (AS-5): on other silicon, or after another boot stage, it gives another key, so that what was
    /// attested once is worth nothing to a boot that was not.
    public func clientAuthKey(seed: [UInt8]) -> any SigningKey {
        let app = String(ImageType.applications.rawValue)
        var booted: [UInt8] = []
        for stage in measurements where stage.type != app { booted += Array(stage.type.utf8) + [0] + stage.measurement }
        var counter: UInt8 = 0
        while true {
            let scalar = sha256(generalScalar + Array("client-auth".utf8) + sha256(booted) + seed + [counter])
            if let key = try? P256PrivateKey(scalar: scalar) { return SiliconKey(key) }
            counter += 1
        }
    }

    // MARK: Rollback counters

    public func counter(_ index: Int) -> Int { fuses.counter(index) }
    public func raiseCounter(_ index: Int, to value: Int) { fuses.raiseCounter(index, to: value) }

    /// SIGN_WITH_TENANT_ATTESTATION_KEY (0x4D): all that leaves the silicon is a signature.
    private final class SiliconKey: SigningKey {
        private let key: P256PrivateKey
        init(_ key: P256PrivateKey) { self.key = key }
        var publicKey: P256PublicKey { key.publicKey }
        func sign(digest: [UInt8]) -> [UInt8] { key.sign(digest: digest) }
    }
}

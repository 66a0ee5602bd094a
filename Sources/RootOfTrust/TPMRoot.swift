public import DeviceServices
public import SecureChannel
import TPM
import TPMEvidence
public import Wire

/// A TPM 2.0 on the board: keys that never leave it, registers for what has started, quotes.
public final class TPMRoot: RootOfTrust {
    private let store: any TPMStateStore
    /// Where the randomness of a start comes from, by its number; nil for the process's generator.
    private let draws: (Int) -> SeedStream?
    private var starts = 0
    private var tpm: TPMStack?
    private var log = EventLog()
    private var attestationKey: TPMPublic?
    private var certificate: [UInt8] = []
    private var now = Instant.start
    /// Why there is no TPM to speak of.
    private var refusal: RootRefusal?

    /// Switches it on, and takes ownership of one that nobody has.
    /// - Parameters:
    ///   - statePath: Its non-volatile memory, as it was manufactured.
    ///   - serial: What tells this board from all others.
    ///   - draws: For each power-on, by its number.
    public init(statePath: String, serial: String, draws: @escaping (Int) -> SeedStream?) {
        store = TPMStateFile(path: statePath, device: Array(serial.utf8))
        self.draws = draws
        do throws(RootRefusal) { try start() } catch { refusal = error }
    }

    private func start() throws(RootRefusal) {
        tpm = nil
        log = EventLog()
        starts += 1
        let chip: TrustedPlatformModule
        do throws(TPMStateRefusal) {
            chip = try TrustedPlatformModule(store: store, draws: draws(starts)) { [unowned self] in now }
        } catch { throw RootRefusal(error) }
        let stack = TPMStack(chip)
        try ask { () throws(TPMError) in
            try stack.startup()
            if let known = try? stack.publicArea(of: TPMStack.Persistent.attestationKey) {
                attestationKey = known
            } else {
                attestationKey = try stack.takeOwnership().attestationKey
            }
            certificate = try stack.endorsementCertificate()
        }
        tpm = stack
    }

    private func ask<T>(_ body: () throws(TPMError) -> T) throws(RootRefusal) -> T {
        do throws(TPMError) { return try body() } catch { throw RootRefusal(error) }
    }

    // MARK: Boot

    public func note(_ now: Instant) { self.now = max(self.now, now) }

    public func powerOn(at now: Instant) throws(RootRefusal) {
        note(now)
        if let refusal { throw refusal }
        // The first time it has just been switched on.
        if measurements > 0 { try start() }
    }

    public func measure(_ layer: MeasuredLayer, digest: [UInt8], name: String) throws(RootRefusal) {
        guard let tpm else { throw refusal ?? RootRefusal("the TPM has no power") }
        let register = layer.register
        let type = register < MeasuredRegister.kernel ? EventType.postCode : EventType.initialProgramLoader
        try ask { () throws(TPMError) in
            try tpm.measure(.init(register: register, type: type, digest: digest, data: Array(name.utf8)), into: &log)
        }
    }

    public var measurements: Int { log.events.count }

    // MARK: Evidence

    /// The attestation key's coordinates, which nobody has who has no TPM.
    public var deviceID: String { attestationKey?.key?.bytes.hex ?? String(repeating: "0", count: 128) }

    public var endorsement: Endorsement? {
        attestationKey.map { Endorsement(certificate: certificate, attestationKey: $0.encoded) }
    }

    public func evidence(for challenge: AttestationChallenge) -> Evidence {
        guard let tpm, let attestationKey else { return Evidence(mediaType: TPMAttestation.mediaType, []) }
        let quote = try? tpm.quote(TPMStack.Persistent.attestationKey, nonce: challenge.nonce, MeasuredRegister.quoted)
        // Made for another TPM, it opens to nothing.
        let activation = challenge.credential.flatMap {
            try? tpm.activate(
                Credential(blob: $0.blob, secret: $0.secret), key: TPMStack.Persistent.attestationKey,
                endorsementKey: TPMStack.Persistent.endorsementKey)
        }
        return Evidence(
            mediaType: TPMAttestation.mediaType,
            TPMAttestation(
                quote: quote ?? Quote(statement: [], signature: []), attestationKey: attestationKey.encoded, eventLog: log.encoded,
                activation: activation ?? []
            ).encoded)
    }

    // MARK: Keys

    /// A key in the TPM that signs only as long as what has booted is what boots now; wrapped, for the settings.
    public func newKey() -> [UInt8] {
        guard let tpm, let values = try? tpm.registers(MeasuredRegister.sealed),
            let policy = TPMPolicy.pcr(MeasuredRegister.sealed, values),
            let wrapped = try? tpm.create(.signingKey(policy: policy), under: TPMStack.Persistent.storageRootKey)
        else { return [] }
        return wrapped.encoded
    }

    /// Where the TPM is another, or has measured something else, it has no such key; then this is one that no certificate is for.
    public func key(_ name: [UInt8]) -> any SigningKey {
        guard let tpm, let wrapped = try? WrappedObject(name), let key = SealedSigningKey(wrapped, tpm), key.isUsable else {
            return P256PrivateKey()
        }
        return key
    }
}

/// A key that its TPM loads for each signature.
final class SealedSigningKey: SigningKey {
    let publicKey: P256PublicKey
    private let wrapped: WrappedObject
    private let tpm: TPMStack

    init?(_ wrapped: WrappedObject, _ tpm: TPMStack) {
        guard let key = wrapped.publicArea.key else { return nil }
        (publicKey, self.wrapped, self.tpm) = (key, wrapped, tpm)
    }

    var isUsable: Bool { (try? signature(of: [UInt8](repeating: 0, count: 32))) != nil }

    /// Where the TPM refuses, a signature that is none: the peer refuses it.
    func sign(digest: [UInt8]) -> [UInt8] { (try? signature(of: digest)) ?? [UInt8](repeating: 0, count: 64) }

    private func signature(of digest: [UInt8]) throws(TPMError) -> [UInt8] {
        let handle = try tpm.load(wrapped, under: TPMStack.Persistent.storageRootKey)
        defer { try? tpm.flush(handle) }
        return try tpm.sign(handle, digest: digest, policy: .registers(MeasuredRegister.sealed))
    }
}

extension MeasuredLayer {
    fileprivate var register: Int {
        switch self {
        case .firmware: MeasuredRegister.firmware
        case .kernel: MeasuredRegister.kernel
        case .fileSystem: MeasuredRegister.fileSystem
        case .policy: MeasuredRegister.policy
        case .applications: MeasuredRegister.applications
        }
    }
}
